"""Pages: elements laid out in random order, with a theme."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from training.render.screens.elements import MAKERS, Element
from training.render.screens.kits import KITS, Kit

_LIGHT = ("#ffffff", "#f8fafc", "#f3f4f6", "#fff7ed", "#eff6ff", "#f0fdf4")
_DARK = ("#111827", "#1e293b", "#18181b")
_FONTS = ("sans-serif", "serif", "'DejaVu Sans'", "'Liberation Sans'", "'Noto Sans'", "monospace")


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its body, the kit that styles it, and the elements by `data-el` number."""

    kit: Kit
    html: str
    elements: tuple[Element, ...]


def make_page(seed: int, *, held_out: bool = False) -> Page:
    """The page of that seed; held-out pages use kits and an icon set that training pages never use."""
    rng = Random(f"screen-{seed}-{held_out}")
    kit = rng.choice([kit for kit in KITS if kit.held_out == held_out])
    dark = rng.random() < 0.2
    background = rng.choice(_DARK if dark else _LIGHT)
    makers = rng.choices(list(MAKERS), list(MAKERS.values()), k=rng.randint(12, 30))
    elements = tuple(maker(rng, kit, "black" if dark else "white") for maker in makers)
    gap = rng.randint(10, 34)
    cells = "".join(
        f'<div style="padding:{rng.randint(2, 8)}px">{element.html.format(index)}</div>'
        for index, element in enumerate(elements)
    )
    size = rng.randint(13, 18)
    ink = "#e5e7eb" if dark else "#1f2937"
    body = (
        f'<div style="background:{background};color:{ink};font:{size}px {rng.choice(_FONTS)};'
        f"min-height:100vh;padding:{rng.randint(6, 30)}px;display:flex;flex-wrap:wrap;align-items:center;"
        f'align-content:flex-start;gap:{gap}px;box-sizing:border-box">{cells}</div>'
    )
    return Page(kit, body, elements)
