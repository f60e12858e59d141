"""Photos in, one inspection out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from llava_agent.agent.perceive import Eyes, question
from llava_agent.agent.picture import Find, find_marks
from llava_agent.errors import ConfigError
from llava_agent.gateway.gateway import Gateway
from llava_agent.inspection.faults import error_codes, likely_faults, off_scale, ranked
from llava_agent.inspection.finding import Fault, Inspection, Line, Missing, Seen, Word
from llava_agent.inspection.guidance import Search, next_steps
from llava_agent.inspection.instruments import read_displays, read_gauges, unread_gauges
from llava_agent.inspection.lamps import read_lamps
from llava_agent.inspection.missing import contradictions, identity, poor_photos, unread_fields, unsure_lines
from llava_agent.inspection.missing import unread_gauges as ask_for_gauges
from llava_agent.inspection.other import other_lines, other_words
from llava_agent.inspection.plate import read_plates
from llava_agent.inspection.plate_words import FIELDS, fits
from llava_agent.inspection.quality import measure
from tools.geometry import Box
from tools.photo import Photo

#: Photos of one inspection.
MOST_PHOTOS = 12
#: Fields that are asked of the model where no label names them.
_ASKED = ("serial_number", "model", "manufacturer")
#: An answer of the model below this is not shown.
_SURE = 0.75

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class _Found:
    """What one photo shows."""

    seen: Seen
    lines: tuple[Line, ...]
    faults: tuple[Fault, ...]
    missing: tuple[Missing, ...]
    words: tuple[Word, ...]


def inspect_photos(
    photos: Sequence[tuple[str, Photo]],
    *,
    gateway: Gateway | None = None,
    find: Find | None = None,
    search: Search | None = None,
    run: str = "",
    progress: Progress | None = None,
) -> Inspection:
    """Inspect photos of one piece of equipment.

    Args:
        photos: name and decoded photo, in the order in which they were taken.
        gateway: its vision model is asked for what no label names; None asks nothing.
        find: the detectors.
        search: the manuals.
        run: who pays for the model's calls.
        progress: called with what is done, its number and the number of photos.

    Raises:
        ConfigError: no photo, or more than `MOST_PHOTOS`.
    """
    if not 1 <= len(photos) <= MOST_PHOTOS:
        raise ConfigError(f"an inspection takes 1 to {MOST_PHOTOS} photos, not {len(photos)}", "choose fewer")
    began = time.perf_counter()
    eyes = Eyes(gateway, find) if gateway is not None else None
    found = []
    for number, (name, photo) in enumerate(photos, start=1):
        if progress:
            progress(name, number, len(photos))
        found.append(_look(name, photo, find or find_marks, eyes, run))
    lines = _merged([line for one in found for line in one.lines])
    faults = ranked([*likely_faults(lines), *(fault for one in found for fault in one.faults)])
    seen = tuple(one.seen for one in found)
    missing = (
        *poor_photos(seen),
        *(one for each in found for one in each.missing if not _known(one, lines)),
        *contradictions(lines),
        *unsure_lines(lines),
        *identity(lines),
    )
    steps = next_steps(faults, missing, lines, search)
    words = tuple(word for one in found for word in one.words)
    ms = {"total": (time.perf_counter() - began) * 1000}
    return Inspection(seen, lines, faults, steps, missing, words, ms)


def _look(name: str, photo: Photo, find: Find, eyes: Eyes | None, run: str) -> _Found:
    marks = eyes.marks(photo) if eyes is not None else tuple(find(photo))
    plates = read_plates(marks, photo.sha256)
    gauges = read_gauges(marks, photo.sha256)
    displays = read_displays(marks, plates.used, photo.sha256)
    lamps = read_lamps(photo.image, marks, plates.used, photo.sha256)
    asked = _ask(photo, plates.lines, eyes, run)
    known = (*plates.lines, *asked, *gauges, *displays, *lamps)
    used = [*plates.used, *(Box(*one.box) for line in known for one in line.evidence if one.box)]
    others = other_lines(marks, plates.pairs, used, photo.sha256)
    told = [*used, *(Box(*one.box) for line in others for one in line.evidence if one.box)]
    missing = (
        *ask_for_gauges(unread_gauges(marks), photo.sha256),
        *unread_fields(plates.unread, photo.sha256),
    )
    return _Found(
        Seen(photo.sha256, name, photo.image.width, photo.image.height, measure(photo.image)),
        (*known, *others),
        (*off_scale(marks, gauges), *error_codes(marks, plates.used, photo.sha256)),
        missing,
        other_words(marks, told, photo.sha256),
    )


def _ask(photo: Photo, lines: Sequence[Line], eyes: Eyes | None, run: str) -> tuple[Line, ...]:
    """What the model reads where no label says it: on a photo with a plate, and only what it can point at."""
    known = {line.key for line in lines}
    if eyes is None or not known:
        return ()
    taken = {one.box for line in lines for one in line.evidence}
    answers = []
    for key in _ASKED:
        if key in known:
            continue
        answer = eyes.ask(photo, question(FIELDS[key].name.lower()), run=run)
        placed = answer.visible and answer.evidence and answer.evidence[0].box is not None
        if not placed or answer.confidence < _SURE or not fits(key, answer.answer):
            continue
        if answer.evidence[0].box in taken:  # it stands there under another label
            continue
        evidence = tuple(replace(one, source="model") for one in answer.evidence)
        answers.append(Line("plate", key, FIELDS[key].name, answer.answer, answer.confidence, evidence))
    return tuple(answers)


def _merged(lines: Sequence[Line]) -> tuple[Line, ...]:
    """A value of a plate that several photos show is one line, and surer; different values stay apart."""
    kept: dict[tuple[str, str], Line] = {}
    readings = []
    for line in lines:
        if line.kind != "plate":
            readings.append(line)
            continue
        name = line.key, _bare(line.value)
        same = kept.get(name)
        if same is not None:
            surer = 1 - (1 - same.confidence) * (1 - line.confidence)
            line = replace(same, confidence=surer, evidence=(*same.evidence, *line.evidence))
        kept[name] = line
    order = list(FIELDS)
    plates = sorted(kept.values(), key=lambda line: (order.index(line.key), -line.confidence))
    return (*plates, *readings)


def _bare(value: str) -> str:
    return "".join(value.split()).lower()


def _known(one: Missing, lines: Sequence[Line]) -> bool:
    """Whether another photo shows the field that this one hides."""
    return any(f"“{line.name.lower()}”" in one.what for line in lines)
