"""UI checks in a real browser: pages, their twins with one injected defect, pictures, and what is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from llava_agent.checks.expectation import Expectation
from llava_agent.checks.judge import judge
from llava_agent.checks.junit import write_junit
from llava_agent.checks.report import write_report
from llava_agent.checks.run import run_specs
from llava_agent.checks.sighting import Part, Sighting, Word
from llava_agent.checks.spans import folded
from llava_agent.checks.spec import Spec, read_spec, read_specs
from llava_agent.checks.verdict import CheckResult, worst
from llava_agent.errors import ConfigError
from tests.ui.words import PHOTOS
from tests.vlm.embedded_models import photo
from tools.geometry import Box

PAGE = """<!doctype html><title>Orders</title><h1>Orders</h1>
<p>Total: <b>42 EUR</b></p><label>Customer <input value="Ada"></label>
<button>Save changes</button><button {state}>Delete</button>
<p>{long}</p><div style="height:1800px"></div><p>{below}</p>
<script>setTimeout(() => {{ document.querySelector('h1').textContent = '{late}' }}, 300)</script>"""
GOOD = {
    "state": "disabled",
    "long": "word " * 90 + "at the end",
    "below": "Far below",
    "late": "Orders of today",
}
EXPECT: list[dict[str, Any]] = [
    {"shows": "orders of today"},
    {"shows": "word at the end"},
    {"shows": "Far below"},
    {"not_shows": "Error"},
    {"text": "Save changes"},
    {"text": "Ada"},
    {"count": {"role": "button", "equals": 2}},
    {"state": {"name": "Delete", "is": "disabled"}},
    {"state": {"name": "Save changes", "is": "enabled"}},
]


def spec(page: str, expect: list[dict[str, Any]], **more: Any) -> Spec:
    return Spec.model_validate({"name": "orders", "page": page, "expect": expect, **more})


def written(folder: Path, **defect: str) -> Path:
    path = folder / "page.html"
    path.write_text(PAGE.format(**(GOOD | defect)))
    return folder / "orders.yaml"


async def statuses(file: Path, one: Spec, **more: Any) -> tuple[CheckResult, list[str]]:
    result = await run_specs([(file, one)], **more)
    return result, [verdict.status for verdict in result.specs[0].verdicts]


async def test_a_page_that_is_right_passes_with_its_regions(tmp_path: Path) -> None:
    result, found = await statuses(written(tmp_path), spec("page.html", EXPECT))
    assert found == ["pass"] * len(EXPECT), [v.detail for v in result.specs[0].verdicts]
    assert result.exit_code == 0
    below = result.specs[0].verdicts[2]
    assert below.by == "dom" and below.box is not None and below.box.y1 < 750
    page, images = write_report(result, tmp_path / "report")
    assert "text is exactly" in page.read_text() and len(images) >= 6
    assert all(path.is_file() for path in images.values())


@pytest.mark.parametrize(
    ("defect", "broken"),
    [
        ({"late": "Orders of 2day"}, 0),
        ({"below": ""}, 2),
        ({"below": "Far below Error"}, 3),
        ({"state": ""}, 7),
        ({"state": "hidden"}, 6),
    ],
)
async def test_one_injected_defect_fails_the_expectation_that_it_breaks(
    tmp_path: Path, defect: dict[str, str], broken: int
) -> None:
    result, found = await statuses(written(tmp_path, **defect), spec("page.html", EXPECT, timeout=0.8))
    assert found[broken] == "fail"
    assert result.specs[0].verdicts[broken].detail
    assert result.exit_code == 1


async def test_steps_come_first_and_one_that_cannot_be_done_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        """<!doctype html><label>Name <input></label><select aria-label="Size"><option>S<option>L</select>
        <button onclick="document.body.append('Hello ' + document.querySelector('input').value +
        document.querySelector('select').value)">Greet</button>"""
    )
    steps = [
        {"type": {"into": "Name", "text": "Ada"}},
        {"select": {"of": "Size", "option": "L"}},
        {"click": "Greet"},
    ]
    file = tmp_path / "s.yaml"
    _, found = await statuses(file, spec("page.html", [{"shows": "Hello AdaL"}], steps=steps))
    assert found == ["pass"]
    result, _ = await statuses(
        file, spec("page.html", [{"shows": "x"}], steps=[{"click": "Gone"}], timeout=0.3)
    )
    assert result.exit_code == 2 and "Gone" in result.specs[0].problem


async def test_a_picture_is_read_from_its_pixels() -> None:
    expect: list[dict[str, Any]] = [
        {"shows": "SN-48213"},
        {"not_shows": "SN-99999"},
        {"shows": "SN-99999"},
        {"state": {"name": "NORPUMP", "is": "enabled"}},
        {"asks": "the pump is blue"},
    ]
    result, found = await statuses(PHOTOS / "spec.yaml", spec("pump.jpg", expect))
    assert found == ["pass", "pass", "fail", "uncertain", "uncertain"]
    assert result.specs[0].verdicts[0].by == "ocr"
    assert result.exit_code == 1


