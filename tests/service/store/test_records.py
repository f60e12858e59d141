"""Records: two people on one record, and filing that happens once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from llava_agent.errors import Conflict, NotFound
from llava_agent.service.store.ids import now
from llava_agent.service.store.records import Record
from tests.service.stores import ADA, BOB, Store, picture


@pytest.fixture
def record(store: Store) -> Record:
    photos = [store.photos.add(ADA, picture(), name=f"{n}.png")[0].id for n in range(2)]
    return store.records.add(ADA, {"lines": []}, photos[::-1], asset="P-1")[0]


def test_a_record_keeps_its_photos_in_order(store: Store, record: Record) -> None:
    assert record.state == "draft" and record.version == 1 and len(record.photos) == 2
    assert record.photos == tuple(sorted(record.photos, reverse=True))
    assert store.records.list(ADA, asset="P-1").items == (record,)
    assert store.records.list(ADA, asset="P-2").items == ()
    with pytest.raises(NotFound):
        store.records.get(BOB, record.id)
    with pytest.raises(NotFound, match="photo"):
        store.records.add(BOB, {}, record.photos)


def test_of_two_changes_one_wins(store: Store, record: Record) -> None:
    changed = store.records.change(ADA, record.id, 1, body={"lines": [1]})
    assert changed.version == 2 and changed.body == {"lines": [1]}
    with pytest.raises(Conflict, match="version 2, not 1"):
        store.records.change(ADA, record.id, 1, body={"lines": [2]})
    with pytest.raises(NotFound):
        store.records.change(BOB, record.id, 2, body={})


def test_a_change_takes_the_confirmation_back(store: Store, record: Record) -> None:
    confirmed = store.records.change(ADA, record.id, 1, confirmed=True)
    assert confirmed.state == "confirmed"
    assert store.records.change(ADA, record.id, 2, asset="P-2").state == "draft"
    with pytest.raises(Conflict, match="draft"):
        store.records.begin_filing(ADA, record.id, 3)


def test_only_one_of_many_files_it(store: Store, record: Record) -> None:
    store.records.change(ADA, record.id, 1, confirmed=True)

    def file(_: int) -> bool:
        try:
            store.records.begin_filing(ADA, record.id, 2)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(file, range(6))) == 1
    with pytest.raises(Conflict, match="being filed"):
        store.records.delete(ADA, record.id)
    store.records.end_filing(ADA, record.id, "filed", "", {"number": 7})
    filed = store.records.get(ADA, record.id)
    assert filed.state == "filed" and filed.filed == {"number": 7}
    with pytest.raises(Conflict, match="filed"):
        store.records.change(ADA, record.id, filed.version, body={})


def test_what_was_cut_off_while_filing_is_never_sent_again(store: Store, record: Record) -> None:
    store.records.change(ADA, record.id, 1, confirmed=True)
    store.records.begin_filing(ADA, record.id, 2)
    assert store.records.cut_off("the service stopped", now() - timedelta(hours=1)) == 0
    assert store.records.cut_off("the service stopped", now() + timedelta(seconds=1)) == 1
    found = store.records.get(ADA, record.id)
    assert found.state == "unknown" and found.reason == "the service stopped"
    with pytest.raises(Conflict, match="unknown"):
        store.records.begin_filing(ADA, record.id, found.version)
