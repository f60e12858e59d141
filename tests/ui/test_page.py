"""The page as a visitor uses it, on a phone's viewport, in a real browser."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from examples.maintenance import serve
from llava_agent.assembly import Core, assemble
from llava_agent.errors import WeightsError
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.request import Candidate, Choice, ModelRequest
from llava_agent.vlm.weights import present
from tests.ui.conftest import PATIENCE, Site
from tests.ui.words import PHOTOS, Words, find_known

expect.set_options(timeout=PATIENCE)


@dataclass
class Hesitant(Words):
    """Says that it was asked, and waits for the test before it answers."""

    asked: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    def choose(self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str]) -> Choice:
        self.asked.set()
        assert self.go.wait(PATIENCE / 1000)
        return super().choose(request, candidates, verbs)


def ask(page: Page, question: str) -> None:
    page.set_input_files("#ask-photo input[type=file]", PHOTOS / "pump.jpg")
    expect(page.locator("#ask-photo img")).to_be_visible()
    page.locator("#ask-question").locator("input, textarea").fill(question)
    page.click("#ask-button")


def act(page: Page, goal: str, url: str, shows: str = "") -> None:
    page.get_by_role("tab", name="Agent desk").click()
    page.locator("#agent-goal textarea").fill(goal)
    page.locator("#agent-url").locator("input, textarea").fill(url)
    page.locator("#agent-shows").locator("input, textarea").fill(shows)
    page.click("#agent-start")


def test_a_photo_and_a_question_give_an_answer_with_its_evidence(page: Page, site: Site) -> None:
    page.click("#ask-button")
    expect(page.locator("#ask-answer [role=alert]")).to_contain_text("there is no image yet")
    ask(page, "What is the serial number?")
    expect(page.locator("#ask-answer .answer")).to_have_text("SN-48213")
    expect(page.locator("#ask-answer .sure")).to_contain_text("90 % sure")
    expect(page.locator("#ask-evidence img")).to_be_visible()
    page.get_by_role("button", name="JSON").click()
    expect(page.locator("#ask-json")).to_contain_text("image_sha256")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    photo, card = page.locator("#ask-photo").bounding_box(), page.locator("#ask-answer").bounding_box()
    assert photo and card and card["y"] > photo["y"] + photo["height"]  # one column on a phone


def test_a_problem_is_one_sentence_on_the_page(page: Page, site: Site) -> None:
    def missing() -> Core:
        raise WeightsError("the weights are not there", "fetch them with: llava-agent models pull <embedded>")

    site.core = missing
    ask(page, "What is the serial number?")
    sentence = "the weights are not there: fetch them with: llava-agent models pull <embedded>."
    expect(page.locator("#ask-answer [role=alert]")).to_have_text(sentence)
    expect(page.locator("#ask-evidence")).to_be_hidden()
    act(page, "log in", "http://127.0.0.1:9")
    expect(page.locator("#agent-card [role=alert]")).to_have_text(sentence)
    site.core = lambda: Core(Gateway({}), find_known)
    act(page, "log in", " ")
    expect(page.locator("#agent-card [role=alert]")).to_contain_text("there is no page to work on")


def test_steps_arrive_and_the_report_opens(page: Page, site: Site, tmp_path: Path) -> None:
    with serve(tmp_path / "tickets.db") as url:
        act(page, 'Click "New ticket"', url, "Submit ticket")
        expect(page.locator("#agent-card .result.passed")).to_be_visible()
    expect(page.locator("#agent-steps li")).to_have_count(2)
    expect(page.locator("#agent-steps li").first).to_contain_text('click "New ticket" link')
    expect(page.locator("#agent-steps li").first).to_have_class("held")
    expect(page.locator("#agent-picture img")).to_be_visible()
    expect(page.locator("#agent-stop")).to_be_disabled()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open the report").click()
    report = opened.value
    expect(report.locator("article")).to_have_count(2)
    image = report.locator("article image, article img").first
    expect(image).to_be_visible()
    report.close()


def test_stop_ends_a_run_and_still_reports_it(page: Page, site: Site, tmp_path: Path) -> None:
    model = Hesitant()
    site.core = lambda: Core(Gateway({model.name: model}), find_known)
    with serve(tmp_path / "tickets.db") as url:
        act(page, "See to the pump", url)  # no part of it can be done without a model
        assert model.asked.wait(PATIENCE / 1000)
        page.click("#agent-stop")
        expect(page.locator("#agent-card")).to_contain_text("stopping")
        model.go.set()
        expect(page.locator("#agent-card .answer")).to_have_text("stopped after 0 steps")
    address = page.get_by_role("link", name="Open the report").get_attribute("href")
    assert address
    response = page.request.get(f"{site.url}{address}")
    assert response.ok and "interrupted" in response.text()
    assert "default-src 'none'" in response.headers["content-security-policy"]


def test_nothing_but_this_server_was_asked(page: Page, site: Site) -> None:
    page.get_by_role("tab", name="Agent desk").click()
    page.wait_for_timeout(500)  # for what a page loads late
    asked = {host for host in site.hosts if host}
    assert asked == {urlsplit(site.url).netloc}
    html = page.request.get(site.url).text()
    assert "fonts.googleapis" not in html and "cdnjs" not in html
    assert "<title>llava-agent</title>" in page.request.get(f"{site.url}/favicon.ico").text()


@pytest.mark.skipif(not present("embedded"), reason="the embedded weights are not pulled")
def test_the_embedded_model_reads_the_nameplate(page: Page, site: Site) -> None:
    site.core = assemble
    ask(page, "What is the serial number?")
    expect(page.locator("#ask-answer .answer")).to_have_text("SN-48213")
    page.get_by_role("button", name="JSON").click()
    expect(page.locator("#ask-json")).to_contain_text("embedded-vision")
