"""What the photos do not show well enough, and the photo that would."""

from __future__ import annotations

from collections.abc import Sequence

from llava_agent.agent.fact import Evidence
from llava_agent.inspection.finding import Line, Missing, Seen
from llava_agent.inspection.plate_words import FIELDS
from tools.geometry import Box

#: A line below this confidence is asked for again.
UNSURE = 0.6


def poor_photos(photos: Sequence[Seen]) -> tuple[Missing, ...]:
    """Photos to take again, with the reason that was measured."""
    found = []
    for at, photo in enumerate(photos, start=1):
        for one in photo.quality.complaints:
            which = f"photo {at}" if len(photos) > 1 else "the photo"
            x0, y0, x1, y1 = (one.box or Box(0, 0, photo.width, photo.height)).as_list()
            place = (Evidence(photo.sha256, (x0, y0, x1, y1), "", "pixels"),)
            found.append(Missing(f"{which} is {_STATE[one.trouble]}", f"{which}: {one.sentence}", place))
    return tuple(found)


_STATE = {
    "dark": "too dark",
    "blurred": "blurred",
    "glare": "hidden by a reflection in a part",
    "small": "too small",
}


def unread_gauges(boxes: Sequence[Box], sha256: str) -> tuple[Missing, ...]:
    """Gauges that were seen and could not be read."""
    return tuple(
        Missing(
            "a gauge was seen and could not be read",
            "take the gauge alone, straight from the front, until its numbers are sharp",
            (_place(box, sha256),),
        )
        for box in boxes
    )


def unread_fields(fields: Sequence[tuple[str, Box]], sha256: str) -> tuple[Missing, ...]:
    """Labels of a plate whose value could not be read."""
    return tuple(
        Missing(
            f"the plate has a field “{FIELDS[key].name.lower()}” whose value could not be read",
            f"take the plate closer, so that the {FIELDS[key].name.lower()} is sharp",
            (_place(box, sha256),),
        )
        for key, box in fields
    )


def unsure_lines(lines: Sequence[Line]) -> tuple[Missing, ...]:
    """Lines that another photo should confirm."""
    return tuple(
        Missing(
            f"{line.name.lower()} was read as {line.value}, but not surely",
            f"take another photo of the {line.name.lower()}, closer and straight from the front",
            line.evidence,
        )
        for line in lines
        if line.confidence < UNSURE
    )


def contradictions(lines: Sequence[Line]) -> tuple[Missing, ...]:
    """Fields of which there can be one and several were read: of two plates, or one was misread."""
    found = []
    for key in ("asset_tag", "serial_number"):
        values = [line for line in lines if line.key == key]
        if len(values) > 1:
            said = " and ".join(line.value for line in values)
            found.append(
                Missing(
                    f"several values for {FIELDS[key].name.lower()}: {said}",
                    f"keep the {FIELDS[key].name.lower()} of this equipment and delete the others",
                    tuple(one for line in values for one in line.evidence),
                )
            )
    return tuple(found)


def identity(lines: Sequence[Line]) -> tuple[Missing, ...]:
    """Nothing says which equipment this is."""
    known = {"asset_tag", "serial_number", "model"}
    if any(line.key in known for line in lines):
        return ()
    return (
        Missing(
            "no photo shows which equipment this is",
            "take a photo of its nameplate or asset tag, close enough that the print fills the picture",
        ),
    )


def _place(box: Box, sha256: str) -> Evidence:
    x0, y0, x1, y1 = box.as_list()
    return Evidence(sha256, (x0, y0, x1, y1), "", "pixels")
