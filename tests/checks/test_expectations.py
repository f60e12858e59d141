"""Each expectation on real pages: one that holds, and a page with the defect that it is there for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from llava_agent.checks.expectation import Expectation
from llava_agent.checks.judge import judge
from llava_agent.checks.look.page import look_at
from llava_agent.checks.sighting import Sighting
from llava_agent.checks.verdict import Verdict
from llava_agent.egress import AllowList
from tools.browser import BrowserSession

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = """<!doctype html><meta charset=utf-8><style>
body{font:16px sans-serif;margin:20px;background:#fff} td{border:1px solid} .w{width:9em;overflow:hidden}
button{background:#0a58ca;color:#fff;border:0;padding:8px 14px;transition:all .3s}</style>
<h1>Orders</h1><p id=a>Hex bolts</p><p id=b>Pump seal</p><p id=t>Total: <b>42</b> EUR</p>
<button id=s>Save changes</button> <button id=d style="background:#666">Delete</button>
<p><label>Town <input id=f value="Leeds" size=12></label></p><img id=i alt=Logo width=40 height=30
src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/%3E">"""
LID = "const l = document.createElement('div');"
LID += "l.style = 'position:fixed;pointer-events:none;background:#fff;{}';"
LID += "document.body.append(l)"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session() -> AsyncIterator[BrowserSession]:
    async with BrowserSession(AllowList.of("http://127.0.0.1/")) as session:
        yield session


async def seen(session: BrowserSession, script: str = "", page: str = PAGE) -> Sighting:
    await session.page.set_content(page)
    if script:
        await session.page.evaluate(
            "(code) => { for (const e of document.querySelectorAll('[id]')) window[e.id] = e; eval(code) }",
            script,
        )
    return await look_at(session.page)


def judged(sighting: Sighting, **one: Any) -> Verdict:
    return judge(Expectation.model_validate(one), sighting, Path(), None)


HOLDS: list[dict[str, Any]] = [
    {"shows": "total: 42 eur"},
    {"shows": {"name": "Orders", "role": "heading"}},
    {"not_shows": "Logo"},
    {"text": "Total: 42 EUR"},
    {"text": {"name": "Save changes", "role": "button"}},
    {"text": "Leeds"},
    {"pattern": "Total: ## @@@"},
    {"count": {"role": "button", "equals": 2}},
    {"state": {"name": "Save changes", "is": "enabled"}},
    {"colour": {"of": "Save changes", "is": "blue"}},
    {"colour": {"of": "Save changes", "is": "#0a58ca", "tolerance": 1}},
    {"colour": {"of": "Save changes", "is": "white", "part": "text"}},
    {"colour": {"of": "Hex bolts", "is": "black"}},
    {"contrast": "everything"},
    {"contrast": {"of": "Total: 42", "at_least": 20}},
    {"aligned": {"things": ["Hex bolts", "Pump seal", "Save changes"], "by": "left"}},
    {"aligned": {"things": ["Save changes", "Delete"], "by": "middle"}},
    {"no_overlap": "everything"},
    {"no_overlap": ["Save changes", "Delete"]},
    {"not_cut_off": "everything"},
    {"not_cut_off": "Pump seal"},
    {"order": ["Orders", "Hex bolts", "Pump seal", "Save changes", "Delete"]},
    {"above": ["Hex bolts", "Pump seal"]},
    {"below": ["Delete", "Pump seal"]},
    {"left_of": ["Save changes", "Delete"]},
    {"right_of": ["Delete", "Save changes"]},
    {"image": "Logo"},
    {"image": "everything"},
    {"no_errors": True},
]


async def test_all_hold_on_a_page_that_is_right(session: BrowserSession) -> None:
    sighting = await seen(session)
    failing = [(one, verdict) for one in HOLDS if (verdict := judged(sighting, **one)).status != "pass"]
    assert failing == []


UNSEEN = [
    ("t.style.color = '#fff'", "colour of its ground"),
    ("t.style.opacity = 0.02", "transparent"),
    ("t.style = 'width:3em;overflow:hidden;white-space:nowrap'", "cut off"),
    ("t.style = 'width:6em;overflow:hidden;white-space:nowrap;text-overflow:ellipsis'", "cut off"),
    ("t.style = 'position:absolute;left:-900px'", "outside the page"),
    ("t.style = 'visibility:hidden'", "hidden"),
    ("t.style = 'font-size:2px'", "too small"),
    (LID.format("left:0;right:0;top:0;height:100%"), ""),
    (LID.format("left:0;width:70px;top:0;height:100%"), "lies over"),
    ("t.style = 'filter:blur(6px)'", ""),
    ("t.style.display = 'none'", ""),
]


@pytest.mark.parametrize(("script", "said"), UNSEEN)
async def test_text_that_a_person_cannot_read_is_not_shown(
    session: BrowserSession, script: str, said: str
) -> None:
    sighting = await seen(session, script)
    for one in ({"shows": "Total: 42 EUR"}, {"text": "Total: 42 EUR"}, {"not_cut_off": "Total: 42 EUR"}):
        verdict = judged(sighting, **one)
        assert verdict.status == "fail" and said in verdict.detail, (one, verdict.detail)


DEFECTS = [
    ("s.style.background = '#b02a37'", {"colour": {"of": "Save changes", "is": "blue"}}),
    ("t.style.color = '#aaa'", {"contrast": "everything"}),
    ("t.style.color = '#aaa'", {"contrast": "Total: 42 EUR"}),
    ("b.style.marginLeft = '9px'", {"aligned": {"things": ["Hex bolts", "Pump seal"], "by": "left"}}),
    ("d.style.marginLeft = '-40px'", {"no_overlap": ["Save changes", "Delete"]}),
    ("b.style.marginTop = '-30px'", {"no_overlap": "everything"}),
    ("a.before(b)", {"order": ["Hex bolts", "Pump seal"]}),
    ("a.before(b)", {"above": ["Hex bolts", "Pump seal"]}),
    ("s.before(d)", {"left_of": ["Save changes", "Delete"]}),
    ("i.src = 'data:image/png;base64,AAAA'", {"image": "Logo"}),
    ("i.style.display = 'none'", {"image": "Logo"}),
    ("f.value = 'Leedss'", {"text": "Leeds"}),
    ("a.className = 'w'; a.textContent = 'M'.repeat(60)", {"not_cut_off": "everything"}),
    ("s.style.color = '#0a58ca'", {"state": {"name": "Save changes", "is": "enabled"}}),
    ("b.textContent = 'Hex bolts'", {"above": ["Hex bolts", "Save changes"]}),
]


@pytest.mark.parametrize(("script", "expect"), DEFECTS)
async def test_a_defect_does_not_pass(session: BrowserSession, script: str, expect: dict[str, Any]) -> None:
    assert judged(await seen(session), **expect).status == "pass"
    verdict = judged(await seen(session, script), **expect)
    assert verdict.status in ("fail", "uncertain") and verdict.detail


async def test_what_is_said_to_overlap_or_be_cut_off_is(session: BrowserSession) -> None:
    right = await seen(session)
    assert judged(right, overlaps=["Save changes", "Delete"]).status == "fail"
    assert judged(right, cut_off="Total: 42 EUR").status == "fail"
    broken = await seen(
        session, "d.style.marginLeft = '-40px'; t.style = 'width:3em;overflow:hidden;white-space:nowrap'"
    )
    assert judged(broken, overlaps=["Save changes", "Delete"]).status == "pass"
    assert judged(broken, cut_off="Total: 42 EUR").status == "pass"


async def test_what_is_hidden_on_purpose_is_no_finding(session: BrowserSession) -> None:
    page = PAGE + (
        "<a style='position:absolute;left:-9999px'>Skip to content</a>"
        "<span style='position:absolute;width:1px;height:1px;overflow:hidden'>For readers</span>"
        "<div style='max-height:0;overflow:hidden'>A closed section</div>"
        "<div style='height:3em;overflow:auto'>one<br>two<br>three<br>four<br>five</div>"
        "<details><summary>More</summary>Closed</details><input placeholder='Search' style='width:3em'>"
        "<p style='line-height:1;overflow:hidden'>Tight gjpq</p>"
    )
    sighting = await seen(session, page=page)
    for one in ("not_cut_off", "no_overlap", "contrast"):
        verdict = judged(sighting, **{one: "everything"})
        assert verdict.status == "pass", verdict.detail
    assert judged(sighting, shows="For readers").status == "fail"
    assert judged(sighting, shows="Closed").status == "fail"
    assert "scrolls" in judged(sighting, shows="five").detail
    assert judged(sighting, shows="Search").status == "pass"


async def test_text_of_images_frames_and_components_is_read(session: BrowserSession) -> None:
    page = PAGE + (
        "<canvas id=c width=300 height=60></canvas><iframe srcdoc='<b>Inside a frame</b>' height=60></iframe>"
        "<x-a></x-a><p style='background:linear-gradient(#00f,#f00);-webkit-background-clip:text;"
        "color:transparent;font:bold 30px sans-serif'>Gradient words</p>"
    )
    script = (
        "const g = c.getContext('2d'); g.font = '28px sans-serif'; g.fillText('Painted text', 5, 40);"
        "document.querySelector('x-a').attachShadow({mode: 'open'}).innerHTML = '<i>In a component</i>'"
    )
    sighting = await seen(session, script, page)
    for text in ("Inside a frame", "In a component", "Painted text", "Gradient words"):
        assert judged(sighting, shows=text).status == "pass", text
    assert judged(sighting, shows="Painted text").by == "ocr"
    assert judged(sighting, not_shows="Painted text").status == "fail"


async def test_a_name_that_several_bear_is_not_guessed(session: BrowserSession) -> None:
    sighting = await seen(session, "a.textContent = 'Save changes'")
    verdict = judged(sighting, colour={"of": "Save changes", "is": "blue"})
    assert verdict.status == "uncertain" and "add a role" in verdict.detail
    named = {"of": {"name": "Save changes", "role": "button"}, "is": "blue"}
    assert judged(sighting, colour=named).status == "pass"
    text = {"of": {"name": "Save changes", "role": "text"}, "is": "black"}
    assert judged(sighting, colour=text).status == "pass"


async def test_looking_leaves_the_page_as_it_was(session: BrowserSession) -> None:
    await session.page.set_content(PAGE + "<div style='height:2000px'></div>")
    # Playwright leaves an empty style where it hid the caret.
    html = "() => document.documentElement.outerHTML.replaceAll(' style=\"\"', '')"
    before = await session.page.evaluate(html)
    await look_at(session.page)
    assert await session.page.evaluate(html) == before
    assert await session.page.evaluate("() => scrollY") == 0
