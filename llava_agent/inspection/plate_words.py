"""What nameplates call their fields in common usage, and what a value of each looks like."""

from __future__ import annotations

import re
from dataclasses import dataclass

from llava_agent.inspection.units import plain, quantity


@dataclass(frozen=True, slots=True)
class PlateField:
    """A field of a plate.

    Attributes:
        name: for a person.
        labels: what plates call it, in small letters without punctuation.
        kinds: quantities that its value may be; empty for a name or a number.
        pattern: what the value must match where it is no quantity.
    """

    name: str
    labels: frozenset[str]
    kinds: frozenset[str] = frozenset()
    pattern: re.Pattern[str] = re.compile(r".{2,}")


def _field(name: str, labels: str, *kinds: str, pattern: str = r".{2,}") -> PlateField:
    return PlateField(
        name,
        frozenset(label.strip() for label in labels.split(",")),
        frozenset(kinds),
        re.compile(pattern, re.IGNORECASE),
    )


_CODE = r"(?=.*\d)[A-Z0-9][A-Z0-9 ./_\-]{2,}"
_TAG = r"(?=.*\d)[A-Z0-9][A-Z0-9./_\-]{2,}"

FIELDS: dict[str, PlateField] = {
    "manufacturer": _field(
        "Manufacturer", "manufacturer, mfr, mfg by, made by, hersteller", pattern=r"[A-Z].+"
    ),
    "model": _field(
        "Model",
        "model, type, typ, model no, model number, mod, mod no, model type, type no",
        pattern=r".*\d.*|[A-Z]{2,}.*",
    ),
    "serial_number": _field(
        "Serial number",
        "serial no, s/n, sn, serial number, ser no, serial, serial #, s/no, s no, "
        "serien nr, seriennr, fabr nr, serial nr",
        pattern=_CODE,
    ),
    "year": _field(
        "Year",
        "year, built, year of manufacture, year built, mfg year, mfd, date of manufacture, mfg date, baujahr",
        pattern=r"(?:\d{1,2}[/.\-])?(?:19|20)\d\d(?:[/.\-]\d{1,2})?",
    ),
    "power": _field("Rated power", "power, p2, rated power, motor, output, p, kw, leistung", "power"),
    "voltage": _field(
        "Voltage",
        "voltage, volts, u, supply, rated voltage, v, volt",
        "voltage",
        pattern=r"\d[\d/x×.\- ]*\s*V(\s*[AD]C)?.*",
    ),
    "current": _field("Current", "current, amps, i, rated current, fla, a", "current"),
    "frequency": _field(
        "Frequency", "frequency, freq, hertz, f, hz", "frequency", pattern=r"\d\d(/\d\d)?\s*Hz"
    ),
    "speed": _field("Speed", "speed, rpm, n, rated speed, r/min", "speed"),
    "flow": _field("Flow", "flow, q, flow rate, capacity, flow max, q max", "flow", "volume"),
    "head": _field("Head", "head, h, h max, total head", "length"),
    "max_pressure": _field(
        "Max. pressure",
        "max pressure, p max, pmax, ps, mawp, max press, max working pressure, "
        "max operating pressure, max allowable pressure",
        "pressure",
    ),
    "max_temperature": _field(
        "Max. temperature", "max temp, t max, tmax, temp max, temperature, ts, max temperature", "temperature"
    ),
    "weight": _field("Weight", "weight, mass, net weight, gewicht", "mass"),
    "protection": _field(
        "Protection", "protection, enclosure, ip, ip rating, ip class", pattern=r"IP\s?\d\d.*"
    ),
    "asset_tag": _field(
        "Asset tag",
        "asset tag, asset no, asset id, tag no, tag, equipment no, inventory no, "
        "asset number, equipment id, unit no",
        pattern=_TAG,
    ),
    "order_number": _field(
        "Order number", "order no, job no, art no, p/n, part no, ref, article no, part number", pattern=_CODE
    ),
}


#: Words that end a label and are never a value.
_REMAINS = frozenset({"no", "number", "nr", "id", "tag", "max", "type", "code"})


def label_key(text: str) -> str:
    """The field that a text names; empty where it names none."""
    words = _bare(text)
    return next((key for key, one in FIELDS.items() if words in one.labels), "")


def split_label(text: str) -> tuple[str, str]:
    """`S/N: 48213` as its field and its value; two empty texts where a line is not of that form."""
    shown = plain(text)
    # The longest label first: `Model Number 5` is no model named `Number 5`.
    for cut in reversed(list(re.finditer(r"[:=]\s*|\s+", shown))):
        key, rest = label_key(shown[: cut.start()]), shown[cut.end() :].strip(" :=")
        short = len(_bare(shown[: cut.start()])) < 3 and cut.group().strip() not in (":", "=")
        if key and rest and not short and rest.lower().strip(".") not in _REMAINS and fits(key, rest):
            return key, rest
    return "", ""


def fits(key: str, value: str) -> bool:
    """Whether a text can be the value of the field."""
    field, shown = FIELDS[key], plain(value)
    found = quantity(shown)
    if field.kinds:
        if found is not None and (found.kind in field.kinds):
            return True
        return field.pattern.pattern != r".{2,}" and field.pattern.fullmatch(shown) is not None
    return field.pattern.fullmatch(shown) is not None


def _bare(text: str) -> str:
    words = re.sub(r"[.:=()]", " ", plain(text).lower())
    return " ".join(words.split())
