"""The model lab as a researcher uses it: what drove an answer, two models, curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from llava_agent.lab.runs import training_runs
from llava_agent.ui.lab.curves import Line, plot
from llava_agent.ui.lab.view import comparison_view, explanation_view, runs_view
from tests.service.routes.test_lab_api import QUESTION, training
from tests.ui.conftest import PATIENCE, Site
from tests.ui.test_cards import NASTY
from tests.ui.words import PHOTOS

expect.set_options(timeout=PATIENCE)

ANSWER: dict[str, Any] = {"answer": NASTY, "confidence": 0.5, "model": NASTY, "ms": {"total": 5.0}}


def result(after: str, other: str) -> dict[str, Any]:
    region = {
        "box": [1, 2, 3, 4],
        "share": 0.5,
        "text": NASTY,
        "role": "text",
        "pixels": 0.1,
        "instead": NASTY,
    }
    test = {
        "covered": [1, 2, 3, 4],
        "answer": after,
        "confidence": 0.2,
        "control": {"covered": [5, 6, 7, 8], "answer": other, "confidence": 0.9},
    }
    why = {"method": "occlusion", "regions": [region], "calls": 3, "seconds": 1.0, "deletion": test}
    return {**ANSWER, "why": why, "marks": 2}


def test_from_a_question_to_what_drove_its_answer(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/?desk=lab")
    page.click("#lab-show")
    expect(page.locator("#lab-card [role=alert]")).to_contain_text("there is no image yet")
    page.set_input_files("#lab-photo input[type=file]", PHOTOS / "pump.jpg")
    expect(page.locator("#lab-photo img")).to_be_visible()
    page.locator("#lab-question").locator("input, textarea").fill(QUESTION)
    page.click("#lab-show")
    expect(page.locator("#lab-card .answer")).to_have_text("SN-48213")
    expect(page.locator("ol.lab-regions li").first).to_contain_text("100% lost without it")
    expect(page.locator(".lab-test")).to_contain_text("Another region covered: SN-48213")
    heat = page.locator(".lab-why > img")
    expect(heat).to_be_visible()
    assert heat.evaluate("image => image.complete && image.naturalWidth") == 1200
    page.locator(".lab-marks summary").click()
    expect(page.locator(".lab-marks img")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_two_models_and_the_curves_of_a_run(page: Page, site: Site) -> None:
    training(site.runs)
    page.goto(f"{site.url}/?desk=lab")
    page.get_by_role("tab", name="Side by side").click()
    page.set_input_files("#lab-files input[type=file]", PHOTOS / "pump.jpg")
    page.locator("#lab-both-question").locator("input, textarea").fill(QUESTION)
    page.get_by_label("Second model").click()
    page.get_by_role("option", name="words").click()
    page.click("#lab-both")
    expect(page.locator("#lab-pairs .lab-same")).to_have_text("1 of 1 answers are the same")
    expect(page.locator(".lab-pair figcaption")).to_have_text(["auto", "words"])
    page.get_by_role("tab", name="Training runs").click()
    expect(page.locator(".lab-plot")).to_have_count(3)
    expect(page.locator(".lab-run")).to_contain_text("align · 3 of 3 steps · loss 3.0000")
    page.get_by_text("Files and weights").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="projector.safetensors").click()
    assert Path(download.value.path()).read_bytes() == b"weights"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_verdict_of_the_test_follows_from_its_answers() -> None:
    assert "The view holds" in explanation_view("r", result("other", NASTY))
    assert "stays although" in explanation_view("r", result(NASTY, NASTY))
    assert "also changes when another" in explanation_view("r", result("other", "other"))


def test_nothing_of_an_answer_or_a_run_is_markup(tmp_path: Path) -> None:
    row = {"name": NASTY, "same": False, "answers": [ANSWER, ANSWER]}
    folder = training(tmp_path, "<img src=x onerror=alert(1)>")
    (folder / "config.json").write_text('{"stage": "<img src=x>"}')
    for html in (
        explanation_view("r", result(NASTY, NASTY)),
        comparison_view("r", {"rows": [row], "same": 0, "models": [NASTY, NASTY]}),
        runs_view(training_runs(tmp_path)),
        plot(NASTY, [Line(NASTY, [(1, 2.0)], "red")]),
    ):
        assert "<img src=x" not in html and "&lt;img" in html
        assert 'onerror="' not in html


def test_a_plot_of_one_value_and_of_none() -> None:
    assert plot("Loss", [Line("a", [], "red")]) == ""
    assert "<circle" in plot("Loss", [Line("a", [(5, 0.0)], "red")])
    assert plot("Loss", [Line("a", [(1, 2.0), (2, 2.0)], "red")]).count("nan") == 0
