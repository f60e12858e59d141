"""The admin desk, the approvals and the keys as each role uses them, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from llava_agent.errors import PermissionDenied
from llava_agent.gateway.approvals import Approval
from llava_agent.gateway.audit.search import newest
from llava_agent.gateway.ledger import Entry
from llava_agent.gateway.place import POLICY, SHIPPED
from llava_agent.gateway.principal import ROLES, Principal
from llava_agent.service.auth.identity import MACHINE, Identity
from llava_agent.service.auth.rights import rights
from llava_agent.ui.admin import section
from llava_agent.ui.admin.approvals import inbox
from llava_agent.ui.elements import area, boxes, field, hidden, note, secret, select
from llava_agent.ui.forms import Sent, read
from tests.ui.conftest import PATIENCE, Closed, log_in
from tests.ui.test_cards import NASTY

expect.set_options(timeout=PATIENCE)
WIDE, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def opened(closed: Closed, chromium: Browser) -> Iterator[dict[str, Page]]:
    """Pages by role, closed afterwards."""
    pages: dict[str, Page] = {}
    yield pages
    for page in pages.values():
        page.context.close()


def desk(
    opened: dict[str, Page], chromium: Browser, closed: Closed, role: str, path: str, size: dict[str, int]
) -> Page:
    page = opened[role] = chromium.new_context(viewport=size).new_page()  # type: ignore[arg-type]
    log_in(page, closed, role, path)
    return page


def room(page: Page, name: str) -> None:
    page.locator("#admin-desk nav").get_by_role("button", name=name).click()


def test_an_admin_makes_changes_and_shuts_an_account(
    closed: Closed, chromium: Browser, opened: dict[str, Page]
) -> None:
    page = desk(opened, chromium, closed, "admin", "/?desk=admin", WIDE)
    form = page.locator("#admin-desk form.card")
    form.get_by_label("Name").fill("Nora")
    form.get_by_role("button", name="Add account").click()
    expect(page.locator("#admin-desk .secret")).to_contain_text("One-time password of nora")
    password = page.locator("#admin-desk .secret code").inner_text()
    assert closed.service.door.log_in("nora", password)
    row = page.locator("#admin-desk tr").filter(has_text="nora")
    row.get_by_text("Change", exact=True).click()
    row.get_by_label("approver").check()
    row.get_by_role("button", name="Save").click()
    expect(page.locator("#admin-desk .note")).to_contain_text("nora is changed")
    nora = closed.service.users.find("nora")
    assert nora is not None and nora.roles == {"member", "approver"}
    row.get_by_text("Change", exact=True).click()
    row.get_by_label("admin", exact=True).check()
    row.get_by_role("button", name="Save").click()
    expect(page.locator("#admin-desk [role=alert]")).to_contain_text("cannot be combined")
    row.get_by_text("Change", exact=True).click()
    row.get_by_role("button", name="Disable").click()
    expect(row).to_contain_text("disabled")
    records = newest(closed.service.database, kind="user changed").records
    assert {one["body"]["user"] for one in records} == {"admin"}
    room(page, "Policy")
    expect(page.get_by_role("button", name="Check")).to_be_visible()
    expect(page.get_by_role("button", name="Put in force")).to_have_count(0)
    expect(page.locator("#admin-desk nav button")).to_have_text(["Accounts", "Policy", "Usage", "Budgets"])


def test_a_policy_officer_is_shown_the_line_the_effect_and_puts_a_change_in_force(
    closed: Closed,
    chromium: Browser,
    opened: dict[str, Page],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine = tmp_path / "policy.yaml"
    shipped = SHIPPED.read_text(encoding="utf-8")
    mine.write_text(shipped, encoding="utf-8")
    monkeypatch.setenv(POLICY, str(mine))
    closed.service.ledger.write(Entry("r", 1, "act", "choose", "embedded-text", "text", "", user="member"))
    page = desk(opened, chromium, closed, "policy_officer", "/?desk=admin", WIDE)
    text = page.get_by_label("The policy in force (YAML)")
    wrong = mine.read_text().replace("tier_only_rises:", "tier_only_rise:")
    text.fill(wrong)
    page.get_by_role("button", name="Put in force").click()
    alert = page.locator("#admin-desk [role=alert]")
    expect(alert).to_contain_text("did you mean 'tier_only_rises'?")
    selected = text.evaluate("one => one.value.slice(one.selectionStart, one.selectionEnd)")
    assert selected == "tier_only_rise: false" and text.input_value() == wrong
    assert mine.read_text() == shipped
    right = mine.read_text().replace(
        "# No budgets", "  - {name: not for members, deny: all, when: {role: [member]}}\n\n# No budgets"
    )
    text.fill(right)
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#admin-desk .diff .more").first).to_contain_text("not for members")
    row = page.locator("#admin-desk tr").filter(has_text="not for members")
    expect(row.first).to_contain_text("refused")
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("#admin-desk [role=status]").first).to_contain_text("no model may and can")
    page.get_by_role("button", name="Put in force").click()
    expect(page.locator("#admin-desk [role=status]").first).to_contain_text("In force: version")
    assert mine.read_text() == right
    said = page.locator("#admin-desk [role=status]").first
    first, again = said.inner_text(), right.replace("currency: EUR", "currency: USD")
    text.fill(again)
    page.get_by_role("button", name="Put in force").click()
    expect(said).not_to_have_text(first)
    expect(said).to_contain_text("In force: version")
    assert mine.read_text() == again
    assert SHIPPED.read_text() == shipped


def test_an_approver_decides_on_a_phone_what_others_ask_for(
    closed: Closed, chromium: Browser, opened: dict[str, Page]
) -> None:
    page = desk(opened, chromium, closed, "approver", "/?desk=approvals", PHONE)
    expect(page.locator("#approvals-desk")).to_contain_text("Nothing waits for you")
    approvals = closed.service.desk.approvals
    approver = closed.service.users.find("approver")
    assert approver is not None
    own = approvals.request({"verb": "click"}, approver.principal(), summary="click Own")
    asked = approvals.request({"verb": "click"}, Principal("member"), summary="click Pay 12 EUR", run="r7")
    refused = approvals.request({"verb": "type"}, Principal("member"), summary="type in the other form")
    card = page.locator("#approvals-desk form.approval").filter(has_text="click Pay 12 EUR")
    expect(card).to_contain_text("member asks")  # it comes by itself
    expect(card).to_contain_text("run r7")
    expect(page.locator("#approvals-desk")).not_to_contain_text("click Own")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    box = card.get_by_role("button", name="Approve").bounding_box()
    assert box is not None and box["height"] >= 44 and box["width"] >= 120
    card.get_by_label("Reason").fill("seen on the phone")
    card.get_by_role("button", name="Approve").click()
    expect(page.locator("#approvals-desk [role=status]")).to_contain_text("Approved: click Pay")
    other = page.locator("#approvals-desk form.approval").filter(has_text="type in the other form")
    other.get_by_role("button", name="Refuse").click()
    expect(page.locator("#approvals-desk [role=status]")).to_contain_text("Refused")
    found = [approvals.get(one.id) for one in (own, asked, refused)]
    assert [one.state for one in found if one] == ["waiting", "approved", "refused"]
    assert found[1] is not None and (found[1].reason, found[1].decider) == ("seen on the phone", "approver")


def test_an_auditor_reads_everything_and_changes_nothing(
    closed: Closed, chromium: Browser, opened: dict[str, Page]
) -> None:
    closed.service.accounts.change(Principal("admin"), "member", department="qa")
    closed.service.ledger.write(
        Entry("r", 2, "perceive", "choose", "m-vision", "vision", "", cost="0.5", user="member")
    )
    page = desk(opened, chromium, closed, "auditor", "/?desk=admin", PHONE)
    expect(page.locator("#admin-desk")).to_contain_text("approver")
    expect(page.get_by_role("button", name="Add account")).to_have_count(0)
    room(page, "Usage")
    expect(page.locator("#admin-desk svg rect").first).to_be_visible()
    page.get_by_label("and by").select_option("user")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#admin-desk table")).to_contain_text("member")
    with page.expect_download() as download:
        page.get_by_role("link", name="As CSV").click()
    assert Path(download.value.path()).read_text(encoding="utf-8-sig").startswith("model,user,calls")
    room(page, "Budgets")
    expect(page.locator("#admin-desk")).to_contain_text("no budgets")
    room(page, "Audit log")
    page.get_by_role("button", name="Verify the chain").click()
    expect(page.locator("#admin-desk [role=status]").first).to_contain_text("the chain is whole")
    page.get_by_label("What happened").fill("user changed")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#admin-desk table")).to_contain_text("department=qa")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_member_makes_and_revokes_a_key(closed: Closed, chromium: Browser, opened: dict[str, Page]) -> None:
    page = desk(opened, chromium, closed, "member", "/?desk=keys", PHONE)
    page.get_by_label("What it is for").fill("laptop")
    page.get_by_role("button", name="Make the key").click()
    key = page.locator("#keys-desk .secret code").inner_text()
    assert closed.service.tokens.find(key) is not None
    page.locator("#keys-desk tr").filter(has_text="laptop").get_by_role("button", name="Revoke").click()
    expect(page.locator("#keys-desk [role=status]")).to_contain_text("is revoked")
    assert closed.service.tokens.find(key) is None


@pytest.mark.parametrize("role", ROLES)
def test_no_form_does_more_than_the_role_may(closed: Closed, role: str) -> None:
    """Whatever a browser sends: acts of rooms that were never shown, too."""
    held = rights([role])  # type: ignore[list-item]
    identity = Identity(Principal(role, roles=frozenset({role})), held, "session")  # type: ignore[arg-type]
    before = closed.service.users.all()
    for act in ("accounts:add", "accounts:change", "accounts:disable", "accounts:password", "policy:save"):
        values = {"name": ["agent_service"], "roles": ["admin"], "text": ["version: 1\n"]}
        try:
            html = section.answer(closed.service, identity, Sent(act, values))
        except PermissionDenied:
            continue
        if role != "admin":
            assert "you may not do this" in html or act.split(":")[0] not in html or 'role="alert"' in html
    if role != "admin":
        assert closed.service.users.all() == before


def test_this_machines_own_user_reads_and_edits_but_manages_no_accounts(closed: Closed) -> None:
    html = section.answer(closed.service, MACHINE, Sent("open", {}))
    assert "accounts:open" in html and "accounts:add" not in html and "policy:open" in html


def test_nothing_that_is_put_in_is_markup() -> None:
    waiting = Approval("i", "h", NASTY, "approver", "t", NASTY, NASTY, "waiting", 0, 9e9, None, "", "")
    for html in (
        inbox([waiting]),
        field("a", NASTY, NASTY),
        area("a", NASTY, f"</textarea>{NASTY}", rows=2),
        select("a", NASTY, [(NASTY, NASTY)]),
        boxes("a", NASTY, [NASTY]),
        hidden("a", NASTY),
        note(NASTY),
        secret(NASTY, NASTY, NASTY),
    ):
        assert "<img" not in html and 'onerror="' not in html


@pytest.mark.parametrize(
    "data", [None, [], "x", {"act": 3}, {"values": []}, {"act": "a", "values": {"n": ["v", 4], "m": "x"}}]
)
def test_what_is_no_form_is_read_as_nothing(data: object) -> None:
    sent = read(data)
    assert isinstance(sent.act, str) and sent.one("nothing") == "" and set(sent.many("n")) <= {"v"}
