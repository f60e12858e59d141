# ruff: noqa: E501  (pages are easier to read on one line)
"""How the pages look: 12 shapes in 5 styles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

STYLES = {
    "plain": "body{font:16px sans-serif;margin:20px;background:#fff}button{background:#0a58ca;color:#fff;border:0;padding:8px 14px}",
    "dark": "body{font:15px system-ui;margin:0;padding:24px;background:#16181d;color:#e8e8ea}button{padding:9px 16px;background:#1f5fbf;color:#fff;border:1px solid #4a86e8}a{color:#8ab4f8}",
    "dense": "body{font:12px monospace;margin:6px;line-height:1.15;background:#fffef5}table{border-collapse:collapse}td{border:1px solid}button{background:#d9d9d9;color:#000;border:1px solid #777;font:12px monospace}",
    "centred": "body{font:18px Georgia,serif;max-width:720px;margin:30px auto;background:#f6f3ee;color:#222}button{border-radius:20px;padding:10px 22px;background:#1a7f37;color:#fff;border:0;font-size:16px;transition:all .2s}",
    "bold": "body{font:600 17px/1.5 sans-serif;margin:0;padding:16px 40px;background:linear-gradient(#eef4ff,#ffffff)}h1{text-transform:uppercase;letter-spacing:1px}button{background:#6f42c1;color:#fff;border:0;padding:10px 18px;border-radius:6px;box-shadow:0 2px 4px #0005}",
}
ACCENTS = {"plain": "#0a58ca", "dark": "#1f5fbf", "dense": "#d9d9d9", "centred": "#1a7f37", "bold": "#6f42c1"}
PICTURE = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='80' height='48'%3E%3Crect width='80' "
    "height='48' fill='%23357'/%3E%3Ccircle cx='40' cy='24' r='14' fill='%23fc3'/%3E%3C/svg%3E"
)


@dataclass(frozen=True, slots=True)
class Page:
    """What is on a page.

    Attributes:
        rows: name and value; the names are shown in this order, aligned on the left.
        total: a line that ends with a number.
        shape: how it is laid out.
    """

    name: str
    title: str
    rows: tuple[tuple[str, str], ...]
    total: str
    main: str
    other: str
    box: str
    picture: str
    shape: str
    style: str


Shape = Callable[[Page], str]


def _foot(page: Page) -> str:
    return (
        f"<p id=total>{page.total}</p><button id=main>{page.main}</button> <button id=other disabled>{page.other}</button>"
        f"<p><label><input type=checkbox id=box checked> {page.box}</label></p>"
    )


def _image(page: Page) -> str:
    return f'<img id=pic src="{PICTURE}" alt="{page.picture}" width=80 height=48>'


def _table(page: Page) -> str:
    rows = "".join(f"<tr class=row><td>{name}<td>{value}</tr>" for name, value in page.rows)
    return f"<h1>{page.title}</h1>{_image(page)}<table>{rows}</table>{_foot(page)}"


def _list(page: Page) -> str:
    rows = "".join(f"<li class=row><span>{name}</span> <b>{value}</b>" for name, value in page.rows)
    return f"<nav><a href=#>Home</a> <a href=#>Help</a></nav><h1>{page.title}</h1><ul>{rows}</ul>{_image(page)}{_foot(page)}"


def _cards(page: Page) -> str:
    rows = "".join(
        f"<div class=row style='border:1px solid #8888;border-radius:8px;padding:10px;margin:6px 0'><div>{name}</div><small>{value}</small></div>"
        for name, value in page.rows
    )
    return f"<header style='display:flex;gap:16px;align-items:center'>{_image(page)}<h1>{page.title}</h1></header><section style='max-width:420px'>{rows}</section>{_foot(page)}"


def _form(page: Page) -> str:
    rows = "".join(
        f"<div class=row style='margin:8px 0'><label style='display:inline-block;width:180px' for=f{at}>{name}</label><input id=f{at} value='{value}' size=24></div>"
        for at, (name, value) in enumerate(page.rows)
    )
    return f"<h1>{page.title}</h1>{_image(page)}<form onsubmit='return false'>{rows}{_foot(page)}</form>"


def _split(page: Page) -> str:
    rows = "".join(
        f"<div class=row>{name}<div style='opacity:.85'>{value}</div></div>" for name, value in page.rows
    )
    return f"<div style='display:grid;grid-template-columns:220px 1fr;gap:24px'><aside>{_image(page)}<p><a href=#>Overview</a></p><p><a href=#>Reports</a></p></aside><main><h1>{page.title}</h1>{rows}{_foot(page)}</main></div>"


def _article(page: Page) -> str:
    filler = (
        "The figures below were taken in the morning and checked by a second person before they were filed. "
    )
    rows = "".join(f"<p class=row><b>{name}</b> <span>{value}</span></p>" for name, value in page.rows)
    return f"<h1>{page.title}</h1><p style='text-align:justify'>{filler * 3}</p>{_image(page)}{rows}{_foot(page)}<p>{filler * 4}</p><div style='height:700px'></div><p>Page 1 of 1</p>"


def _definitions(page: Page) -> str:
    rows = "".join(
        f"<div class=row><dt>{name}</dt><dd style='margin:0 0 8px 24px'>{value}</dd></div>"
        for name, value in page.rows
    )
    return f"<div style='display:flex;justify-content:space-between'><h1>{page.title}</h1>{_image(page)}</div><dl>{rows}</dl>{_foot(page)}"


def _shadow(page: Page) -> str:
    rows = "".join(
        f"<x-row class=row style='display:block;padding:4px 0'>{name}<i> {value}</i></x-row>"
        for name, value in page.rows
    )
    script = "<script>customElements.define('x-card', class extends HTMLElement{connectedCallback(){this.attachShadow({mode:'open'}).innerHTML='<div style=\"padding:12px;border:2px solid #888\"><slot></slot><p>Shown by a component</p></div>'}})</script>"
    return f"{script}<h1>{page.title}</h1>{_image(page)}<x-card>{rows}</x-card>{_foot(page)}"


def _sticky(page: Page) -> str:
    rows = "".join(f"<p class=row>{name}, {value}</p>" for name, value in page.rows)
    return f"<div style='position:sticky;top:0;background:#203040;color:#fff;padding:6px'>Signed in as Ada</div><h1>{page.title}</h1>{_image(page)}{rows}{_foot(page)}<div style='height:900px'></div><p>Imprint</p>"


def _tiles(page: Page) -> str:
    rows = "".join(
        f"<div class=row style='display:flex;gap:30px;padding:6px 0'><div style='width:260px'>{name}</div><div>{value}</div></div>"
        for name, value in page.rows
    )
    return f"<h1>{page.title}</h1><div style='display:flex;gap:10px'>{_image(page)}<svg width=48 height=48><circle cx=24 cy=24 r=20 fill='#c33'/></svg></div>{rows}<details><summary>More</summary><p>Nothing more</p></details>{_foot(page)}"


def _dialog(page: Page) -> str:
    rows = "".join(
        f"<li class=row style='list-style:none'>{name} <em>{value}</em>" for name, value in page.rows
    )
    return f"<div style='border:1px solid #777;padding:18px;max-width:560px;margin:0 auto'><h1>{page.title}</h1>{_image(page)}<ul style='padding:0'>{rows}</ul>{_foot(page)}<select aria-label=Language><option>English<option>Deutsch</select></div>"


def _framed(page: Page) -> str:
    rows = "".join(
        f"<div class=row><a href=#>{name}</a> <span>{value}</span></div>" for name, value in page.rows
    )
    return f"<h1>{page.title}</h1>{_image(page)}{rows}{_foot(page)}<iframe srcdoc='<p style=font-family:sans-serif;background:white;color:black>Weather: 18 degrees</p>' width=300 height=60></iframe><textarea rows=2 cols=30>A note for the next shift</textarea>"


SHAPES: dict[str, Shape] = {
    "table": _table, "list": _list, "cards": _cards, "form": _form, "split": _split, "article": _article,
    "definitions": _definitions, "shadow": _shadow, "sticky": _sticky, "tiles": _tiles, "dialog": _dialog, "framed": _framed,
}  # fmt: skip


def body(page: Page) -> str:
    """The page without its head."""
    return SHAPES[page.shape](page)
