"""Elements of a rendered page: HTML with the truth about it."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from training.render.screens.icons import icons
from training.render.screens.kits import Kit
from training.render.screens.vocabulary import ACTIONS, COLOURS, FIRST_NAMES, SHAPES, WORDS


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a page and what is true of it.

    Attributes:
        html: markup whose root carries `data-el="{}"`, filled in by the page.
        kind: what it is, in words (`gear icon`, `checked checkbox`, `button`).
        colour: its colour word, empty where it has none worth saying.
        size: `large` or `small`, empty for the ordinary size.
        role: ARIA role.
        text: what is written on it or labels it; empty for a purely visual element.
        states: as in `tools.mark.Mark`.
        value: content of a field.
    """

    html: str
    kind: str
    colour: str = ""
    size: str = ""
    role: str = "img"
    text: str = ""
    states: tuple[str, ...] = ()
    value: str = ""

    @property
    def words(self) -> str:
        """Full description: `large red gear icon`."""
        return " ".join(part for part in (self.size, self.colour, self.kind) if part)


def _colour(rng: Random, background: str) -> tuple[str, str]:
    """A colour's name and CSS, other than the background's."""
    name = rng.choice([name for name in COLOURS if name != background])
    return name, rng.choice(COLOURS[name])


def _size(rng: Random) -> tuple[str, float]:
    """A size's word and its factor."""
    return rng.choice([("small", 0.62), ("", 1.0), ("", 1.0), ("large", 1.6)])


def icon(rng: Random, kit: Kit, background: str) -> Element:
    """A bare icon of one of the kit's sets."""
    drawn = icons(rng.choice(kit.icon_sets))
    name = rng.choice(sorted(drawn))
    colour, css = _colour(rng, background)
    pixels = rng.randint(16, 44)
    markup = (
        f'<span data-el="{{}}" style="display:inline-block;width:{pixels}px;height:{pixels}px;color:{css};'
        f'line-height:0">{_sized(drawn[name])}</span>'
    )
    return Element(markup, f"{name} icon", colour)


def _sized(svg: str) -> str:
    return svg.replace("<svg", '<svg style="width:100%;height:100%"', 1)


def icon_button(rng: Random, kit: Kit, background: str) -> Element:
    """A button that only shows an icon."""
    drawn = icons(rng.choice(kit.icon_sets))
    name = rng.choice(sorted(drawn))
    svg = drawn[name].replace("<svg", '<svg style="width:1.25em;height:1.25em;vertical-align:middle"', 1)
    return Element(
        f'<button type="button" data-el="{{}}" class="{kit.button(rng)}">{svg}</button>',
        f"{name} icon",
        role="button",
    )


_SHAPE_SVG = {
    "circle": '<circle cx="50" cy="50" r="46"/>',
    "square": '<rect x="6" y="6" width="88" height="88"/>',
    "triangle": '<polygon points="50,6 96,92 4,92"/>',
    "star": '<polygon points="50,3 61,37 97,37 68,58 79,93 50,72 21,93 32,58 3,37 39,37"/>',
    "rectangle": '<rect x="3" y="26" width="94" height="48"/>',
    "oval": '<ellipse cx="50" cy="50" rx="47" ry="28"/>',
    "diamond": '<polygon points="50,3 92,50 50,97 8,50"/>',
    "pentagon": '<polygon points="50,4 97,39 79,95 21,95 3,39"/>',
    "hexagon": '<polygon points="26,8 74,8 98,50 74,92 26,92 2,50"/>',
    "cross": '<path d="M36 4h28v32h32v28H64v32H36V64H4V36h32z"/>',
    "arrow": '<path d="M4 36h52V12l40 38-40 38V64H4z"/>',
    "heart": (
        '<path d="M50 92C12 62 4 44 4 30 4 14 16 6 27 6c10 0 18 6 23 16C55 12 63 6 73 6c11 0 23 8 23 24 '
        '0 14-8 32-46 62z"/>'
    ),
    "ring": '<circle cx="50" cy="50" r="36" fill="none" stroke="currentColor" stroke-width="20"/>',
    "line": '<rect x="2" y="44" width="96" height="12"/>',
}


