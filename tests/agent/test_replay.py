"""Recorded in a real browser, replayed without a model, healed, and exported as a script that runs alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from llava_agent.agent.baselines import Move, OraclePolicy
from llava_agent.agent.expect import AddressHas, Shows
from llava_agent.agent.export import export_playwright
from llava_agent.agent.replay import replay
from llava_agent.agent.result import RunResult
from llava_agent.agent.run import run_task
from llava_agent.agent.secret import Secret, Secrets
from llava_agent.agent.supervision import Supervision
from llava_agent.errors import ConfigError
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.request import Candidate, Choice, ModelRequest
from tests.agent.test_loop import NAME, SAVE, play
from tests.agent.world import Form
from tests.gateway.doubles import Double, choice
from tests.tools.site import PAGES, Site
from tools.action import Check, Click, Press, Select, Tab, Target, Type
from tools.browser import find_browser

SECRETS = Supervision(secrets=Secrets([Secret("TOKEN", "tok-12345", ("127.0.0.1",))]))


def on(text: str) -> Target:
    return Target(text=text)


FORM: list[Move] = [
    Type(target=on("Serial number"), text="SN-1"),
    Select(target=on("Priority"), option="High"),
    Check(target=on("Notify the shift")),
    Type(target=on("Due"), text="2026-03-18"),
    Type(target=on("Token"), text="{{secret:TOKEN}}"),
    Click(target=on("Send ticket")),
]


async def record(
    site: Site, out: Path, script: Sequence[Move] = tuple(FORM), path: str = "/form", **more: Any
) -> RunResult:
    more.setdefault("expectations", (Shows("Saved"), AddressHas("/save")))
    return await run_task(
        site.url + path, "file a ticket", gateway=Gateway({}), out=out, policy=lambda _: OraclePolicy(script),
        supervision=SECRETS, **more,
    )  # fmt: skip


async def test_a_strict_replay_needs_no_model(site: Site, tmp_path: Path) -> None:
    assert (await record(site, tmp_path / "run")).status == "passed"
    posts = len(site.posts())
    again = await replay(tmp_path / "run", out=tmp_path / "again", supervision=SECRETS)
    assert again.result.status == "passed" and not again.drift and not again.heals
    assert again.result.models == {} and len(site.posts()) == posts + 1
    assert site.posts()[-1] == site.posts()[-2]


@pytest.mark.parametrize(
    ("was", "is_", "named"),
    [
        (">Send ticket<", ">Submit<", 'step 5 (click "Send ticket" button): "Send ticket" button'),
        ('action="/save"', 'action="/fail"', "500"),
        ("<option>High", "<option>Highest", "'Highest', not 'High'"),
    ],
)
async def test_drift_is_named(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, was: str, is_: str, named: str
) -> None:
    await record(site, tmp_path / "run")
    assert was in PAGES["/form"]
    monkeypatch.setitem(PAGES, "/form", PAGES["/form"].replace(was, is_))
    again = await replay(tmp_path / "run", out=tmp_path / "again", supervision=SECRETS)
    assert (again.result.status, again.result.exit_code) == ("failed", 1)
    assert named in again.drift


async def test_a_target_that_moved_is_healed_by_its_name(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await record(site, tmp_path / "run")
    monkeypatch.setitem(PAGES, "/form", PAGES["/form"].replace('aria-label="Ticket"', 'aria-label="Order"'))
    strict = await replay(tmp_path / "run", out=tmp_path / "strict", supervision=SECRETS)
    assert strict.result.status == "failed" and "Serial number" in strict.drift
    healed = await replay(tmp_path / "run", out=tmp_path / "healed", heal=True, supervision=SECRETS)
    assert healed.result.status == "passed" and {heal.by for heal in healed.heals} == {"name"}
    assert "Order" in (tmp_path / "healed" / "healed.json").read_text()
    assert "tok-12345" not in (tmp_path / "healed" / "healed.json").read_text()


async def test_the_model_heals_what_has_another_name(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await record(site, tmp_path / "run")
    monkeypatch.setitem(PAGES, "/form", PAGES["/form"].replace(">Send ticket<", ">Submit<"))

    def submit(request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str]) -> Choice:
        index = next(at for at, one in enumerate(candidates) if "Submit" in one.line)
        return choice("click", index, of=len(candidates))

    model = Double("text", "text", submit)
    healed = await replay(
        tmp_path / "run",
        out=tmp_path / "healed",
        heal=True,
        gateway=Gateway({"text": model}),
        supervision=SECRETS,
    )
    assert healed.result.status == "passed" and len(model.requests) == 1
    assert [(heal.step, heal.by) for heal in healed.heals] == [(5, "routed")]
    diff = (tmp_path / "healed" / "heal.diff").read_text()
    assert '-5: click "Send ticket" button' in diff and '+5: click "Submit" button' in diff
    script = json.loads((tmp_path / "healed" / "healed.json").read_text())
    assert len(script) == 6 and script[-1]["target"]["ref"].endswith("button:Submit")


async def test_only_verified_runs_are_replayed(tmp_path: Path) -> None:
    await play(Form(), [NAME, SAVE], tmp_path / "run")
    with pytest.raises(ConfigError, match="unverified"):
        await replay(tmp_path / "run", out=tmp_path / "again")
    with pytest.raises(ConfigError, match="holds no run"):
        await replay(tmp_path, out=tmp_path / "again")


def alone(path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The script by itself: nothing of this product can be imported."""
    keep = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "BROWSER": str(find_browser() or ""),
    }
    command = [sys.executable, "-P", str(path)]
    return subprocess.run(
        command, env=keep | variables, capture_output=True, text=True, timeout=90, cwd=path.parent
    )


async def test_an_exported_script_runs_alone_and_can_fail(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await record(site, tmp_path / "run")
    path = export_playwright(tmp_path / "run", tmp_path / "test_ticket.py")
    text = path.read_text()
    assert "llava" not in text and "tok-12345" not in text
    before = len(site.posts())
    done = alone(path, TOKEN="tok-12345")
    assert done.returncode == 0, done.stderr
    assert len(site.posts()) == before + 1 and site.posts()[-1] == site.posts()[-2]
    monkeypatch.setitem(PAGES, "/form", PAGES["/form"].replace('action="/save"', 'action="/fail"'))
    assert alone(path, TOKEN="tok-12345").returncode != 0


async def test_frames_shadow_roots_and_tabs_are_exported(site: Site, tmp_path: Path) -> None:
    deep: list[Move] = [
        Type(target=on("Inside"), text="deep"),
        Click(target=on("Shadow button")),
        Click(target=on("Frame button")),
    ]
    await record(site, tmp_path / "deep", deep, "/shadow", expectations=(Shows("Parts"),))
    tabs: list[Move] = [Click(target=on("Open two")), Tab(index=0), Tab(index=1), Press(key="Tab")]
    await record(site, tmp_path / "tabs", tabs, "/tabs", expectations=(Shows("Second tab"),))
    for name in ("deep", "tabs"):
        done = alone(export_playwright(tmp_path / name, tmp_path / f"test_{name}.py"))
        assert done.returncode == 0, done.stderr


async def test_what_cannot_be_a_script_is_refused(site: Site, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no run"):
        export_playwright(tmp_path, tmp_path / "x.py")
    await play(Form(), [NAME, SAVE], tmp_path / "run", expectations=(Shows("saved"),))
    with pytest.raises(ConfigError, match="cannot be written as a script"):
        export_playwright(tmp_path / "run", tmp_path / "x.py")
