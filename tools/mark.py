"""A mark: one candidate region that the agent can point at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tools.geometry import Box

#: Where a mark came from: the DOM's accessibility data, an OCR line, a shape found in the pixels,
#: a measured dial, or a tool that has no pixels (an API operation or argument).
MarkSource = Literal["dom", "ocr", "pixels", "dial", "api"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A region of a page or photo, or an entry of a tool form.

    Attributes:
        ref: stable name of the target inside its surface (role + name + ancestors for a page);
            bound to one observation and refused once stale.
        role: ARIA role in lower case (`button`, `textbox`, `checkbox`, `combobox`, `option`, `text`, ...);
            `region` for a shape found in the pixels whose role is unknown, `dial` for a gauge.
        text: accessible name, OCR text, or the tower's words for it; may be empty.
        value: current value of a field, the selected option, a measured reading; None where it has none.
        states: e.g. `checked`, `disabled`, `selected`, `expanded`, `focused`, `required`.
        box: where it is, in pixels of the observation's image; None for entries without pixels.
        source: how it was found.
        score: detector's confidence, 0 to 1.
    """

    ref: str
    role: str
    text: str
    box: Box | None
    source: MarkSource
    value: str | None = None
    states: tuple[str, ...] = ()
    score: float = 1.0

    def line(self) -> str:
        """The mark as one line of a prompt: `"Username" textbox = ada`, `"A" checkbox checked`."""
        parts = [f'"{self.text}"' if self.text else "", self.role, *self.states]
        line = " ".join(part for part in parts if part)
        return f"{line} = {self.value}" if self.value else line
