"""What is written on nameplates: field keys, the labels they go under, and values that look the part."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass

from training.render.equipment.part import Rng, between, chance, pick


@dataclass(frozen=True, slots=True)
class Field:
    """One entry of a nameplate: `key` is the canonical name, `label` what the plate calls it."""

    key: str
    label: str
    value: str


#: Canonical field -> the labels that plates use for it.
LABELS: dict[str, tuple[str, ...]] = {
    "manufacturer": ("Manufacturer", "MFR", "Mfg. by", "Made by", "MANUFACTURER"),
    "model": ("Model", "MODEL", "Type", "TYPE", "Model No.", "MOD.", "Typ", "Model Number", "Mod. No."),
    "serial_number": (
        "Serial No.",
        "S/N",
        "SERIAL NUMBER",
        "Serial number",
        "Ser. No.",
        "SN",
        "SERIAL NO",
        "Serial #",
        "S/No.",
        "Serial",
    ),
    "year": ("Year", "YEAR", "Built", "Year of manufacture", "Year built", "MFG YEAR", "Mfd."),
    "power": ("Power", "POWER", "P2", "Rated power", "Motor", "OUTPUT", "P"),
    "voltage": ("Voltage", "VOLTS", "U", "Supply", "VOLTAGE", "Rated voltage"),
    "current": ("Current", "AMPS", "I", "Rated current", "FLA"),
    "frequency": ("Frequency", "Freq.", "HERTZ", "f", "FREQ"),
    "speed": ("Speed", "RPM", "n", "SPEED", "Rated speed"),
    "flow": ("Flow", "Q", "FLOW RATE", "Capacity", "Flow max.", "Q max"),
    "head": ("Head", "H", "HEAD", "H max", "Total head"),
    "max_pressure": (
        "Max. pressure",
        "p max",
        "MAX PRESSURE",
        "PS",
        "MAWP",
        "Max press.",
        "MAX. WORKING PRESSURE",
    ),
    "temperature": ("Max. temp.", "T max", "TEMP MAX", "Temperature", "TS"),
    "weight": ("Weight", "WEIGHT", "Mass", "Net weight"),
    "protection": ("Protection", "ENCLOSURE", "IP", "IP rating"),
    "asset_tag": (
        "Asset tag",
        "ASSET NO.",
        "Asset ID",
        "Tag No.",
        "TAG",
        "Equipment No.",
        "Inventory No.",
        "ASSET TAG",
    ),
    "order_number": ("Order No.", "Job No.", "Art. No.", "P/N", "PART NO.", "Ref."),
}

MAKERS = (
    "NOVATEK",
    "HALDEN",
    "BRUNNER",
    "VELDT",
    "ORVIX",
    "CALDER",
    "HYDROMESS",
    "KELVO",
    "ARMATEK",
    "SARN",
    "TERMA",
    "Linde & Roth",
    "Norpump",
    "AQUARA",
    "Brandt Systems",
    "DELMAR",
    "Kestrel",
    "POLARIS",
    "Ferrox",
    "OSTRA",
)
PRODUCTS = (
    "CENTRIFUGAL PUMP",
    "SCREW COMPRESSOR",
    "HEAT EXCHANGER",
    "ELECTRIC MOTOR",
    "PRESSURE VESSEL",
    "DOSING PUMP",
    "VACUUM PUMP",
    "GEAR REDUCER",
    "AIR DRYER",
    "HYDRAULIC UNIT",
    "BOOSTER SET",
    "COOLING FAN",
    "CONTROL VALVE",
)


def _digits(rng: Rng, count: int) -> str:
    return "".join(str(int(d)) for d in rng.integers(0, 10, count))


def _letters(rng: Rng, count: int) -> str:
    return "".join(pick(rng, string.ascii_uppercase.replace("O", "").replace("I", "")) for _ in range(count))


def _serial(rng: Rng) -> str:
    forms: tuple[Callable[[], str], ...] = (
        lambda: f"SN-{_digits(rng, 5)}",
        lambda: _letters(rng, 1) + _digits(rng, 7),
        lambda: f"{pick(rng, range(10, 26))}-{_digits(rng, 6)}",
        lambda: f"20{_digits(rng, 2)}/{_digits(rng, 5)}",
        lambda: f"{_letters(rng, 2)}{_digits(rng, 5)}-{_digits(rng, 2)}",
        lambda: f"{_letters(rng, 2)}{_digits(rng, 4)}-{_digits(rng, 4)}",
        lambda: "1" + _digits(rng, 7),
        lambda: f"{_digits(rng, 3)}.{_digits(rng, 3)}.{_digits(rng, 2)}",
        lambda: f"{_letters(rng, 3)}{_digits(rng, 6)}",
    )
    return pick(rng, forms)()


def _model(rng: Rng) -> str:
    forms: tuple[Callable[[], str], ...] = (
        lambda: f"{_letters(rng, 2)}-{pick(rng, (100, 125, 200, 250, 315, 400, 500, 750))}",
        lambda: f"{_letters(rng, 2)} {pick(rng, (32, 40, 50, 65, 80))}-{pick(rng, (125, 160, 200, 250))}",
        lambda: f"{_letters(rng, 3)} {pick(rng, (40, 50, 65))}/{pick(rng, (160, 200, 250))}",
        lambda: f"{_letters(rng, 2)}{_digits(rng, 3)}{_letters(rng, 1)}",
        lambda: f"{_letters(rng, 1)}{_digits(rng, 2)}-{_letters(rng, 2)}",
    )
    return pick(rng, forms)()


def asset_tag(rng: Rng) -> str:
    """A plant's own name for a machine, such as `P-1042`."""
    forms: tuple[Callable[[], str], ...] = (
        lambda: (
            f"{pick(rng, ('P', 'C', 'K', 'V', 'E', 'M', 'T'))}-{_digits(rng, 3)}{pick(rng, ('', 'A', 'B'))}"
        ),
        lambda: f"{pick(rng, ('P', 'C', 'HX', 'CMP', 'PMP', 'FAN'))}-{_digits(rng, 4)}",
        lambda: f"{_digits(rng, 2)}-{pick(rng, ('PU', 'CO', 'MT'))}-{_digits(rng, 3)}",
        lambda: f"A{_digits(rng, 6)}",
    )
    return pick(rng, forms)()


