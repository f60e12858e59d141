"""A desk whose HTML is made on the server: its forms come to one handler, which answers with new HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Not inside the function: gradio reads the annotations of the handler by this module's names.
import gradio as gr

from llava_agent.service.auth.identity import Identity
from llava_agent.ui.caller import identity_of

_SCRIPT = Path(__file__).with_name("forms.js")


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it was sent.

    Attributes:
        act: of the button; `open` when the desk is opened, `poll` when it looks for news.
        values: by the name of the field; several where several boxes are ticked.
    """

    act: str
    values: Mapping[str, Sequence[str]]

    def one(self, name: str) -> str:
        """The value of a field, without space around it; empty where it was not sent."""
        return next(iter(self.values.get(name, ())), "").strip()

    def many(self, name: str) -> list[str]:
        return list(self.values.get(name, ()))


def form_desk(name: str, answer: Callable[[Identity, Sent], str | None]) -> None:
    """Build the desk inside the Blocks that are open.

    Args:
        name: of the element.
        answer: gives the whole HTML; None where nothing is new.
    """
    view = gr.HTML("", padding=False, elem_id=name, js_on_load=_SCRIPT.read_text(encoding="utf-8"))

    def sent(event: gr.EventData, request: gr.Request) -> Any:
        html = answer(identity_of(request), read(event._data))
        return gr.skip() if html is None else html

    view.submit(sent, None, [view], api_visibility="private", show_progress="hidden", concurrency_limit=None)


def read(data: object) -> Sent:
    """What a browser sent, whatever it is; what is not a form is dropped."""
    given: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    values = given.get("values")
    kept: dict[str, Sequence[str]] = {}
    for name, value in values.items() if isinstance(values, Mapping) else ():
        if isinstance(value, list):
            kept[str(name)] = [one for one in value if isinstance(one, str)]
    return Sent(str(given.get("act", "")), kept)
