"""Fields, buttons and tables as HTML. Whatever is put in is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import count

_numbers = count(1)


def field(name: str, label: str, value: str = "", *, kind: str = "text", required: bool = False) -> str:
    """A labelled field of one line."""
    id, must = _id(name), " required" if required else ""
    return (
        f'<p class="field"><label for="{id}">{escape(label)}</label><input id="{id}" name="{name}" '
        f'type="{kind}" value="{escape(value)}" autocomplete="off" spellcheck="false"{must}></p>'
    )


def area(
    name: str, label: str, value: str, *, rows: int, fixed: bool = False, line: int | None = None
) -> str:
    """A labelled field of many lines.

    Args:
        fixed: it can be read only.
        line: the one that is selected when it is shown, from 1.
    """
    id, still = _id(name), " readonly" if fixed else ""
    at = f' data-line="{line}"' if line else ""
    return (
        f'<p class="field"><label for="{id}">{escape(label)}</label><textarea id="{id}" name="{name}" '
        f'rows="{rows}" spellcheck="false" autocomplete="off"{still}{at}>\n{escape(value)}</textarea></p>'
    )


def select(name: str, label: str, options: Iterable[tuple[str, str]], chosen: str = "") -> str:
    """Args: options: value and what is shown."""
    id = _id(name)
    listed = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(shown)}</option>'
        for value, shown in options
    )
    return (
        f'<p class="field"><label for="{id}">{escape(label)}</label>'
        f'<select id="{id}" name="{name}">{listed}</select></p>'
    )


def boxes(name: str, legend: str, options: Iterable[str], chosen: Iterable[str] = ()) -> str:
    """Any of some options, each a box to tick."""
    held = set(chosen)
    listed = "".join(
        f'<label><input type="checkbox" name="{name}" value="{escape(one)}"'
        f"{' checked' if one in held else ''}> {escape(one.replace('_', ' '))}</label>"
        for one in options
    )
    return f'<fieldset class="boxes"><legend>{escape(legend)}</legend>{listed}</fieldset>'


def hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def button(act: str, label: str, shade: str = "") -> str:
    """What it does is said by `act` to the desk's handler; `shade` is `primary` or `danger`."""
    return f'<button type="submit" value="{escape(act)}" class="{shade}">{escape(label)}</button>'


def form(*parts: str, shade: str = "") -> str:
    """Parts that are sent together; the first button's act is what Enter does."""
    return f'<form class="{shade}">{"".join(parts)}</form>'


def table(caption: str, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Args: rows: cells that are HTML already."""
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in headers)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td data-name="{escape(name)}">{cell}</td>' for name, cell in zip(headers, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def bar(share: float, said: str, shade: str = "") -> str:
    """A share from 0 to 1 as a bar with its words beside it."""
    percent = f"{max(0.0, min(1.0, share)) * 100:.1f}"
    return (
        f'<span class="bar {shade}"><span aria-hidden="true"><i style="width:{percent}%"></i></span>'
        f"{escape(said)}</span>"
    )


def note(text: str, shade: str = "") -> str:
    """A sentence about what was just done; `shade` is `good` or empty."""
    return f'<p class="note {shade}" role="status">{escape(text)}</p>'


def secret(label: str, value: str, hint: str) -> str:
    """What is shown this once."""
    return (
        f'<div class="card secret" role="status"><b>{escape(label)}</b><code>{escape(value)}</code>'
        f"<p>{escape(hint)}</p></div>"
    )


def _id(name: str) -> str:
    """Unique on the page, whatever else is on it."""
    return f"{name}-{next(_numbers)}"
