"""Runs of the kind `inspect`: stored photos to a draft record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import sqlalchemy as sa

from llava_agent.assembly import Core
from llava_agent.gateway.ledger import Ledger
from llava_agent.gateway.principal import Principal
from llava_agent.inspection.document import read_document
from llava_agent.inspection.guidance import Search
from llava_agent.inspection.inspect import inspect_photos
from llava_agent.inspection.revise import carry_over
from llava_agent.service.store.photos import Photos
from llava_agent.service.store.records import Records
from llava_agent.service.work.job import Done, Handler, Job
from tools.photo import load_image

KIND = "inspect"


def inspector(
    core: Callable[[], Core],
    photos: Photos,
    records: Records,
    search: Callable[[Principal], Search | None] = lambda _: None,
) -> Handler:
    """What does such a run. It keeps nothing before its end, so one that was cut off simply begins anew.

    Args:
        search: the manuals as the owner of a run may read them.
    """
    return partial(_inspect, core, photos, records, search)


def _inspect(
    core: Callable[[], Core],
    photos: Photos,
    records: Records,
    search: Callable[[Principal], Search | None],
    job: Job,
) -> Done:
    ids: list[str] = job.run.request["photos"]
    loaded = []
    for id in ids:
        photo = photos.get(job.who, id)
        loaded.append((photo.name, load_image(photos.content(job.who, id))))
    parts = core()

    def look(name: str, at: int, of: int) -> None:
        job.say("look", {"photo": ids[at - 1], "name": name, "at": at, "of": of})

    found = inspect_photos(
        loaded,
        gateway=parts.gateway.recording(Ledger()),
        find=parts.find,
        search=search(job.who),
        run=job.run.id,
        progress=look,
    )
    job.check()
    body = found.as_dict()
    asset = job.run.request.get("asset") or found.asset
    earlier: str | None = job.run.request.get("record")

    def write(connection: sa.Connection) -> Mapping[str, Any]:
        if earlier is None:
            return {"record": records.insert(connection, job.who, body, ids, asset)}
        # A photo that was asked for: the record grows, and what a person wrote in it stays.
        before = records.get(job.who, earlier)
        whole = carry_over(read_document(before.body), read_document(body)).model_dump(mode="json")
        return {"record": records.extend(connection, job.who, earlier, before.version, whole, ids)}

    return Done({"lines": len(found.lines), "faults": len(found.faults)}, write)
