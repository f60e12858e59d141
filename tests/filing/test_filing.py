"""A record into a real other system: once, approved as the policy asks, read back, found after a kill."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

import pytest

from llava_agent.errors import Conflict, LlavaAgentError, PermissionDenied
from llava_agent.filing import api
from llava_agent.gateway.audit.verify import verify
from llava_agent.service.filing.desk import FilingDesk
from llava_agent.service.filing.target import Incomplete
from llava_agent.service.store.filings import Filing
from tests.filing.conftest import OtherSystem
from tests.filing.records import APPROVER, LINES, confirmed, desk, line, target
from tests.filing.tunnel import Tunnel, serving, tunnel
from tests.service.stores import ADA, BOB, Store

ASK = "rules: []\notherwise: ask\n"


@pytest.fixture
def way(other: OtherSystem) -> Iterator[Tunnel]:
    with tunnel(other.url) as made:
        yield made


def filed(at: FilingDesk, record: str) -> Filing:
    return at.send(at.begin(ADA, record)[0])


def tickets(other: OtherSystem, record: str) -> list[dict[str, object]]:
    return [one.model_dump() for one in other.tickets.find(record)]


def test_it_is_filed_read_back_and_on_record(either: Store, other: OtherSystem, tmp_path: Path) -> None:
    store = either
    at, record = desk(store, tmp_path, target(tmp_path, other.url)), confirmed(store)
    filing = filed(at, record.id)
    assert (filing.state, filing.verified, filing.reason) == ("filed", True, "")
    (ticket,) = tickets(other, record.id)
    assert ticket["serial_number"] == "SN-48213" and ticket["pressure_bar"] == 17.2369
    assert filing.reference == str(ticket["id"]) and filing.link == f"{other.url}/tickets/{ticket['id']}"
    after = store.records.get(ADA, record.id)
    assert after.state == "filed" and after.filed is not None and after.filed["link"] == filing.link
    assert len(filing.photos) == 2 and filing.sent["serial_number"] == "SN-48213"
    records = [json.loads(text) for _, text, _ in at.audit.rows()]
    intent = next(one for one in records if one["sequence"] == filing.audit)
    assert intent["body"]["content_sha256"] == filing.content and intent["body"]["photos"] == filing.photos
    assert "SN-48213" not in json.dumps(records)
    outcome = next(one for one in records if one.get("of") == filing.audit)
    assert outcome["body"]["outcome"] == "filed" and outcome["body"]["read_back"] == "equal"
    assert verify(at.audit).whole
    with pytest.raises(Conflict, match=f"filed already \\({filing.reference}"):
        at.begin(ADA, record.id)
    with pytest.raises(LlavaAgentError, match="no record"):
        at.begin(BOB, record.id)


def test_what_is_missing_is_said(store: Store, other: OtherSystem, tmp_path: Path) -> None:
    at = desk(store, tmp_path, target(tmp_path, other.url))
    bad = [line("plate", "serial_number", "SN-1"), line("plate", "asset_tag", "P" * 41)]
    record = confirmed(store, lines=bad)
    preview = at.preview(ADA, record.id)
    assert [one.field for one in preview.parcel.problems] == ["asset_tag"]
    with pytest.raises(Incomplete, match="asset tag"):
        at.begin(ADA, record.id)
    with pytest.raises(Conflict, match="confirm it first"):
        at.begin(ADA, store.records.change(ADA, record.id, record.version, confirmed=False).id)
    assert tickets(other, record.id) == [] and at.filings.of(ADA, record.id) == ()


def test_what_the_other_system_refuses_is_told_in_its_words(
    store: Store, other: OtherSystem, tmp_path: Path
) -> None:
    at = desk(store, tmp_path, target(tmp_path, other.url))
    record = confirmed(store, lines=[line("plate", "asset_tag", "*#!"), *LINES[:2]])
    ended = filed(at, record.id)
    assert ended.state == "failed" and "asset_tag" in ended.reason and "HTTP 422" in ended.reason
    assert store.records.get(ADA, record.id).state == "failed" and tickets(other, record.id) == []


def test_an_approval_is_for_this_content_once(store: Store, other: OtherSystem, tmp_path: Path) -> None:
    at, record = desk(store, tmp_path, target(tmp_path, other.url, policy=ASK)), confirmed(store)
    filing, new = at.begin(ADA, record.id)
    assert new and filing.state == "waiting" and at.begin(ADA, record.id) == (filing, False)
    assert at.decided(filing).state == "waiting"
    with pytest.raises(Conflict, match="waiting"):
        at.send(filing)
    # The record changes after the approval: what was approved is not what would be sent.
    at.approvals.approve(filing.approval, APPROVER)
    ready = at.decided(filing)
    assert ready.state == "ready" and ready.approved_by == "lead"
    changed = {**record.body, "lines": [line("plate", "serial_number", "SN-2"), *LINES[1:]]}
    version = store.records.change(ADA, record.id, record.version, body=changed).version
    store.records.change(ADA, record.id, version, confirmed=True)
    assert "changed since" in at.send(ready).reason and tickets(other, record.id) == []
    again, _ = at.begin(ADA, record.id)
    assert again.content != filing.content
    at.approvals.approve(again.approval, APPROVER)
    assert at.send(at.decided(again)).state == "filed"
    approval = at.approvals.get(again.approval)
    assert approval is not None and approval.state == "consumed"
    assert [one["serial_number"] for one in tickets(other, record.id)] == ["SN-2"]


def test_refused_and_forbidden(store: Store, other: OtherSystem, tmp_path: Path) -> None:
    at, record = desk(store, tmp_path, target(tmp_path, other.url, policy="")), confirmed(store)
    filing, _ = at.begin(ADA, record.id)  # the shipped policy asks before a tool changes something
    at.approvals.refuse(filing.approval, APPROVER, "wrong pump")
    assert (
        at.decided(filing).state == "failed"
        and "lead refused it (wrong pump)" in at.decided(at.filings.get(ADA, filing.id)).reason
    )
    assert store.records.get(ADA, record.id).state == "confirmed"
    late, _ = at.begin(ADA, record.id)
    at.approvals.clock = lambda: late.asked.timestamp() + 9 * 3600
    assert at.decided(late).reason == "nobody approved it in time"
    never = desk(store, tmp_path, target(tmp_path, other.url, policy="rules: []\notherwise: deny\n"))
    with pytest.raises(PermissionDenied, match="forbids"):
        never.begin(ADA, record.id)
    assert tickets(other, record.id) == []


def test_of_many_at_once_one_is_sent(either: Store, way: Tunnel, other: OtherSystem, tmp_path: Path) -> None:
    store = either
    at, record = desk(store, tmp_path, target(tmp_path, way.url)), confirmed(store)
    filing, _ = at.begin(ADA, record.id)

    def send(_: int) -> str:
        try:
            return at.send(filing).state
        except Conflict:
            return "conflict"

    with ThreadPoolExecutor(4) as pool:
        ends = sorted(pool.map(send, range(4)))
    assert ends.count("filed") == 1 and way.posts == 1 and len(tickets(other, record.id)) == 1


@pytest.mark.parametrize(
    ("mode", "state", "there"), [("drop", "filed", 1), ("break", "filed", 1), ("lose", "failed", 0)]
)
def test_a_lost_answer_is_looked_up_and_never_sent_again(
    store: Store, way: Tunnel, other: OtherSystem, tmp_path: Path, mode: str, state: str, there: int
) -> None:
    at, record = desk(store, tmp_path, target(tmp_path, way.url)), confirmed(store)
    filing, _ = at.begin(ADA, record.id)
    way.mode = mode
    ended = at.send(filing)
    assert (ended.state, way.posts, len(tickets(other, record.id))) == (state, 1, there)
    assert store.records.get(ADA, record.id).state == state
    if state == "filed":
        assert ended.verified and "look-up" in ended.reason
    else:
        way.mode = "open"
        assert "never arrived" in ended.reason
        assert filed(at, record.id).state == "filed"


def test_what_is_there_differs_from_what_was_sent(store: Store, way: Tunnel, tmp_path: Path) -> None:
    at, record = desk(store, tmp_path, target(tmp_path, way.url)), confirmed(store)
    way.mode = "alter"
    filing = filed(at, record.id)
    assert filing.state == "filed" and filing.verified is False
    assert filing.reason == "serial number is SN-48218 there, sent was SN-48213"
    assert filing.differences == [{"field": "serial_number", "sent": "SN-48213", "there": "SN-48218"}]


def test_a_server_that_is_down_costs_nothing(store: Store, other: OtherSystem, tmp_path: Path) -> None:
    with tunnel(other.url) as way:
        at, record = desk(store, tmp_path, target(tmp_path, way.url)), confirmed(store)
        filing, _ = at.begin(ADA, record.id)
    ended = at.send(filing)
    assert ended.state == "failed" and "nothing was sent" in ended.reason
    assert store.records.get(ADA, record.id).state == "confirmed" and tickets(other, record.id) == []


class Killed(BaseException):
    """As a kill ends a process: nothing is caught, nothing is tidied up."""


@pytest.mark.parametrize("arrives", [True, False])
def test_a_kill_while_sending_leaves_unknown_and_a_look_decides(
    store: Store,
    other: OtherSystem,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arrives: bool,
) -> None:
    at, record = desk(store, tmp_path, target(tmp_path, other.url)), confirmed(store)
    filing, _ = at.begin(ADA, record.id)
    call = api.ApiDestination.send

    async def die(self: api.ApiDestination, *given: object) -> object:
        if arrives:
            await call(self, *given)  # type: ignore[arg-type]
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(api.ApiDestination, "send", die)
        at.send(filing)
    stuck = at.filings.get(ADA, filing.id)
    assert stuck.state == "sending" and store.records.get(ADA, record.id).state == "filing"
    with pytest.raises(Conflict):
        at.send(stuck)
    unknown = at.cut_off(stuck)
    assert unknown.state == "unknown" and "look in the other system" in unknown.reason
    with pytest.raises(Conflict, match="nobody knows"):
        at.begin(ADA, record.id)
    settled = at.look(unknown)
    assert settled.state == ("filed" if arrives else "failed")
    assert len(tickets(other, record.id)) == int(arrives)
    if not arrives:
        assert filed(at, record.id).state == "filed" and len(tickets(other, record.id)) == 1


def test_without_a_look_up_a_person_decides(store: Store, way: Tunnel, tmp_path: Path) -> None:
    one = target(tmp_path, way.url)
    blind = one.config.model_copy(update={"to": one.config.to.model_copy(update={"look_up": None})})
    at = desk(store, tmp_path, type(one)(blind, one.permission, one.beside))
    record = confirmed(store)
    filing, _ = at.begin(ADA, record.id)
    way.mode = "drop"
    unknown = at.send(filing)
    assert unknown.state == "unknown" and "look in the other system yourself" in unknown.reason
    settled = at.settle(ADA, filing.id, arrived=True, reference="4711")
    assert settled.state == "filed" and settled.reference == "4711" and settled.verified is None
    with pytest.raises(Conflict, match="settled"):
        at.settle(ADA, filing.id, arrived=False)


def test_no_host_but_the_named_one_is_spoken_to(other: OtherSystem, tmp_path: Path, store: Store) -> None:
    """A document that says its server is elsewhere does not lead there."""
    text = urlopen(f"{other.url}/openapi.json", timeout=10).read()
    document = {**json.loads(text), "servers": [{"url": "http://127.0.0.1:9"}]}
    with serving(json.dumps(document).encode()) as url:
        at = desk(store, tmp_path, target(tmp_path, url))
        with pytest.raises(PermissionDenied, match="not on the list"):
            at.begin(ADA, confirmed(store).id)