def shape(rng: Random, kit: Kit, background: str) -> Element:
    """A geometric shape, at times outlined or turned a little."""
    name = rng.choice(SHAPES)
    colour, css = _colour(rng, background)
    size, factor = _size(rng)
    pixels = round(rng.randint(26, 38) * factor)
    outline = ' stroke="#444" stroke-width="2"' if rng.random() < 0.3 else ""
    turn = rng.uniform(-12, 12) if rng.random() < 0.3 else 0
    return Element(
        f'<svg data-el="{{}}" viewBox="0 0 100 100" style="width:{pixels}px;height:{pixels}px;color:{css};'
        f'transform:rotate({turn:.0f}deg)" fill="currentColor"{outline}>{_SHAPE_SVG[name]}</svg>',
        name,
        colour,
        size,
    )


def toggle(rng: Random, kit: Kit, background: str) -> Element:
    """A checkbox, radio button or switch, with or without its label beside it."""
    kind = rng.choice(["checkbox", "radio", "switch"])
    on, off = rng.random() < 0.5, rng.random() < 0.12
    markup = kit.toggle(rng, kind, on, off)
    state = {
        "checkbox": ("checked", "unchecked"),
        "radio": ("selected", "unselected"),
        "switch": ("on", "off"),
    }
    word = state[kind][0 if on else 1]
    name = {"checkbox": "checkbox", "radio": "radio button", "switch": "switch"}[kind]
    states = (("checked",) if on else ()) + (("disabled",) if off else ())
    said = f"{word} {name}" if kind != "switch" else f"{name} {word}"
    return Element(markup, f"disabled {said}" if off else said, role=kind, states=states)


def button(rng: Random, kit: Kit, background: str) -> Element:
    """A button with words on it, in a colour of its own or in the kit's."""
    text = rng.choice(ACTIONS) if rng.random() < 0.5 else f"{rng.choice(ACTIONS)} {rng.choice(WORDS)}"
    off = rng.random() < 0.15
    disabled = " disabled" if off else ""
    if rng.random() < 0.4:
        colour, css = _colour(rng, "")
        ink = "#111" if colour in ("white", "yellow", "orange", "turquoise", "pink") else "#fff"
        radius = rng.choice([0, 4, 16])
        style = (
            f"background:{css};color:{ink};border:1px solid #0003;padding:6px 14px;border-radius:{radius}px"
        )
        if off:
            style += ";opacity:.45"
        markup = f'<button type="button" data-el="{{}}" style="{style}"{disabled}>{text}</button>'
    else:
        colour = ""
        markup = f'<button type="button" data-el="{{}}" class="{kit.button(rng)}"{disabled}>{text}</button>'
    states = ("disabled",) if off else ()
    return Element(
        markup, "disabled button" if off else "button", colour, role="button", text=text, states=states
    )


def field(rng: Random, kit: Kit, background: str) -> Element:
    """An input without its label (empty, filled, in error, disabled), a drop-down list, or a text area."""
    kind = rng.choices(["text", "select", "area"], [6, 2, 1])[0]
    filled, off, wrong = rng.random() < 0.5, rng.random() < 0.12, rng.random() < 0.12
    value = rng.choice([*FIRST_NAMES, *WORDS, str(rng.randint(1, 9999))]) if filled else ""
    disabled = " disabled" if off else ""
    style = f"width:{rng.randint(110, 200)}px;display:inline-block;margin:2px"
    if wrong and not off:
        style += ";border:2px solid #dc2626"
    if kind == "select":
        options = "".join(f"<option>{word}</option>" for word in rng.sample(WORDS, 3))
        inner = f'<select data-el="{{}}" class="{kit.select}" style="{style}"{disabled}>{options}</select>'
        return Element(inner, "drop-down list", role="combobox", states=("disabled",) if off else ())
    if kind == "area":
        style += ";height:52px"
        inner = f'<textarea data-el="{{}}" class="{kit.field}" style="{style}"{disabled}>{value}</textarea>'
        return Element(inner, "text area", role="textbox", value=value)
    inner = (
        f'<input data-el="{{}}" class="{kit.field}" style="{style}" value="{html.escape(value)}"{disabled}>'
    )
    said = f"{'filled' if filled else 'empty'} text field"
    if off:
        said = f"disabled {said}"
    elif wrong:
        said = f"{said} with error"
    return Element(inner, said, role="textbox", value=value, states=("disabled",) if off else ())


