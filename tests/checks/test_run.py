"""Specs as they are run: variants, steps, secrets, jobs, baselines, pages and browsers that misbehave."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from llava_agent.checks.baselines import refuse_in_ci
from llava_agent.checks.first_spec import first_spec, written
from llava_agent.checks.run import run_specs
from llava_agent.checks.spec import Spec, parse_spec
from llava_agent.checks.visual import expect_visual
from llava_agent.egress import AllowList
from llava_agent.errors import ConfigError
from tools.browser import BrowserSession

PAGE = """<!doctype html><title>Sign in</title><h1>Sign in</h1><label>Name <input></label>
<label>Token <input id=token></label><button onclick="greet()">Go</button><p id=said>Nobody yet</p>
<p>Now 12:30</p><p id=clock></p>
<script>function greet() { alert('hi'); said.textContent = 'Hello ' + token.value.length }
setInterval(() => clock.textContent = 'tick ' + performance.now(), 50)</script>"""


def spec(page: str, expect: list[dict[str, Any]], **more: Any) -> Spec:
    return Spec.model_validate({"name": "sign in", "page": page, "expect": expect, **more})


async def test_each_variant_is_checked_with_its_own_baseline(tmp_path: Path) -> None:
    (tmp_path / "p.html").write_text(
        "<meta name=viewport content='width=device-width'><p id=a></p>"
        "<script>const dark = matchMedia('(prefers-color-scheme: dark)').matches;"
        "a.textContent = navigator.language + innerWidth + dark</script>"
    )
    one = spec(
        "p.html",
        [{"pattern": "*"}, {"matches": {"baseline": "b.png"}}],
        viewports=[[400, 300], [500, 300]],
        themes=["dark"],
        locales=["de-DE"],
    )
    result = await run_specs([(tmp_path / "s.yaml", one)], update_baselines=True, jobs=2)
    assert [found.name for found in result.specs] == ["sign in [400x300]", "sign in [500x300]"]
    assert [found.verdicts[0].read for found in result.specs] == ["de-DE400true", "de-DE500true"]
    stored = {one.path.name for found in result.specs for one in found.written}
    assert stored == {"b-400x300.png", "b-500x300.png"}
    assert [written.change for found in result.specs for written in found.written] == ["new", "new"]
    again = await run_specs([(tmp_path / "s.yaml", one)], update_baselines=True, jobs=2)
    assert [written.change for found in again.specs for written in found.written] == ["unchanged"] * 2


async def test_a_secret_is_typed_and_in_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.html").write_text(PAGE)
    monkeypatch.setenv("CHECK_TOKEN", "hunter2-hunter2")
    one = spec(
        "p.html",
        [{"shows": "Hello 15"}, {"shows": "no hunter2-hunter2"}],
        steps=[{"type": {"into": "Token", "secret": "CHECK_TOKEN"}}, {"click": "Go"}],
        timeout=1,
    )
    result = await run_specs([(tmp_path / "s.yaml", one)])
    assert [verdict.status for verdict in result.specs[0].verdicts] == ["pass", "fail"], result.specs[0]
    assert "hunter2" not in str(result.as_dict())
    monkeypatch.delenv("CHECK_TOKEN")
    result = await run_specs([(tmp_path / "s.yaml", one)])
    assert "CHECK_TOKEN is not set" in result.specs[0].problem


async def test_a_page_that_never_rests_and_one_that_never_answers_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llava_agent.checks.look.subject.LOOK_SECONDS", 2.0)
    (tmp_path / "rest.html").write_text(PAGE)
    (tmp_path / "hang.html").write_text("<p>Hi</p><script>setTimeout(() => { for (;;); }, 200)</script>")
    result = await run_specs(
        [
            (tmp_path / "a.yaml", spec("hang.html", [{"shows": "Bye"}], timeout=1)),
            (tmp_path / "b.yaml", spec("rest.html", [{"shows": "tick"}, {"shows": "Sign in"}])),
        ]
    )
    assert "did not answer" in result.specs[0].problem
    assert result.specs[1].status == "pass"


def _running_browser() -> psutil.Process:
    while True:
        for process in psutil.Process().children(recursive=True):
            if _browser(process):
                return process
        time.sleep(0.2)


def _browser(process: psutil.Process) -> bool:
    words = process.cmdline()
    return any("--proxy-server" in word for word in words) and not any("--type=" in word for word in words)


async def test_a_browser_that_is_killed_is_an_error_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "p.html").write_text(PAGE)
    specs = [
        (tmp_path / "a.yaml", spec("p.html", [{"shows": "Never"}], timeout=20)),
        (tmp_path / "b.yaml", spec("p.html", [{"shows": "Sign in"}])),
    ]
    running = asyncio.create_task(run_specs(specs))
    browser = await asyncio.to_thread(_running_browser)
    await asyncio.sleep(2)
    os.kill(browser.pid, signal.SIGKILL)
    result = await running
    assert [found.status for found in result.specs] == ["error", "pass"]
    assert "browser" in result.specs[0].problem


async def test_a_first_spec_holds_on_its_page_and_leaves_out_what_changes(tmp_path: Path) -> None:
    (tmp_path / "p.html").write_text(PAGE)
    made = await first_spec("p.html", tmp_path)
    text = written(made)
    assert "Nobody yet" in text and "heading" in text and "tick" not in text and "12:30" not in text
    assert {"state": {"name": "Go", "role": "button", "is": "enabled"}} in made["expect"]
    result = await run_specs([(tmp_path / "s.yaml", parse_spec(text))])
    assert result.status == "pass", [v.detail for v in result.specs[0].verdicts if v.status != "pass"]


def test_baselines_are_not_updated_in_ci_unless_asked() -> None:
    refuse_in_ci({})
    refuse_in_ci({"CI": "false"})
    refuse_in_ci({"CI": "true"}, asked=True)
    with pytest.raises(ConfigError, match="--in-ci"):
        refuse_in_ci({"GITHUB_ACTIONS": "true"})


async def test_a_page_of_the_asynchronous_api_is_awaited() -> None:
    async with BrowserSession(AllowList.of("http://127.0.0.1/")) as session:
        seen = expect_visual(session.page, timeout=0.1)
        await session.page.set_content("<h1>Orders</h1><script>console.error('no totals')</script>")
        await seen.to_show("Orders")
        with pytest.raises(AssertionError, match="no totals"):
            await seen.to_have_no_errors()
        await seen.to_have_no_errors(ignore=("totals",))
