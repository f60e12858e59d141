"""Who sees which desk, on a server with login, in a real browser: what it sends decides who gets in."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from llava_agent.service.auth.identity import MACHINE
from llava_agent.ui.frame import account_line
from tests.ui.conftest import PATIENCE, Closed, log_in

expect.set_options(timeout=PATIENCE)


@pytest.mark.parametrize(
    ("name", "sees", "not_shown"),
    [("member", ["Ask", "Photo desk", "Agent desk"], []), ("admin", [], ["Ask", "Photo desk", "Agent desk"])],
)
def test_tabs_follow_the_role(
    closed: Closed, chromium: Browser, name: str, sees: list[str], not_shown: list[str]
) -> None:
    page = chromium.new_page(viewport={"width": 1200, "height": 800})
    log_in(page, closed, name)
    expect(page.locator(".account")).to_contain_text(name)
    for title in sees:
        expect(page.get_by_role("tab", name=title)).to_be_visible()
    for title in not_shown:
        expect(page.get_by_role("tab", name=title)).to_have_count(0)
    page.close()


def test_an_address_opens_a_desk_and_the_way_out_ends_the_session(closed: Closed, chromium: Browser) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    log_in(page, closed, "member", "/?desk=agent")
    expect(page.locator("#agent-goal")).to_be_visible()
    expect(page.get_by_role("tab", name="Agent desk")).to_have_attribute("aria-selected", "true")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    page.goto(closed.url)
    expect(page).to_have_url(f"{closed.url}/login?next=/")
    page.close()


def test_this_machines_user_has_no_account_to_leave() -> None:
    assert account_line(MACHINE, True) == ""
