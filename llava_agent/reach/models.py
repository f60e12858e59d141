"""Models: servers behind the gateway, and weights that are not there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llava_agent.gateway.request import ModelRequest
from llava_agent.reach.attempt import Attempt
from llava_agent.reach.ground import ELSEWHERE, Ground

_ASKED = ModelRequest("summarise", "Say ok.", max_tokens=8)
_HOME = "LLAVA_AGENT_HOME"


def attempts(ground: Ground) -> Iterator[Attempt]:
    """Providers, the gateway's policy, and the weights."""
    host, trap = ground.ends.host.url, ground.ends.trap.url
    yield ground.permitted(
        "provider", "its own server", lambda: _ask(f"{host}/v1"), "the address of its entry"
    )
    yield ground.forbidden("provider", "a redirect by its server", lambda: _ask(f"{host}/away"))
    yield ground.forbidden(
        "policy", "a server elsewhere that nothing says leaves the machine", lambda: _policy(ELSEWHERE)
    )
    yield ground.forbidden(
        "gateway", "internal data to a model that leaves the machine", lambda: _through(f"{trap}/v1")
    )
    yield ground.forbidden("weights", "weights that are not there", _weights)


def _ask(base_url: str) -> object:
    from llava_agent.gateway.providers.openai_server import OpenAIServer

    return OpenAIServer(base_url, "any", vision=False, seconds=5).complete(_ASKED, pixels=False)


def _policy(base_url: str) -> object:
    """A policy with a server elsewhere, read from a file as any policy is."""
    from llava_agent.gateway.policy import load_policy

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.yaml"
        path.write_text(
            "version: 1\n"
            f"models: {{far: {{server: {{base_url: '{base_url}/v1', model: any}}}}}}\n"
            "rules: [{name: all, allow: all}]\n"
        )
        return load_policy(path)


def _through(base_url: str) -> object:
    from llava_agent.deployments import deployments_of
    from llava_agent.gateway.gateway import Gateway
    from llava_agent.gateway.live import Fixed, Snapshot
    from llava_agent.gateway.policy import Policy

    policy = Policy.model_validate(
        {
            "version": 1,
            "models": {"far": {"server": {"base_url": base_url, "model": "any"}, "leaves_machine": True}},
            "rules": [{"name": "public data only", "allow": "all", "when": {"at_most": "public"}}],
            "fallback": {"attempts": 1},
        }
    )
    return Gateway(Fixed(Snapshot(policy, deployments_of(policy)))).complete(_ASKED)


def _weights() -> object:
    """Ask for weights in an empty home: they are fetched by a command of the user, never by asking."""
    from llava_agent.vlm.weights import EMBEDDED, paths

    with tempfile.TemporaryDirectory() as folder, _home(folder):
        return paths(EMBEDDED)


@contextmanager
def _home(folder: str) -> Iterator[None]:
    before = os.environ.get(_HOME)
    os.environ[_HOME] = folder
    try:
        yield
    finally:
        if before is None:
            del os.environ[_HOME]
        else:
            os.environ[_HOME] = before
