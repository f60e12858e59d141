"""`llava-agent inspect`: photos of equipment to a record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llava_agent.commands.options import AsJson, Preset
from llava_agent.commands.output import note, print_json, say

if TYPE_CHECKING:
    from PIL import Image

    from llava_agent.inspection.compare import Change
    from llava_agent.inspection.document import InspectionDocument, StepDocument

PhotoFiles = Annotated[
    list[Path],
    typer.Argument(metavar="PHOTO...", help="Photos of one piece of equipment (JPEG, PNG, WebP, HEIC)."),
]


def inspect(
    photos: PhotoFiles,
    annotated: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the photo with its lines numbered (FILE-1, FILE-2, ... of several)."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Write inspection.json, .csv, .pdf and the numbered photos there."
        ),
    ] = None,
    pdf: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the record as PDF.")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table as CSV.")] = None,
    earlier: Annotated[
        Path | None,
        typer.Option(
            "--compare", metavar="JSON", help="Tell what changed since an earlier inspection (its JSON)."
        ),
    ] = None,
    model: Preset = "embedded",
    as_json: AsJson = False,
) -> None:
    """Inspect equipment on photos: plate fields, readings, likely faults, what to look at next.

    Every line names the region that shows it; what no photo shows is asked for, never guessed. Photos are
    read where they are, and nothing leaves this machine.

    \b
    Examples:
      llava-agent inspect examples/photos/pump.jpg
      llava-agent inspect plate.jpg gauge.jpg --out inspection
      llava-agent inspect today.jpg --compare last-week/inspection.json --pdf today.pdf
      llava-agent inspect pump.jpg --json
    """
    from llava_agent.assembly import assemble
    from llava_agent.database import open_database
    from llava_agent.gateway.principal import LOCAL
    from llava_agent.inspection.compare import compare
    from llava_agent.inspection.document import read_document
    from llava_agent.inspection.draw import draw
    from llava_agent.inspection.inspect import inspect_photos
    from llava_agent.inspection.manuals import Manuals
    from tools.photo import load_image

    before = read_document(_text(earlier)) if earlier is not None else None
    loaded = [(path.name, load_image(path)) for path in photos]
    core = assemble(model)
    found = inspect_photos(
        loaded,
        gateway=core.gateway,
        find=core.find,
        search=Manuals(open_database).of(LOCAL),
        progress=lambda name, at, of: note(f"  looking at {name} ({at} of {of})") if of > 1 else None,
    )
    document = read_document(found.as_dict())
    changes = compare(before, document) if before is not None else ()
    images = {photo.sha256: photo.image for _, photo in loaded}
    if annotated or out or pdf:
        drawn = draw(document, images)
        _write(document, changes, list(drawn.values()), drawn, annotated, out, pdf)
    if csv is not None or out is not None:
        from llava_agent.inspection.export import to_csv

        for path in filter(None, (csv, out / "inspection.csv" if out else None)):
            _save(path, to_csv(document).encode("utf-8-sig"))
    if as_json:
        print_json({**found.as_dict(), "changes": [change.as_dict() for change in changes]})
        return
    _print(document, changes)
    if out is not None:
        note(f"written to {out}")


def _write(
    document: InspectionDocument,
    changes: tuple[Change, ...],
    drawn: list[Image.Image],
    by_hash: dict[str, Image.Image],
    annotated: Path | None,
    out: Path | None,
    pdf: Path | None,
) -> None:
    """The numbered photos, the PDF and the JSON."""
    import io

    from llava_agent.inspection.export import to_pdf

    def picture(image: Image.Image, path: Path) -> None:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG" if path.suffix.lower() in (".jpg", ".jpeg") else "PNG")
        _save(path, buffer.getvalue())

    if annotated is not None:
        for number, image in enumerate(drawn, start=1):
            named = annotated.with_name(f"{annotated.stem}-{number}{annotated.suffix}")
            picture(image, annotated if len(drawn) == 1 else named)
    for path in filter(None, (pdf, out / "inspection.pdf" if out else None)):
        _save(path, to_pdf(document, by_hash, changes=changes))
    if out is not None:
        for number, image in enumerate(drawn, start=1):
            picture(image, out / f"photo-{number}.png")
        whole = json.dumps(document.model_dump(mode="json"), indent=2, ensure_ascii=False)
        _save(out / "inspection.json", whole.encode())


def _save(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    import os

    from llava_agent.errors import ToolError

    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise ToolError(f"{path} cannot be written ({error.strerror})", "give a path of yours") from error
    finally:
        part.unlink(missing_ok=True)


def _text(path: Path) -> str:
    from llava_agent.errors import ConfigError

    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(
            f"{path} cannot be read ({reason})", "give the JSON of an earlier inspection"
        ) from None


def _step(step: StepDocument) -> list[str]:
    return [step.do, *(f"“{one.quote}” ({one.place})" for one in step.citations)]


def _print(document: InspectionDocument, changes: tuple[Change, ...]) -> None:
    say(f"Asset: {document.asset or 'not read'}")
    for number, line in enumerate(document.lines, start=1):
        box = line.evidence[0].box if line.evidence else None
        place = f"  at {', '.join(map(str, box))}" if box else ""
        say(f"{number:>3}. {line.name:<18} {line.value:<22} {line.confidence:>4.0%}{place}")
    if not document.lines:
        say("  nothing was read")
    for heading, lines in (
        (
            "Likely faults",
            [f"{fault.what} ({fault.confidence:.0%}): {fault.because}" for fault in document.faults],
        ),
        ("Also on the photos", [", ".join(one.text for one in document.words)] if document.words else []),
        ("Changes", [change.sentence for change in changes]),
        ("Next steps", [said for step in document.steps for said in _step(step)]),
    ):
        if lines:
            say(f"{heading}:")
            for text in lines:
                say(f"  - {text}")
