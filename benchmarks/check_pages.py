# ruff: noqa: E501  (pages are easier to read on one line)
"""Pages with known defects: what `benchmarks.check_defects` measures UI checks on.

Every page has a heading, rows, a line with a number, a picture, two buttons and a check box, in one of several shapes
and styles, and a spec that somebody would write who knows the page and not the defects. Its twins carry one defect
each, injected by a script that also says where the defect is. Half of the pages are held out: the checks were
improved on the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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

_Rows = tuple[tuple[str, str], ...]


def _page(
    name: str,
    title: str,
    rows: _Rows,
    total: str,
    buttons: tuple[str, str],
    box: str,
    picture: str,
    look: str,
) -> Page:
    shape, style = look.split()
    return Page(name, title, rows, total, *buttons, box, picture, shape, style)


#: The checks were improved on these.
KNOWN = (
    _page(
        "orders",
        "Open orders",
        (("Hex bolts", "12 EUR"), ("Pump seal", "30 EUR")),
        "Total: 42 EUR",
        ("Save changes", "Delete"),
        "Notify me",
        "Shop logo",
        "table plain",
    ),
    _page(
        "machine",
        "Pump P-1042",
        (("Seal replaced", "3 May"), ("Oil checked", "9 May")),
        "Pressure: 6.4 bar",
        ("File a ticket", "Restart"),
        "Follow",
        "Pump",
        "list dark",
    ),
    _page(
        "settings",
        "Settings",
        (("Profile", "Ada Byron"), ("Security", "two factors"), ("Storage", "local disk")),
        "Storage used: 71 %",
        ("Apply", "Reset"),
        "Dark mode",
        "Avatar",
        "cards centred",
    ),
    _page(
        "address",
        "Delivery address",
        (("Street", "Mill Lane 4"), ("Town", "Leeds"), ("Postcode", "LS1 4AP")),
        "Parcels: 3",
        ("Confirm address", "Remove"),
        "Leave with a neighbour",
        "Map",
        "form plain",
    ),
    _page(
        "invoice",
        "Invoice 2026-017",
        (("Inspection", "240.00"), ("Travel", "35.50"), ("Parts", "18.20")),
        "Due: 293.70",
        ("Pay now", "Cancel invoice"),
        "Send a receipt",
        "Stamp",
        "table dense",
    ),
    _page(
        "report",
        "Morning report",
        (("Line A", "running"), ("Line B", "stopped")),
        "Pieces made: 1840",
        ("Sign report", "Discard"),
        "Share with the team",
        "Chart",
        "article plain",
    ),
    _page(
        "team",
        "Maintenance team",
        (("Grace Hopper", "lead"), ("Alan Turing", "shift 2"), ("Edith Clarke", "shift 3")),
        "Members: 14",
        ("Add a member", "Archive"),
        "Weekly mail",
        "Group photo",
        "split dark",
    ),
    _page(
        "stock",
        "Spare parts",
        (("Ball bearing", "in stock"), ("Drive belt", "2 left")),
        "Shelves: 18",
        ("Order parts", "Clear list"),
        "Only missing parts",
        "Shelf",
        "cards bold",
    ),
    _page(
        "visit",
        "Planned visits",
        (("Plant north", "Monday"), ("Plant south", "Thursday")),
        "Kilometres: 212",
        ("Plan a visit", "Skip"),
        "Remind me",
        "Route",
        "list bold",
    ),
    _page(
        "profile",
        "Your profile",
        (("Name", "Ada Byron"), ("Phone", "0113 496 0000")),
        "Logins: 27",
        ("Save profile", "Close account"),
        "Show my name",
        "Portrait",
        "form dense",
    ),
    _page(
        "backup",
        "Backups",
        (("Monday night", "complete"), ("Tuesday night", "complete")),
        "Size: 88 GB",
        ("Start a backup", "Restore"),
        "Encrypt backups",
        "Disk",
        "split centred",
    ),
    _page(
        "notice",
        "Safety notice",
        (("Wear goggles", "always"), ("Lock the valve", "before work")),
        "Days without accident: 365",
        ("I have read it", "Print"),
        "Remind me yearly",
        "Warning sign",
        "article dark",
    ),
)
#: Nobody looked at what the checks say of these before they were final.
HELD_OUT = (
    _page(
        "flight",
        "Flight details",
        (("Departure", "Leeds 08:15"), ("Arrival", "Oslo 11:40")),
        "Seat: 23",
        ("Check in", "Change seat"),
        "Window seat",
        "Airline",
        "definitions plain",
    ),
    _page(
        "recipe",
        "Lentil soup",
        (("Red lentils", "250 g"), ("Carrots", "3 pieces"), ("Cumin", "1 spoon")),
        "Minutes: 35",
        ("Start cooking", "Remove recipe"),
        "Keep screen on",
        "Soup bowl",
        "tiles centred",
    ),
    _page(
        "library",
        "Borrowed books",
        (("Emma", "due 4 June"), ("Middlemarch", "due 9 June")),
        "Fees: 1.20",
        ("Renew all", "Report a loss"),
        "Mail me before",
        "Bookcase",
        "shadow plain",
    ),
    _page(
        "court",
        "Tennis court 4",
        (("Booked by", "Club Lyon"), ("Time slot", "18:00 to 19:30")),
        "Price: 24",
        ("Book the court", "Release"),
        "Need rackets",
        "Court plan",
        "dialog dark",
    ),
    _page(
        "ticket",
        "Ticket 7731",
        (("Reported by", "night shift"), ("Asset", "Conveyor 2")),
        "Hours open: 16",
        ("Close ticket", "Merge"),
        "Watch this ticket",
        "Attachment",
        "sticky plain",
    ),
    _page(
        "garden",
        "Garden sensors",
        (("Greenhouse", "21 degrees"), ("Pond", "14 degrees"), ("Compost", "38 degrees")),
        "Readings: 964",
        ("Refresh data", "Pause"),
        "Night mode",
        "Garden plan",
        "framed dense",
    ),
    _page(
        "concert",
        "Evening concert",
        (("Strings", "row 4"), ("Brass", "row 9")),
        "Tickets left: 58",
        ("Buy tickets", "Return ticket"),
        "Wheelchair place",
        "Stage",
        "tiles bold",
    ),
    _page(
        "payroll",
        "Payslip May",
        (("Base pay", "2,400.00"), ("Allowance", "130.00"), ("Tax", "-412.00")),
        "Net: 2118.00",
        ("Download slip", "Dispute"),
        "Paper copy",
        "Company seal",
        "definitions dense",
    ),
    _page(
        "parcel",
        "Where is my parcel",
        (("Handed in", "2 June"), ("Sorting centre", "3 June")),
        "Stops before you: 9",
        ("Pick a new day", "Refuse parcel"),
        "Ring the bell",
        "Van",
        "sticky centred",
    ),
    _page(
        "hotel",
        "Room 204",
        (("Guest", "M. Curie"), ("Nights", "two")),
        "To pay: 186",
        ("Check out", "Extend"),
        "Late breakfast",
        "Room view",
        "dialog bold",
    ),
    _page(
        "course",
        "Welding course",
        (("Lesson one", "done"), ("Lesson two", "open")),
        "Points: 71",
        ("Continue course", "Leave course"),
        "Show hints",
        "Certificate",
        "shadow dark",
    ),
    _page(
        "energy",
        "Energy today",
        (("Solar roof", "12 kWh"), ("Grid", "5 kWh")),
        "Saved: 31 %",
        ("Show the week", "Export data"),
        "Green tariff",
        "Meter",
        "framed centred",
    ),
)

_LID = "const lid = document.createElement('div'); lid.style = 'position:fixed;background:#fff;z-index:9;border:1px solid #ccc;left:0;right:0;top:0;height:55%'; document.body.append(lid)"
#: A defect by name: where it is (an expression), before or after the script that injects it.
DEFECTS: dict[str, tuple[str, str]] = {
    "wrong text": ("h1", "h1.firstChild.data = h1.textContent.replace(/[aeiou](?!.*[aeiou])/, 'x')"),
    "stale number": ("total", "total.textContent = total.textContent.replace(/[0-9](?!.*[0-9])/, (d) => (+d + 1) % 10)"),
    "missing control": ("", "main.remove()"),
    "disabled control": ("main", "main.disabled = true"),
    "enabled control": ("other", "other.disabled = false"),
    "missing row": ("", "last.remove()"),
    "duplicated row": ("last.nextElementSibling", "last.after(last.cloneNode(true))"),
    "wrong order": ("last", "first.before(last)"),
    "unchecked box": ("box", "box.checked = false"),
    "error message": ("note", "const note = document.createElement('p'); note.id = 'note'; note.textContent = 'Something went wrong'; h1.after(note); window.note = note"),
    "invisible control": ("", "main.style.visibility = 'hidden'"),
    "hidden behind a banner": ("h1", _LID),
    "half covered text": ("total", "const r = total.getBoundingClientRect(), lid = document.createElement('div'); lid.style = `position:absolute;pointer-events:none;background:${ground};left:${r.left + scrollX}px;top:${r.top + scrollY + r.height / 2}px;width:${r.width}px;height:${r.height / 2 + 2}px`; document.body.append(lid)"),
    "off-screen": ("", "total.style = 'position:absolute;left:-2000px'"),
    "text cut off": ("total", "total.style = 'width:3em;overflow:hidden;white-space:nowrap'"),
    "shortened with dots": ("main", "main.style = 'width:4.2em;overflow:hidden;white-space:nowrap;text-overflow:ellipsis'"),
    "text in the colour of the ground": ("total", "total.style.color = ground"),
    "transparent text": ("total", "total.style.opacity = 0.02"),
    "low contrast": ("total", "total.style.color = faint"),
    "wrong colour": ("main", "main.style.background = '#b02a37'; main.style.color = '#fff'"),
    "broken image": ("pic", "pic.src = 'gone.png'"),
    "misaligned": ("last", "last.style.position = 'relative'; last.style.left = '14px'"),
    "overlap": ("total", "total.style.position = 'relative'; total.style.top = (main.getBoundingClientRect().top - total.getBoundingClientRect().top - 2) + 'px'; total.style.pointerEvents = 'none'"),
    "script error": ("", "setTimeout(() => { throw new Error('totals are not defined') }, 0)"),
}  # fmt: skip
#: Defects whose place is where it was before they were injected; what is gone has none.
_BEFORE = {"hidden behind a banner", "half covered text", "text cut off"}

_PREPARE = """
for (const e of document.querySelectorAll('[id]')) window[e.id] = e;
const h1 = document.querySelector('h1'), rows = [...document.querySelectorAll('.row')], first = rows[0], last = rows[rows.length - 1];
let at = total; while (at && getComputedStyle(at).backgroundColor === 'rgba(0, 0, 0, 0)') at = at.parentElement;
const ground = at ? getComputedStyle(at).backgroundColor : 'rgb(255, 255, 255)';
const level = ground.match(/\\d+/g).slice(0, 3).reduce((sum, one) => sum + +one, 0) / 3;
const faint = level > 128 ? '#a8a8a8' : '#4d4f55';
const place = (e) => {
  const range = document.createRange();
  range.selectNodeContents(e);
  const r = (e === main || e === other || e === box || e === pic ? e : range).getBoundingClientRect();
  return [r.left, r.top, r.right, r.bottom];
};
"""


def html(page: Page, defect: str = "") -> str:
    """The page, or its twin with one defect; `window.truth` is where the defect is, in the window at the top."""
    script = _PREPARE
    if defect:
        where, inject = DEFECTS[defect]
        measure = f"window.truth = place({where});" if where else "window.truth = null;"
        script += f"{measure}\n{inject}" if defect in _BEFORE else f"{inject}\n{measure}"
    body = SHAPES[page.shape](page)
    return f"<!doctype html><meta charset=utf-8><title>{page.title}</title><style>{STYLES[page.style]}</style>{body}<script>{{{script}}}</script>"


def expectations(page: Page) -> list[dict[str, Any]]:
    """What the page's owner expects of it."""
    names = [name for name, _ in page.rows]
    return [
        {"shows": {"name": page.title, "role": "heading"}},
        {"text": page.total},
        *({"shows": name} for name in names),
        *({"text": value} if page.shape == "form" else {"shows": value} for _, value in page.rows),
        {"order": names},
        {"aligned": {"things": names, "by": "left"}},
        {"state": {"name": page.main, "role": "button", "is": "enabled"}},
        {"text": {"name": page.main, "role": "button"}},
        {"state": {"name": page.other, "is": "disabled"}},
        {"state": {"name": page.box, "is": "checked"}},
        {"colour": {"of": {"name": page.main, "role": "button"}, "is": ACCENTS[page.style]}},
        {"image": page.picture},
        {"contrast": "everything"},
        {"not_cut_off": "everything"},
        {"no_overlap": "everything"},
        {"no_errors": True},
        {"not_shows": "went wrong"},
    ]


def claims(page: Page) -> list[tuple[str, str, bool]]:
    """Claims for the model: the twin's defect (empty for the page itself), the claim, and whether it is true."""
    number = page.total.rpartition(":")[2].strip()
    said = f"the page says {page.total}"
    return [
        ("", said, True),
        ("stale number", said, False),
        ("", f'there is a button "{page.main}"', True),
        ("missing control", f'there is a button "{page.main}"', False),
        ("error message", "the page shows an error message", True),
        ("", "the page shows an error message", False),
        ("", f'the check box "{page.box}" is checked', True),
        ("unchecked box", f'the check box "{page.box}" is checked', False),
        ("", f'the number {number} stands below the heading "{page.title}"', True),
        ("broken image", "a picture on the page is missing", True),
    ]
