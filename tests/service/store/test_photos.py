"""Photos: stored once, seen by their tenant alone, and gone only when nothing rests on them."""

from __future__ import annotations

import pytest

from llava_agent.errors import ConfigError, Conflict, NotFound
from llava_agent.gateway.principal import Principal
from llava_agent.service.store.idempotency import RequestKey
from llava_agent.service.store.photos import plain_name
from tests.service.stores import ADA, BOB, TWIN, Store, picture


def test_what_is_stored_comes_back(store: Store) -> None:
    image = picture()
    photo, new = store.photos.add(ADA, image, name="C:\\fakepath\\pump\x00.png", asset=" P-1 ")
    assert new and photo.name == "pump.png" and photo.asset == "P-1"
    assert (photo.width, photo.height) == (32, 24)
    assert store.photos.content(ADA, photo.id) == image.content
    assert store.photos.get(ADA, photo.id) == photo


@pytest.mark.parametrize("other", [BOB, TWIN], ids=["colleague", "tenant"])
def test_others_see_nothing(store: Store, other: Principal) -> None:
    photo, _ = store.photos.add(ADA, picture(), name="a.png")
    for call in (store.photos.get, store.photos.content, store.photos.delete):
        with pytest.raises(NotFound, match=photo.id):
            call(other, photo.id)
    assert store.photos.list(other).items == ()


def test_pages_hold_while_others_add(store: Store) -> None:
    made = [store.photos.add(ADA, picture(), name=f"{n}.png")[0].id for n in range(5)]
    first = store.photos.list(ADA, limit=2)
    store.photos.add(ADA, picture(), name="late.png")
    seen = [photo.id for photo in first.items]
    cursor = first.next
    while cursor:
        page = store.photos.list(ADA, cursor=cursor, limit=2)
        seen += [photo.id for photo in page.items]
        cursor = page.next
    assert seen == sorted(made, reverse=True)


@pytest.mark.parametrize("cursor", ["%", "é", "////"])
def test_a_made_up_cursor_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(ConfigError, match="cursor"):
        store.photos.list(ADA, cursor=cursor)
    with pytest.raises(ConfigError, match="201"):
        store.photos.list(ADA, limit=201)


def test_the_same_key_makes_one_photo(store: Store) -> None:
    image = picture()
    key = RequestKey.of("k1", {"name": "a.png"}, image.content)
    photo, new = store.photos.add(ADA, image, name="a.png", key=key)
    again, new_again = store.photos.add(ADA, image, name="a.png", key=key)
    assert new and not new_again and again == photo
    other = RequestKey.of("k1", {"name": "a.png"}, b"other content")
    with pytest.raises(Conflict, match="another request"):
        store.photos.add(ADA, image, name="a.png", key=other)
    assert store.photos.add(BOB, image, name="a.png", key=key)[1]
    assert len(store.photos.list(ADA).items) == 1


def test_a_photo_that_a_record_rests_on_stays(store: Store) -> None:
    photo, _ = store.photos.add(ADA, picture(), name="a.png")
    record, _ = store.records.add(ADA, {}, [photo.id])
    with pytest.raises(Conflict, match=record.id):
        store.photos.delete(ADA, photo.id)
    store.records.delete(ADA, record.id)
    store.photos.delete(ADA, photo.id)
    with pytest.raises(NotFound):
        store.photos.get(ADA, photo.id)


def test_names_of_files_are_harmless() -> None:
    assert plain_name("../../etc/passwd") == "passwd"
    assert plain_name("a\u202egnp.exe") == "agnp.exe"
    assert plain_name("<b>x</b>.png") == "b>.png"
    assert plain_name("\n") == "photo"
    assert len(plain_name("x" * 999)) == 200
