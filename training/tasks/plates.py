"""Questions about what OCR finds on a photo of equipment: nameplates, dials, labels."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from llava_agent.vlm.prompt import ASK_VERBS, Line
from training.render.screens.vocabulary import FIRST_NAMES, LAST_NAMES, WORDS
from training.tasks.step import Quote, Step
from training.tasks.values import READINGS, code

#: What stands on plates before the value, by reading.
LABELS: dict[str, tuple[str, ...]] = {
    "serial": (
        "Serial No.",
        "S/N",
        "SERIAL NUMBER",
        "Serial number",
        "Ser. No.",
        "SN",
        "Serial",
        "Fabr.-Nr.",
    ),
    "model": ("Model", "MODEL", "Type", "TYPE", "Model No.", "Mod."),
    "asset": ("Asset tag", "ASSET", "Asset No.", "Tag", "TAG NO.", "Equipment", "Inventory No.", "ID"),
    "manufacturer": ("Manufacturer", "Mfr.", "Made by", "MANUFACTURER"),
    "year": ("Year", "YEAR", "Built", "Year of manufacture", "Mfg. date"),
    "power": ("Power", "P2", "POWER", "Rated power", "kW"),
    "voltage": ("Voltage", "VOLTS", "U", "V", "Rated voltage"),
    "flow": ("Flow", "Q", "Q max", "Flow rate", "CAPACITY"),
    "pressure": ("Max. pressure", "P max", "MAX PRESSURE", "PN", "Design pressure"),
    "temperature": ("Max. temp.", "T max", "Temp."),
    "speed": ("Speed", "RPM", "n", "1/min"),
    "weight": ("Weight", "Mass", "kg"),
    "frequency": ("Hz", "Frequency", "FREQ"),
    "protection": ("IP", "Protection", "Enclosure"),
}
_NAMES: dict[str, tuple[str, ...]] = dict(READINGS) | {
    "speed": ("speed", "rated speed", "rpm"),
    "weight": ("weight", "mass"),
    "frequency": ("frequency", "mains frequency"),
    "protection": ("protection class", "IP rating"),
    "pressure": ("maximum pressure", "max pressure", "design pressure"),
    "temperature": ("maximum temperature", "max temperature"),
}
_QUESTIONS = (
    "What is the {}?",
    "What is the {} of the machine?",
    "Read the {}",
    "{}",
    "{}",
    "{}",
    "Which {} is shown?",
    "What {} does the plate show?",
    "Give the {}",
)


def _value(rng: Random, key: str) -> str:
    """What a plate says for one of `LABELS`."""
    number = rng.choice([str(rng.randint(1, 400)), f"{rng.randint(0, 60)}.{rng.randint(0, 9)}"])
    units = {
        "power": ("kW", "W", "HP"),
        "voltage": ("V", "VAC", "V AC"),
        "flow": ("m3/h", "l/min", "m³/h"),
        "pressure": ("bar", "psi", "MPa"),
        "temperature": ("°C", "C"),
        "speed": ("rpm", "1/min", ""),
        "weight": ("kg", ""),
        "frequency": ("Hz", ""),
    }
    if key in units:
        return f"{number} {rng.choice(units[key])}".strip()
    if key == "year":
        return str(rng.randint(1985, 2026))
    if key == "protection":
        return rng.choice(["IP54", "IP65", "IP55", "IP67"])
    if key == "manufacturer":
        name = rng.choice(LAST_NAMES)
        return f"{name} {rng.choice(['Pumps', 'Werke', 'GmbH', 'Industries', 'AG', 'Motors', 'Co.'])}"
    return code(rng)


def _plate(rng: Random, keys: list[str]) -> list[tuple[str, str, Line, int]]:
    """Rows of a plate as OCR gives them: `(key, value, line, where the value begins in its text)`."""
    style = rng.choice(["split", "split", "joined", "colon", "mixed"])
    rows: list[tuple[str, str, Line, int]] = []
    for key in keys:
        label, value = rng.choice(LABELS[key]), _value(rng, key)
        label = label.upper() if rng.random() < 0.2 else label
        how = rng.choice(["split", "joined", "colon"]) if style == "mixed" else style
        if how == "split":
            label += rng.choice(["", ":", ""])
            rows.append((f"label {key}", label, _text(label), 0))
            rows.append((key, value, _text(value), 0))
        else:
            text = f"{label}: {value}" if how == "colon" else f"{label} {value}"
            if rng.random() < 0.15:
                text = f"{label}:{value}"
            rows.append((key, value, _text(text), len(text) - len(value)))
    return rows


def _text(text: str) -> Line:
    """A line that OCR found."""
    return Line(f'"{text}" text', text)


def _side_by_side(rng: Random, rows: list[tuple[str, str, Line, int]]) -> list[tuple[str, str, Line, int]]:
    """A label above its value with the rows of another plate beside them: reading order runs across both."""
    labels = [i for i, row in enumerate(rows) if row[0].startswith("label ") and i + 3 < len(rows)]
    if not labels:
        return rows
    at = rng.choice(labels)
    width = rng.choice([1, 2, 2])
    value = rows[at + 1]
    return [*rows[: at + 1], *rows[at + 2 : at + 2 + width], value, *rows[at + 2 + width :]]


def _scene(rng: Random) -> tuple[list[tuple[str, str, Line, int]], str]:
    """Everything that is found on one photo, in reading order, and the dial's reading (empty without one)."""
    keys = rng.sample(sorted(LABELS), rng.randint(3, 8))
    rows = _plate(rng, keys)
    if rng.random() < 0.65:
        rows = _side_by_side(rng, rows)
    head = rng.choice(
        [
            f"{rng.choice(LAST_NAMES).upper()} {rng.choice(['PUMPS', 'WERKE', 'GMBH', 'INDUSTRIES'])}",
            rng.choice(WORDS).upper(),
            "CE",
        ]
    )
    rows.insert(0, ("head", head, _text(head), 0))
    if rng.random() < 0.4:
        words = " ".join(rng.sample(WORDS, 2)).capitalize()
        rows.append(("noise", words, _text(words), 0))
    reading = ""
    if rng.random() < 0.65:
        unit = rng.choice(["bar", "psi", "kPa", "MPa", "°C", "%"])
        reading = f"{rng.randint(0, 250) / rng.choice([1, 10, 10, 100]):g} {unit}"
        dial = ("dial", reading, Line(f"dial = {reading}", reading), 0)
        ticks = [("tick", str(n), _text(str(n)), 0) for n in range(0, 11, rng.choice([1, 2, 5]))]
        rng.shuffle(ticks)
        kept = [dial, *ticks[: rng.randint(0, len(ticks))], ("tick", unit, _text(unit), 0)]
        rows = [*kept, *rows] if rng.random() < 0.5 else [*rows, *kept]
    return rows, reading