def light(rng: Random, kit: Kit, background: str) -> Element:
    """A status light: a small glowing dot, or one that is off."""
    colour, css = _colour(rng, background)
    pixels = rng.randint(12, 22)
    glow = f"box-shadow:0 0 {pixels // 2}px {css};" if rng.random() < 0.6 else ""
    return Element(
        f'<span data-el="{{}}" style="display:inline-block;width:{pixels}px;height:{pixels}px;'
        f'border-radius:50%;background:radial-gradient(circle at 35% 35%,#fff8,{css} 55%);{glow}"></span>',
        "light",
        colour,
    )


def badge(rng: Random, kit: Kit, background: str) -> Element:
    """A coloured pill with a number or a word."""
    colour, css = _colour(rng, background)
    text = rng.choice([str(rng.randint(1, 99)), rng.choice(WORDS)])
    ink = "#111" if colour in ("white", "yellow", "orange", "turquoise", "pink") else "#fff"
    return Element(
        f'<span data-el="{{}}" style="background:{css};color:{ink};padding:2px 8px;border-radius:10px;'
        f'font-size:12px;display:inline-block">{text}</span>',
        "badge",
        colour,
        role="text",
        text=text,
    )


def bar(rng: Random, kit: Kit, background: str) -> Element:
    """A progress bar or a slider."""
    colour, css = _colour(rng, background)
    part, width = rng.randint(0, 10) * 10, rng.randint(90, 160)
    if rng.random() < 0.4:
        knob = (
            f'<i style="position:absolute;left:calc({part}% - 8px);top:-5px;width:16px;height:16px;'
            f'border-radius:50%;background:{css}"></i>'
        )
        return Element(
            f'<div data-el="{{}}" style="position:relative;width:{width}px;height:6px;background:#bbb;'
            f'border-radius:3px;margin:8px">{knob}</div>',
            "slider",
            colour,
            role="slider",
            value=str(part),
        )
    return Element(
        f'<div data-el="{{}}" style="width:{width}px;height:14px;background:#d4d4d4;border-radius:4px;'
        f'margin:4px"><div style="width:{part}%;height:100%;background:{css};border-radius:4px"></div></div>',
        "progress bar",
        colour,
        role="progressbar",
        value=str(part),
    )


def link(rng: Random, kit: Kit, background: str) -> Element:
    """An underlined link."""
    text = f"{rng.choice(WORDS)} {rng.choice(WORDS)}"
    markup = f'<a href="#" data-el="{{}}" style="color:#1d4ed8;text-decoration:underline">{text}</a>'
    return Element(markup, "link", role="link", text=text)


def words(rng: Random, kit: Kit, background: str) -> Element:
    """Plain text."""
    text = " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 4))).capitalize()
    return Element(f'<span data-el="{{}}">{text}</span>', "text", role="text", text=text)


#: Makes an element in the style of a kit on a background of the named colour.
Maker = Callable[[Random, Kit, str], Element]

#: How often each kind of element is drawn.
MAKERS: dict[Maker, float] = {
    icon: 5.0,
    icon_button: 2.5,
    shape: 2.5,
    toggle: 3.0,
    button: 2.0,
    field: 1.6,
    light: 1.0,
    badge: 0.7,
    bar: 0.7,
    link: 0.4,
    words: 0.6,
}
