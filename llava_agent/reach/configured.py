"""What this installation's own configuration lets through: told, not tried, since it is meant."""

from __future__ import annotations

import os
from collections.abc import Iterator

from llava_agent.reach.attempt import Attempt


def attempts() -> Iterator[Attempt]:
    """Each place that a line of the configuration or a command of the user opens.

    Raises:
        ConfigError: the policy in force is wrong.
    """
    yield from _policy()
    yield from _database()
    yield from _programs()
    yield from _collector()
    yield Attempt(
        "weights",
        "pip's package index, else huggingface.co",
        "allowed",
        "the command `models pull`, when a person gives it",
    )
    yield Attempt(
        "browser, API, checks", "the host of an address", "allowed", "the task or spec that names it"
    )


def _policy() -> Iterator[Attempt]:
    from llava_agent.egress import Origin
    from llava_agent.gateway.place import policy_path
    from llava_agent.gateway.policy import load_policy

    path = policy_path()
    policy = load_policy(path)
    for name, entry in policy.models.items():
        if entry.server is not None:
            yield Attempt(
                "gateway", str(Origin.of(entry.server.base_url)), "allowed", f"models.{name} of {path}"
            )
    for url in policy.image_urls.origins:
        yield Attempt("server", f"images at {Origin.of(url)}", "allowed", f"image_urls of {path}")


def _database() -> Iterator[Attempt]:
    from urllib.parse import urlsplit

    from llava_agent.database.place import DATABASE, default_url

    url = default_url()
    if "://" in url and not url.startswith("sqlite"):
        yield Attempt("database", urlsplit(url).hostname or "this machine", "allowed", DATABASE)


def _programs() -> Iterator[Attempt]:
    from llava_agent.encryption.master import COMMAND

    if COMMAND in os.environ:
        yield Attempt("encryption", "a program of yours, which may reach what it wants", "allowed", COMMAND)


def _collector() -> Iterator[Attempt]:
    from llava_agent.egress import Origin
    from llava_agent.gateway.spans import COLLECTOR, wanted

    if wanted():
        yield Attempt("traces", str(Origin.of(os.environ[COLLECTOR])), "allowed", COLLECTOR)