def random_value(rng: Rng, key: str) -> str:
    """A plausible value of that field."""
    makers: dict[str, Callable[[], str]] = {
        "manufacturer": lambda: pick(rng, MAKERS),
        "model": lambda: _model(rng),
        "serial_number": lambda: _serial(rng),
        "year": lambda: str(pick(rng, range(1987, 2026))),
        "power": lambda: (
            f"{pick(rng, (0.55, 0.75, 1.1, 1.5, 2.2, 3, 4, 5.5, 7.5, 11, 15, 18.5, 22, 30, 45))} kW"
        ),
        "voltage": lambda: pick(rng, ("400 V", "230 V", "480 V", "230/400 V", "3x400 V", "24 V DC", "690 V")),
        "current": lambda: f"{between(rng, 0.8, 90):.1f} A",
        "frequency": lambda: pick(rng, ("50 Hz", "60 Hz", "50/60 Hz")),
        "speed": lambda: f"{pick(rng, (960, 1450, 1475, 2900, 2940, 3500))} {pick(rng, ('rpm', '1/min'))}",
        "flow": lambda: pick(
            rng, (f"{pick(rng, range(2, 320))} m³/h", f"{pick(rng, range(10, 900, 5))} l/min")
        ),
        "head": lambda: f"{pick(rng, range(4, 160))} m",
        "max_pressure": lambda: f"{pick(rng, (6, 8, 10, 12, 16, 25, 40, 100, 250))} bar",
        "temperature": lambda: f"{pick(rng, (40, 60, 80, 90, 110, 120, 140, 180))} °C",
        "weight": lambda: f"{pick(rng, range(4, 900))} kg",
        "protection": lambda: pick(rng, ("IP55", "IP65", "IP54", "IP66", "IP44", "IP67")),
        "asset_tag": lambda: asset_tag(rng),
        "order_number": lambda: _digits(rng, 6) + pick(rng, ("", f"-{_digits(rng, 2)}")),
    }
    return makers[key]()


_TECHNICAL = tuple(k for k in LABELS if k not in ("manufacturer", "model", "serial_number", "asset_tag"))


def random_fields(rng: Rng, count: int) -> tuple[Field, ...]:
    """Distinct fields in a plate's usual order: model, serial number, technical data, seldom an asset tag."""
    keys = ["model", "serial_number"] if chance(rng, 0.9) else [pick(rng, ("model", "serial_number"))]
    if chance(rng, 0.4):
        keys.reverse()
    rest = [_TECHNICAL[int(i)] for i in rng.permutation(len(_TECHNICAL))]
    keys += rest[: max(0, count - len(keys))]
    if chance(rng, 0.25):
        keys.insert(int(rng.integers(0, len(keys) + 1)), "asset_tag")
    if chance(rng, 0.15):
        keys.insert(0, "manufacturer")
    capitals = chance(rng, 0.3)
    fields = [Field(key, pick(rng, LABELS[key]), random_value(rng, key)) for key in keys]
    return tuple(Field(f.key, f.label.upper() if capitals else f.label, f.value) for f in fields)
