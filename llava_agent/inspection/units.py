"""Quantities as they are printed: the number, the unit, and whether two can be compared."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

#: Unit as printed, in small letters -> (quantity, factor to the quantity's first unit, offset).
_UNITS: dict[str, tuple[str, float, float]] = {
    "bar": ("pressure", 1.0, 0.0),
    "mbar": ("pressure", 1e-3, 0.0),
    "psi": ("pressure", 0.0689476, 0.0),
    "kpa": ("pressure", 0.01, 0.0),
    "mpa": ("pressure", 10.0, 0.0),
    "pa": ("pressure", 1e-5, 0.0),
    "kg/cm2": ("pressure", 0.980665, 0.0),
    "°c": ("temperature", 1.0, 0.0),
    "°f": ("temperature", 5 / 9, -160 / 9),
    "v": ("voltage", 1.0, 0.0),
    "kv": ("voltage", 1000.0, 0.0),
    "a": ("current", 1.0, 0.0),
    "ma": ("current", 1e-3, 0.0),
    "kw": ("power", 1.0, 0.0),
    "w": ("power", 1e-3, 0.0),
    "hp": ("power", 0.7457, 0.0),
    "hz": ("frequency", 1.0, 0.0),
    "rpm": ("speed", 1.0, 0.0),
    "1/min": ("speed", 1.0, 0.0),
    "min-1": ("speed", 1.0, 0.0),
    "m3/h": ("flow", 1.0, 0.0),
    "l/min": ("flow", 0.06, 0.0),
    "l/s": ("flow", 3.6, 0.0),
    "gpm": ("flow", 0.22712, 0.0),
    "%": ("level", 1.0, 0.0),
    "mm/s": ("vibration", 1.0, 0.0),
    "h": ("hours", 1.0, 0.0),
    "m": ("length", 1.0, 0.0),
    "mm": ("length", 1e-3, 0.0),
    "kg": ("mass", 1.0, 0.0),
    "l": ("volume", 1.0, 0.0),
}
_SPELT = "|".join(sorted((re.escape(unit) for unit in _UNITS), key=len, reverse=True))
_QUANTITY = re.compile(rf"(?P<number>[-+−]?\d+(?:[.,]\d+)?)\s*(?P<unit>{_SPELT})?(?![\w/])", re.IGNORECASE)
_UNIT = re.compile(rf"(?P<unit>{_SPELT})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit as printed; the unit may be empty."""

    number: float
    unit: str

    @property
    def kind(self) -> str:
        """`pressure`, `temperature`, ...; empty without a known unit."""
        known = _UNITS.get(self.unit.lower())
        return known[0] if known else ""

    @property
    def base(self) -> float:
        """In the first unit of its kind (bar, °C, V, A, kW, Hz, rpm, m³/h, ...)."""
        known = _UNITS.get(self.unit.lower())
        return self.number * known[1] + known[2] if known else self.number


def plain(text: str) -> str:
    """Text with compatible signs made the same: `℃` is `°C`, `m³/h` is `m3/h`."""
    return unicodedata.normalize("NFKC", text).replace("º", "°").replace("° ", "°").strip()


def quantity(text: str) -> Quantity | None:
    """`6.2 bar`; None unless the whole text is one number, perhaps with a unit."""
    found = _QUANTITY.fullmatch(plain(text))
    if found is None:
        return None
    number = found["number"].replace("−", "-").replace(",", ".")
    return Quantity(float(number), found["unit"] or "")


def unit_of(text: str) -> str:
    """The unit that a text is, as printed; empty where it is none or more than that."""
    found = _UNIT.fullmatch(plain(text))
    return found["unit"] if found else ""


def converted(given: Quantity, unit: str) -> float | None:
    """The number in another unit of the same kind, to six digits; None where there is no way."""
    known = _UNITS.get(unit.lower())
    if known is None or given.kind != known[0]:
        return None
    if given.unit.lower() == unit.lower():
        return given.number
    return float(f"{(given.base - known[2]) / known[1]:.6g}")
