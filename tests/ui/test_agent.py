"""The agent desk: what waits for a person, as that person uses it; what comes from elsewhere is no markup."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from llava_agent.checks.served import Served
from llava_agent.service.store.ids import now
from llava_agent.service.store.runs import Event
from llava_agent.ui.agent.view import approval_card, question_card
from llava_agent.ui.agent.watch import paused, waits
from tests.ui.conftest import PATIENCE, Site
from tests.ui.test_cards import NASTY
from tests.ui.test_page import act

expect.set_options(timeout=PATIENCE)


def said(*kinds: str) -> list[Event]:
    body = {"id": "a", "text": "Which pump?"}
    return [Event(number, now(), kind, body) for number, kind in enumerate(kinds, 1)]


def test_what_is_open_follows_from_the_events() -> None:
    question, approval = waits(said("question", "approval"))
    assert question is not None and question.key == "1" and approval is not None and approval.key == "a"
    assert waits(said("question", "answered")) == (None, None)
    assert waits(said("approval", "decided")) == (None, None)
    assert waits(said("question", "approval", "again")) == (None, None)
    assert paused(said("pause")) and not paused(said("pause", "resume")) and not paused([])


def test_nothing_of_an_action_is_markup() -> None:
    body = {"text": NASTY, "line": NASTY, "address": NASTY, "effect": NASTY, "why": NASTY}
    for html in (question_card(body), approval_card(body, True), approval_card(body, False)):
        assert "<img" not in html and "&lt;img" in html


def test_an_action_waits_for_its_approval(page: Page, site: Site, tmp_path: Path) -> None:
    (tmp_path / "shop.html").write_text(
        "<title>Shop</title><h1>Order</h1><form onsubmit=\"document.body.textContent = 'Deleted for good';"
        ' return false"><button>Delete order</button></form>'
    )
    with Served(tmp_path) as base:
        act(page, 'Click "Delete order"', f"{base}/shop.html", "Deleted for good")
        expect(page.locator("#agent-asked [role=alert]")).to_contain_text('click "Delete order" button')
        expect(page.locator("#agent-asked")).to_contain_text("what destroys something or costs money")
        (waiting,) = page.request.get(f"{site.url}/api/approvals").json()["items"]
        assert waiting["requester"] == "agent" and waiting["role"] == "approver"
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.locator("#agent-pause").click()
        expect(page.locator("#agent-pause")).to_have_text("Go on")
        page.locator("#agent-approve").click()
        expect(page.locator("#agent-asked")).to_be_hidden()
        page.locator("#agent-pause").click()
        expect(page.locator("#agent-card .result.passed")).to_be_visible()
        page.locator("#agent-replay").click()  # the same steps, and asked about again
        expect(page.locator("#agent-replay")).to_be_disabled()
        page.locator("#agent-approve").click()
        expect(page.locator("#agent-card .result.passed")).to_be_visible()
        runs = page.request.get(f"{site.url}/api/runs?kind=task").json()["items"]
        assert runs[0]["request"]["replay"] == runs[1]["id"] and runs[0]["result"]["models"] == {}
    assert page.request.get(f"{site.url}/api/approvals").json()["items"] == []
    page.reload()
    page.get_by_role("tab", name="Agent desk").click()
    page.get_by_label("Runs").click()
    page.get_by_role("option").filter(has_text="Delete order").first.click()
    expect(page.locator("#agent-card .result.passed")).to_be_visible()
    expect(page.locator("#agent-steps li")).to_have_count(2)