async def test_a_baseline_is_written_once_and_compared_afterwards(tmp_path: Path) -> None:
    file = written(tmp_path, late="Orders")
    one = spec("page.html", [{"matches": {"baseline": "base/orders.png"}}], timeout=0.6)
    assert (await statuses(file, one))[1] == ["error"]
    assert (await statuses(file, one, update_baselines=True))[1] == ["pass"]
    assert (await statuses(file, one))[1] == ["pass"]
    written(tmp_path, late="Everything else")
    page = tmp_path / "page.html"
    page.write_text(page.read_text().replace("<h1>Orders</h1>", "<h1>Everything else</h1>"))
    result, found = await statuses(file, one)
    assert found == ["fail"]
    box = result.specs[0].verdicts[0].box
    assert box is not None and box.y1 < 120
    masked = spec(
        "page.html", [{"matches": {"baseline": "base/orders.png", "masks": [[0, 0, 1000, 120]]}}], timeout=0.6
    )
    assert (await statuses(file, masked))[1] == ["pass"]


def sighting(*texts: str, whole: bool = True) -> Sighting:
    words = tuple(
        Word(word, run, False, Box(0, run, 9, run + 1))
        for run, text in enumerate(texts, start=1)
        for word in text.split()
    )
    return Sighting((Part((), photo(), words),), exact=True, whole=whole)


@given(st.lists(st.text(max_size=12), max_size=5), st.from_regex(r"\S.{0,5}", fullmatch=True))
def test_shows_and_not_shows_never_agree(texts: list[str], wanted: str) -> None:
    assume(folded(wanted))
    seen = sighting(*texts)
    shows = judge(Expectation(shows=wanted), seen, Path(), None).status
    hides = judge(Expectation(not_shows=wanted), seen, Path(), None).status
    assert {shows, hides} == {"pass", "fail"}


def test_what_was_not_seen_whole_is_not_said_to_be_absent() -> None:
    seen = sighting("a", whole=False)
    for one in (Expectation(shows="b"), Expectation(not_shows="b")):
        assert judge(one, seen, Path(), None).status == "uncertain"


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        (("yes", "no"), "pass"),
        (("no", "yes"), "fail"),
        (("yes", "yes"), "uncertain"),
        (("no", "no"), "uncertain"),
    ],
)
def test_a_models_word_counts_only_where_it_denies_the_opposite(
    answers: tuple[str, str], status: str
) -> None:
    said = iter(answers)
    verdict = judge(Expectation(asks="it is red"), sighting(), Path(), lambda _, __: (next(said), 0.8))
    assert (verdict.status, verdict.by, verdict.confidence) == (status, "model", 0.8)


async def test_junit_counts_doubt_as_failure_and_survives_any_text(tmp_path: Path) -> None:
    seen = sighting("x\x00y")
    verdicts = tuple(
        judge(one, seen, Path(), None)
        for one in (Expectation(shows="x"), Expectation(shows="\x01<z>"), Expectation(asks="it is red"))
    )
    from llava_agent.checks.verdict import SpecResult

    result = CheckResult(
        (SpecResult("a", Path("a.yaml"), verdicts, 1.0), SpecResult("b", Path("b.yaml"), (), 0.1, "no page"))
    )
    write_junit(result, tmp_path / "out" / "junit.xml", {id(verdicts[0]): Path("images/a.png")})
    root = ElementTree.parse(tmp_path / "out" / "junit.xml").getroot()
    first, second = root
    assert (first.get("tests"), first.get("failures"), first.get("errors")) == ("3", "2", "0")
    assert second.get("errors") == "1"
    assert "ATTACHMENT|images/a.png" in (first[0][0].text or "")
    assert result.exit_code == 1


def test_the_worst_decides_and_nothing_is_no_pass() -> None:
    assert worst(["pass", "uncertain"]) == "uncertain"
    assert worst(["pass", "error", "fail"]) == "fail"
    assert worst([]) == "error"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\npage: b\nexpect: []\n", "expect"),
        ("name: a\npage: b\nexpect: [{shows: x, text: y}]\n", "exactly one key"),
        ("name: a\npage: b\nexpect: [{show: x}]\n", "show"),
        ("name: a\npage: b\nexpect: [{state: {name: x, is: blue}}]\n", "enabled"),
    ],
)
def test_a_wrong_spec_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_spec(path)


def test_a_folder_of_specs_is_read_and_an_empty_one_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no spec"):
        read_specs([tmp_path])
    (tmp_path / "a.yaml").write_text("name: a\npage: b\nexpect: [{shows: x}]\n")
    assert [one.name for _, one in read_specs([tmp_path])] == ["a"]


async def test_a_page_that_is_not_there_does_not_stop_the_others(tmp_path: Path) -> None:
    specs = [
        (tmp_path / "a.yaml", spec("http://127.0.0.1:9/", [{"shows": "x"}])),
        (tmp_path / "b.yaml", spec("gone.html", [{"shows": "x"}])),
        (PHOTOS / "c.yaml", spec("pump.jpg", [{"shows": "SN-48213"}])),
    ]
    result = await run_specs(specs)
    assert [one.status for one in result.specs] == ["error", "error", "pass"]
    assert result.exit_code == 2
