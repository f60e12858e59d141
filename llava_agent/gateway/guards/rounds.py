"""One look of all guards at all texts and images of a call, within a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from llava_agent.gateway.guards.finding import Finding, Guard, Place, checked
from llava_agent.gateway.guards.images import ReadImage

Text = tuple[str, Place]
ReadImages = Callable[[bytes], ReadImage]

#: Name of the guard that reads images; the others then look at what it read.
IMAGES = "images"


@dataclass(slots=True)
class Round:
    """What was looked at and found.

    Attributes:
        status: of each guard; one that was not reached stays `not_run`.
        found: by guard, for each text in order.
        images: those that were read.
        lines: by guard, for each image, kinds by line.
    """

    status: dict[str, Literal["ran", "not_run", "error"]]
    found: dict[str, list[tuple[Finding, ...]]] = field(default_factory=dict)
    images: list[ReadImage] = field(default_factory=list)
    lines: dict[str, list[dict[int, tuple[str, ...]]]] = field(default_factory=dict)

    @property
    def failed(self) -> list[str]:
        return [name for name, status in self.status.items() if status == "error"]


def look(
    guards: Sequence[Guard],
    texts: Sequence[Text],
    images: Sequence[bytes],
    read: ReadImages,
    seconds: float,
) -> Round:
    """Run every guard over everything. Whatever goes wrong in one is its `error`, and so is running late.

    The guards run in a thread of their own, since nothing else can end the wait for one that hangs; that
    thread is left behind.
    """
    round = Round({IMAGES: "not_run", **{guard.name: "not_run" for guard in guards}})
    deadline = time.monotonic() + seconds
    worker = threading.Thread(target=_all, args=(round, guards, texts, images, read), daemon=True)
    worker.start()
    worker.join(max(0.0, deadline - time.monotonic()))
    if worker.is_alive():
        # A copy: the thread that was left behind may still write into its own.
        late: dict[str, Literal["ran", "not_run", "error"]] = dict(round.status)
        first = next(
            (name for name in _order(guards) if late[name] == "not_run" and _due(name, images)), None
        )
        if first is not None:
            late[first] = "error"
        elif not any(status == "error" for status in late.values()):
            late[_order(guards)[-1]] = "error"
        return Round(late)
    return round


def _order(guards: Sequence[Guard]) -> list[str]:
    return [IMAGES, *(guard.name for guard in guards)]


def _due(name: str, images: Sequence[bytes]) -> bool:
    return name != IMAGES or bool(images)


def _all(
    round: Round, guards: Sequence[Guard], texts: Sequence[Text], images: Sequence[bytes], read: ReadImages
) -> None:
    if images:
        try:
            round.images = [read(image) for image in images]
        except Exception:
            # What it says may hold content; that it failed is all that is told.
            round.status[IMAGES] = "error"
            return
        round.status[IMAGES] = "ran"
    for guard in guards:
        try:
            round.found[guard.name] = [checked(guard.look(text, place), len(text)) for text, place in texts]
            round.lines[guard.name] = [_lines(guard, image) for image in round.images]
        except Exception:
            round.status[guard.name] = "error"
            return
        round.status[guard.name] = "ran"


def _lines(guard: Guard, image: ReadImage) -> dict[int, tuple[str, ...]]:
    return image.findings(lambda text: checked(guard.look(text, "image"), len(text)))
