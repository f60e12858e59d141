"""UI kits: how each draws a button, a field, a toggle."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

_OWN_SWITCH = (
    '<span data-el="{{}}" style="display:inline-block;width:{w}px;height:{h}px;border-radius:{h}px;'
    'background:{track};position:relative;opacity:{opacity}"><i style="position:absolute;top:2px;{side}:2px;'
    'width:{k}px;height:{k}px;border-radius:50%;background:#fff;box-shadow:0 1px 2px #0006"></i></span>'
)


def _own_switch(rng: Random, on: bool, off: bool) -> str:
    """A switch as pages draw it that have none in their kit."""
    height = rng.randint(16, 26)
    return _OWN_SWITCH.format(
        w=round(height * 1.8),
        h=height,
        k=height - 4,
        track=rng.choice(["#16a34a", "#2563eb", "#0d9488", "#7e22ce", "#444"]) if on else "#b6bac1",
        side="right" if on else "left",
        opacity=0.45 if off else 1,
    )


@dataclass(frozen=True, slots=True)
class Kit:
    """One look.

    Attributes:
        stylesheets: below `node_modules`.
        buttons: class lists of its buttons.
        field, select: classes of its inputs and drop-down lists.
        icon_sets: where its icons come from.
        held_out: used for evaluation only.
    """

    name: str
    stylesheets: tuple[str, ...]
    buttons: tuple[str, ...]
    field: str = ""
    select: str = ""
    icon_sets: tuple[str, ...] = ("bootstrap", "lucide", "fontawesome", "mdi")
    held_out: bool = False

    def button(self, rng: Random) -> str:
        """Classes of a button."""
        return rng.choice(self.buttons)

    def toggle(self, rng: Random, kind: str, on: bool, off: bool) -> str:
        """Markup of a checkbox, radio button or switch that is on (or not) and disabled (or not)."""
        checked = " checked" if on else ""
        disabled = " disabled" if off else ""
        if kind == "switch":
            if self.name == "bootstrap" and rng.random() < 0.5:
                return (
                    '<span class="form-switch"><input data-el="{}" class="form-check-input" type="checkbox" '
                    f'role="switch"{checked}{disabled}></span>'
                )
            if self.name == "pico" and rng.random() < 0.5:
                return f'<input data-el="{{}}" type="checkbox" role="switch"{checked}{disabled}>'
            return _own_switch(rng, on, off)
        if self.name == "materialize":
            return (
                f'<label data-el="{{}}"><input type="{kind}" class="filled-in"{checked}{disabled}>'
                "<span></span></label>"
            )
        css = "form-check-input" if self.name == "bootstrap" else ""
        zoom = rng.choice([1, 1, 1.3, 1.6])
        return f'<input data-el="{{}}" class="{css}" type="{kind}" style="zoom:{zoom}"{checked}{disabled}>'


def _each(base: str, names: str) -> tuple[str, ...]:
    return tuple(f"{base} {name}".strip() for name in names.split(","))


KITS: tuple[Kit, ...] = (
    Kit(
        "bootstrap",
        ("bootstrap/dist/css/bootstrap.min.css",),
        _each(
            "btn", "btn-primary,btn-secondary,btn-outline-primary,btn-success,btn-danger,btn-light,btn-dark"
        ),
        "form-control",
        "form-select",
    ),
    Kit(
        "bulma",
        ("bulma/css/bulma.min.css",),
        _each("button", ",is-primary,is-link,is-info,is-success,is-danger,is-light"),
        "input",
        "input",
    ),
    Kit("pico", ("@picocss/pico/css/pico.min.css",), ("", "secondary", "contrast", "outline")),
    Kit(
        "fomantic",
        ("fomantic-ui-css/semantic.min.css",),
        _each("ui button", ",primary,secondary,basic,positive,negative"),
    ),
    Kit("plain", (), ("",)),
    Kit(
        "materialize",
        ("materialize-css/dist/css/materialize.min.css",),
        _each("btn", ",btn-flat,btn-small"),
        select="browser-default",
        icon_sets=("tabler",),
        held_out=True,
    ),
    Kit(
        "milligram",
        ("milligram/dist/milligram.min.css",),
        ("button", "button button-outline", "button button-clear"),
        icon_sets=("tabler",),
        held_out=True,
    ),
)
