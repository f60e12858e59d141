"""Values that people type and that plates and gauges show."""

from __future__ import annotations

from random import Random

from training.render.screens.vocabulary import FIRST_NAMES, LAST_NAMES, WORDS

#: Names of the button that sends a form.
SUBMIT = (
    "Submit",
    "Save",
    "OK",
    "Send",
    "Create",
    "Create ticket",
    "Submit ticket",
    "Save record",
    "File report",
    "Continue",
    "Add",
    "Register",
    "Finish",
    "Done",
)


def word_value(rng: Random) -> str:
    """Something that people type: a name, a word, a number, a code, an address."""
    return rng.choice(
        [
            rng.choice(FIRST_NAMES),
            f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}",
            rng.choice(WORDS),
            str(rng.randint(1, 99999)),
            code(rng),
            f"{rng.choice(FIRST_NAMES).lower()}@{rng.choice(WORDS)}.com",
            f"{rng.randint(0, 999)}.{rng.randint(0, 9)}",
            " ".join(rng.sample(WORDS, rng.randint(2, 4))),
            "".join(rng.choices("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789", k=rng.randint(3, 8))),
        ]
    )


def code(rng: Random) -> str:
    """A serial number, asset tag or model name."""
    letters = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=rng.randint(1, 4)))
    digits = "".join(rng.choices("0123456789", k=rng.randint(2, 7)))
    return rng.choice(
        [
            f"{letters}-{digits}",
            f"{letters}{digits}",
            digits,
            f"{letters}-{digits[:2]}-{digits[2:] or '0'}",
            f"{letters} {digits}",
            f"{digits[:3]}-{letters}",
        ]
    )


#: What nameplates and gauges say, with the words that people and forms use for it.
READINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("serial", ("serial number", "serial no", "serial", "S/N")),
    ("model", ("model", "model number", "type", "model name")),
    ("asset", ("asset tag", "asset number", "asset", "tag", "equipment ID", "inventory number")),
    ("pressure", ("pressure", "pressure reading", "gauge reading", "operating pressure")),
    ("manufacturer", ("manufacturer", "maker", "brand")),
    ("year", ("year", "year built", "year of manufacture")),
    ("power", ("power", "rated power", "motor power")),
    ("voltage", ("voltage", "rated voltage")),
    ("temperature", ("temperature", "temperature reading")),
    ("flow", ("flow", "flow rate")),
    ("meter", ("meter reading", "counter reading", "reading", "operating hours")),
)


def reading_value(rng: Random, key: str) -> str:
    """What a plate or gauge says for a reading."""
    number = f"{rng.randint(0, 99)}.{rng.randint(0, 9)}" if rng.random() < 0.6 else str(rng.randint(1, 400))
    unit = {
        "pressure": ["bar", "psi", "kPa", ""],
        "power": ["kW", "W", "HP"],
        "voltage": ["V", "VAC"],
        "flow": ["m3/h", "l/min"],
        "temperature": ["°C", "C", "°F"],
        "meter": ["", "h", "kWh", "m3"],
    }
    if key in unit:
        return f"{number} {rng.choice(unit[key])}".strip()
    if key == "year":
        return str(rng.randint(1985, 2026))
    if key == "manufacturer":
        name = rng.choice(LAST_NAMES)
        firm = rng.choice(["Pumps", "Werke", "GmbH", "Industries", "AG", "Motors"])
        return rng.choice([f"{name} {firm}", rng.choice(LAST_NAMES).upper()])
    return code(rng)
