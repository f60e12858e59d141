"""A stored record as the files that people pass on."""

from __future__ import annotations

from llava_agent.gateway.principal import Principal
from llava_agent.inspection.compare import compare
from llava_agent.inspection.document import read_document
from llava_agent.inspection.draw import draw
from llava_agent.inspection.export import to_csv, to_pdf
from llava_agent.service.store.photos import Photos
from llava_agent.service.store.records import Record, Records
from tools.photo import load_image


def record_csv(record: Record) -> bytes:
    """The table, with the mark by which spreadsheets know UTF-8."""
    return to_csv(read_document(record.body)).encode("utf-8-sig")


def record_pdf(record: Record, records: Records, photos: Photos, who: Principal) -> bytes:
    """The record with its photos and what changed since the last one of the same asset."""
    document = read_document(record.body)
    images = [load_image(photos.content(who, id)) for id in record.photos]
    before = records.before(who, record)
    changes = compare(read_document(before.body), document) if before is not None else ()
    about = [
        ("Record", record.id),
        ("Made", f"{record.created:%Y-%m-%d %H:%M} UTC by {record.owner}"),
        ("State", f"{record.state}{f' ({record.reason})' if record.reason else ''}"),
    ]
    drawn = draw(document, {image.sha256: image.image for image in images})
    return to_pdf(document, drawn, title="Inspection record", about=about, changes=changes)
