"""What the photo desk does for its page: follow an inspection, show a record, keep what a person changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llava_agent.errors import ConfigError, ImageError
from llava_agent.gateway.principal import Principal
from llava_agent.ui.cards import hint_card, problem_card, waiting_card
from llava_agent.ui.desk import words

if TYPE_CHECKING:
    from llava_agent.service.desk import Desk
    from llava_agent.service.store.records import Record

#: Seconds between two looks at a run.
LOOK_S = 0.3
#: Records that the page offers to open again.
_LISTED = 30


def check_photos(paths: list[str]) -> str:
    """The quality of each photo as soon as it is there."""
    from llava_agent.inspection.quality import measure
    from llava_agent.service.store.photos import plain_name
    from llava_agent.ui.desk.view import quality_card
    from tools.photo import load_image

    if not paths:
        return hint_card(words.HINT)
    try:
        return quality_card([(plain_name(path), measure(load_image(path).image)) for path in paths])
    except ImageError as error:
        return problem_card(error)


async def follow(
    desk: Desk, who: Principal, paths: Sequence[str], asset: str, record: str = ""
) -> AsyncIterator[tuple[str, str]]:
    """Store the photos, let the worker inspect them, and say how it goes: card, and the record at the end.

    Whoever leaves the page loses nothing: the run goes on and its record is there later.

    Args:
        record: that the photos are added to, as the answer to what it asks for; empty for a new one.
    """
    from llava_agent.inspection.intake import take_in
    from llava_agent.service.work.inspect import KIND

    if not paths:
        raise ImageError(words.NO_PHOTOS, words.NO_PHOTOS_MEND)
    photos = list((await asyncio.to_thread(desk.records.get, who, record)).photos) if record else []
    for path in paths:
        taken = await asyncio.to_thread(take_in, Path(path), desk.intake)
        stored, _ = await asyncio.to_thread(desk.photos.add, who, taken, name=Path(path).name, asset=asset)
        photos.append(stored.id)
    request = {"photos": photos, "asset": asset, "record": record or None}
    run = await asyncio.to_thread(desk.begin, who, KIND, request)
    yield waiting_card(words.WAITING), ""
    while not run.over:
        await asyncio.sleep(LOOK_S)
        run = await asyncio.to_thread(desk.runs.get, who, run.id)
        said = [one for one in await asyncio.to_thread(desk.runs.events, who, run.id) if one.kind == "look"]
        if said and not run.over:
            told = {key: said[-1].body[key] for key in ("name", "at", "of")}
            yield waiting_card(words.LOOKING.format(**told)), ""
    if run.state != "done" or run.result is None:
        raise ConfigError(f"the inspection ended as {run.state} ({run.reason})", "try it again")
    yield check_photos(list(paths)), run.result["record"]


def show(desk: Desk, who: Principal, record: Record) -> str:
    """The record with its photos and what changed since the last one of its asset."""
    from llava_agent.inspection.compare import compare
    from llava_agent.inspection.document import read_document
    from llava_agent.ui.desk.view import inspection_view
    from tools.photo import load_image

    images = [load_image(desk.photos.content(who, id)) for id in record.photos]
    document, before = read_document(record.body), desk.records.before(who, record)
    changes = compare(read_document(before.body), document) if before is not None else ()
    shown = {image.sha256: image.image for image in images}
    return inspection_view(document, shown, changes, record.id, locked=record.state in ("filing", "filed"))


def confirm(desk: Desk, who: Principal, id: str, changed: str, asset: str) -> Record:
    """The record with its table as a person left it, confirmed.

    Args:
        changed: JSON of `inspection.revise.Edits`.
    """
    from llava_agent.inspection.document import read_document
    from llava_agent.inspection.revise import read_edits, revise

    if not id:
        raise ConfigError(words.NO_RECORD, words.NO_RECORD_MEND)
    record = desk.records.get(who, id)
    document = revise(read_document(record.body), read_edits(changed))
    body = document.model_dump(mode="json")
    named = asset.strip() or record.asset or _identity(body["lines"])
    return desk.records.change(who, id, record.version, body=body, asset=named, confirmed=True)


def earlier(desk: Desk, who: Principal) -> list[tuple[str, str]]:
    """Label and id of the last records."""
    return [
        (
            words.OLD_LINE.format(
                date=f"{one.created:%Y-%m-%d %H:%M}",
                asset=one.asset or words.NO_ASSET,
                state=words.STATES.get(one.state, one.state),
            ),
            one.id,
        )
        for one in desk.records.list(who, limit=_LISTED).items
    ]


def _identity(lines: list[dict[str, str]]) -> str:
    """What a person wrote in names the equipment, too."""
    found = {one["key"]: one["value"] for one in lines if one["kind"] == "plate"}
    return found.get("asset_tag") or found.get("serial_number") or ""