def _dial_names(reading: str) -> tuple[str, ...]:
    """Words for what a dial with that unit shows."""
    if reading.endswith("C"):
        return ("temperature", "temperature reading", "thermometer reading", "gauge reading")
    if reading.endswith("%"):
        return ("level", "gauge reading", "reading of the gauge")
    return (
        "pressure",
        "pressure reading",
        "gauge reading",
        "reading of the gauge",
        "pressure on the gauge",
        "operating pressure",
    )


def plate_question(rng: Random) -> Step:
    """A reading of the plate or the dial, or one that is not on the photo."""
    rows, reading = _scene(rng)
    keys = {key for key, *_ in rows}
    kind = rng.choices(["plate", "dial", "absent"], [6, 3 if reading else 0, 2])[0]
    lines = tuple(row[2] for row in rows)
    if kind == "dial":
        asked = rng.choice(_dial_names(reading))
        target = next(i for i, row in enumerate(rows) if row[0] == "dial")
        return _question(rng, asked, lines, "read", target, Quote("candidate", target, 0, len(reading)))
    if kind == "absent":
        missing = [key for key in LABELS if key not in keys and key not in ("pressure", "temperature")]
        asked = rng.choice(_NAMES[rng.choice(missing)])
        return _question(rng, asked, lines, "none", None, None)
    key = rng.choice([key for key in LABELS if key in keys])
    target = next(i for i, row in enumerate(rows) if row[0] == key)
    value, begin = rows[target][1], rows[target][3]
    return _question(
        rng,
        rng.choice(_NAMES[key]),
        lines,
        "read",
        target,
        Quote("candidate", target, begin, begin + len(value)),
    )


