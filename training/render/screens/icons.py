"""Icons of the sets that are installed from npm, by concept."""

from __future__ import annotations

import functools
from pathlib import Path

from training.render.screens.vocabulary import ICON_ALIASES, ICON_NAMES

KITS = Path(__file__).parent / "node_modules"

#: Icon set -> folder below `node_modules`. `tabler` is held out: no training page draws it.
ICON_SETS = {
    "bootstrap": "bootstrap-icons/icons",
    "lucide": "lucide-static/icons",
    "fontawesome": "@fortawesome/fontawesome-free/svgs/solid",
    "mdi": "@mdi/svg/svg",
    "tabler": "@tabler/icons/icons/outline",
}
HELD_OUT_ICON_SET = "tabler"


@functools.cache
def icons(icon_set: str) -> dict[str, str]:
    """Concept -> inline SVG without size and comments, for one set."""
    folder = KITS / ICON_SETS[icon_set]
    concepts = dict(ICON_ALIASES) | {name.replace("-", " "): (name,) for name in ICON_NAMES}
    found: dict[str, str] = {}
    for concept, names in concepts.items():
        for name in names:
            path = folder / f"{name}.svg"
            if path.exists():
                found[concept] = _inline(path.read_text(encoding="utf-8"))
                break
    return found


def _inline(svg: str) -> str:
    """The `<svg>` element alone, drawn in the colour of the text around it."""
    svg = svg[svg.index("<svg") :]
    head, body = svg.split(">", 1)
    for attribute in ("width", "height", "class"):
        before, _, rest = head.partition(f' {attribute}="')
        if rest:
            head = before + rest.split('"', 1)[1]
    if "fill=" not in head and "stroke=" not in head:
        head += ' fill="currentColor"'
    return f"{head}>{body}".strip()


def concepts() -> tuple[str, ...]:
    """All concepts that at least one training set draws, sorted."""
    names: set[str] = set()
    for icon_set in ICON_SETS:
        if icon_set != HELD_OUT_ICON_SET:
            names |= set(icons(icon_set))
    return tuple(sorted(names))
