"""A small world in memory: a form with two fields, a list, a checkbox and a button, on a page with pixels."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from PIL import Image

from tools.action import Action
from tools.geometry import Box
from tools.mark import Mark
from tools.observation import Notice, Observation, Outcome, Surface

ADDRESS = "http://form.test/new"


@dataclass
class Form(Surface):
    """A `Surface` whose Save files what was entered, once the name is given.

    Attributes:
        filed: what was saved.
        fails: the button answers with an HTTP error, while the page claims success.
        dead: the button does nothing at all.
        acts: verbs that reached the surface.
    """

    fails: bool = False
    dead: bool = False
    values: dict[str, str] = field(default_factory=lambda: {"name": "", "size": "", "colour": "red"})
    checked: bool = False
    saved: bool = False
    filed: list[dict[str, str]] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)
    looks: int = 0
    pixels: bool = True

    async def observe(self) -> Observation:
        self.looks += 1
        image = png(self.looks) if self.pixels else None
        notices = (Notice("http_error", "POST /new answered 500"),) if self.saved and self.fails else ()
        return Observation(
            id=f"look-{self.looks}",
            surface="page",
            address="http://form.test/saved" if self.saved else ADDRESS,
            title="Saved" if self.saved else "New",
            marks=self._marks(),
            screenshot=image,
            image_sha256=hashlib.sha256(image).hexdigest() if image else None,
            notices=notices,
        )

    def _marks(self) -> tuple[Mark, ...]:
        if self.saved:
            return (Mark("h", "heading", "The form was saved", Box(4, 4, 150, 20), "dom"),)
        states = ("checked",) if self.checked else ()
        return (
            Mark("name", "textbox", "Name", Box(4, 4, 150, 20), "dom", self.values["name"] or None),
            Mark("size", "textbox", "Size", Box(4, 24, 150, 40), "dom", self.values["size"] or None),
            Mark("colour", "combobox", "Colour", Box(4, 44, 150, 60), "dom", self.values["colour"]),
            Mark("urgent", "checkbox", "Urgent", Box(4, 64, 60, 80), "dom", None, states),
            Mark("off", "button", "Archive", Box(64, 64, 150, 80), "dom", None, ("disabled",)),
            Mark("save", "button", "Save", Box(4, 84, 60, 100), "dom"),
        )

    async def act(self, action: Action, observation: Observation) -> Outcome:
        self.acts.append(action.verb)
        target = getattr(action, "target", None)
        ref = target.ref if target is not None else None
        if target is not None and observation.mark(ref or "") is None:
            return Outcome(False, "not_found", f"there is no {ref!r} on the page")
        if action.verb == "type":
            if ref not in ("name", "size"):
                return Outcome(False, "not_a_field", "that takes no text")
            # The size field keeps digits only, as many real fields do.
            kept = action.text if ref == "name" else "".join(c for c in action.text if c.isdigit())
            self.values[ref] = kept
        elif action.verb == "select":
            if action.option not in ("red", "green"):
                return Outcome(False, "no_such_option", f"there is no option {action.option!r}")
            self.values["colour"] = action.option
        elif action.verb == "click" and ref == "urgent":
            self.checked = not self.checked
        elif action.verb == "click" and ref == "save" and not self.dead:
            self.saved = True
            self.filed.append(dict(self.values))
        return Outcome(True)

    async def value(self, ref: str) -> str | None:
        return self.values.get(ref)

    async def close(self) -> None:
        return None

    @asynccontextmanager
    async def open(self, address: str) -> AsyncIterator[Surface]:
        yield self


def png(shade: int = 0, size: tuple[int, int] = (160, 110)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade % 256, 200, 220)).save(buffer, "PNG")
    return buffer.getvalue()