def _question(
    rng: Random, asked: str, lines: tuple[Line, ...], verb: str, target: int | None, quote: Quote | None
) -> Step:
    text = rng.choice(_QUESTIONS).format(asked)
    return Step("plate", "Question", text, lines, ASK_VERBS, verb, target, quote)


def plate_statement(rng: Random) -> Step:
    """A statement about a reading, true or false."""
    rows, _ = _scene(rng)
    keys = [key for key in LABELS if any(row[0] == key for row in rows)]
    key = rng.choice(keys)
    target = next(i for i, row in enumerate(rows) if row[0] == key)
    true = rng.random() < 0.5
    value = rows[target][1] if true else _value(rng, key)
    if value == rows[target][1]:
        true = True
    text = rng.choice(["The {} is {}.", "The plate shows the {} {}", "Is the {} {}?"]).format(
        rng.choice(_NAMES[key]), value
    )
    return Step(
        "plate statement",
        "Question",
        text,
        tuple(row[2] for row in rows),
        ASK_VERBS,
        "yes" if true else "no",
        target,
    )


def page_text(rng: Random) -> Step:
    """Questions about the text of a page: a label with its value beside it or behind it in one line."""
    names = rng.sample(WORDS, rng.randint(3, 7))
    values = [
        rng.choice(
            [
                str(rng.randint(1, 999)),
                rng.choice(FIRST_NAMES),
                code(rng),
                rng.choice(WORDS),
                f"{rng.randint(1, 90)}%",
            ]
        )
        for _ in names
    ]
    lines: list[Line] = []
    places = []
    for name, value in zip(names, values, strict=True):
        label = name.capitalize() + rng.choice(["", ":"])
        if rng.random() < 0.5:
            lines += [_text(label), _text(value)]
            places.append((len(lines) - 1, 0))
        else:
            text = f"{label} {value}"
            lines.append(_text(text))
            places.append((len(lines) - 1, len(text) - len(value)))
    which = rng.randrange(len(names))
    index, begin = places[which]
    if rng.random() < 0.2:
        asked = rng.choice([word for word in WORDS if word not in names])
        return Step("page text", "Question", f"What is the {asked}?", tuple(lines), ASK_VERBS, "none")
    text = rng.choice(
        ["What is the {}?", "Which {} is shown?", "What does {} say?", "What is entered as {}?"]
    ).format(names[which])
    quote = Quote("candidate", index, begin, begin + len(values[which]))
    return Step("page text", "Question", text, tuple(lines), ASK_VERBS, "read", index, quote)


def with_pixels(step: Step, rng: Random, text_crops: list[int], dial_crops: list[int]) -> Step:
    """The step as a model with eyes sees it: every line gets the crop of some text (or some dial)."""
    crops = tuple(
        rng.choice(dial_crops if line.words.startswith("dial") and dial_crops else text_crops)
        for line in step.lines
    )
    lines = tuple(replace(line, region=True) for line in step.lines)
    return replace(step, lines=lines, crops=crops, words=("",) * len(lines))


PLATES = {plate_question: 4.0, plate_statement: 0.8, page_text: 1.2}
