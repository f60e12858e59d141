"""axe-core over every page, light and dark: no serious violation. Needs `npm ci --prefix tests/ui/axe`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.ui.conftest import Closed, log_in

AXE = Path(__file__).parent / "axe" / "node_modules" / "axe-core" / "axe.min.js"
DESKS = [
    ("member", ("ask", "desk", "agent", "keys")),
    ("approver", ("approvals",)),
    ("auditor", ("admin",)),
    ("policy_officer", ("admin",)),
]


def violations(page: Page) -> list[Any]:
    """What axe calls serious or critical: rule, how many, and the first element."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[Any] = page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(all => all.violations"
        ".filter(one => ['serious', 'critical'].includes(one.impact))"
        ".map(one => [one.id, one.nodes.length, one.nodes[0].html.slice(0, 200)]))"
    )
    return found


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: npm ci --prefix tests/ui/axe")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_violation(closed: Closed, chromium: Browser, scheme: Any) -> None:
    found = {}
    for role, desks in DESKS:
        context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
        page = context.new_page()
        page.goto(f"{closed.url}/login")
        found["login"] = violations(page)
        log_in(page, closed, role)
        for desk in desks:
            page.goto(f"{closed.url}/?desk={desk}")
            page.wait_for_selector("[role=tabpanel]:visible :is(button, input, .card)")
            rooms = page.locator("#admin-desk nav button").all_inner_texts() if desk == "admin" else []
            if desk == "admin":
                page.wait_for_selector("#admin-desk nav button")
                rooms = page.locator("#admin-desk nav button").all_inner_texts()
            for name in rooms or [""]:
                if name:
                    page.locator("#admin-desk nav").get_by_role("button", name=name).click()
                    page.wait_for_selector(f"#admin-desk button[aria-current]:has-text('{name}')")
                found[f"{desk} {name}"] = violations(page)
        context.close()
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
