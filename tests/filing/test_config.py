"""The file of a destination: strict, and wrong where filing by it could go wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from llava_agent.errors import ConfigError
from llava_agent.filing.config import ApiTarget, FormTarget, read_filing
from tests.filing.records import CONFIGS

SHIPPED = (CONFIGS / "maintenance.yaml").read_text(encoding="utf-8")
FORM = (CONFIGS / "maintenance-form.yaml").read_text(encoding="utf-8")


def test_the_shipped_destinations_are_read() -> None:
    api, form = (read_filing(CONFIGS / f"{name}.yaml") for name in ("maintenance", "maintenance-form"))
    assert isinstance(api.to, ApiTarget) and isinstance(form.to, FormTarget)
    assert api.fields["serial_number"].take == ("plate.serial_number",)
    assert set(api.fields["condition"].sources) == {"findings", "photos.count", "record"}


@pytest.mark.parametrize(
    ("text", "old", "new", "said"),
    [
        (SHIPPED, "operation: create_ticket", "operaton: create_ticket", "operaton"),
        (SHIPPED, "plate.serial_number", "plate.serial", "there is no source 'plate.serial'"),
        (SHIPPED, "reading.pressure, unit", "gauge.pressure, unit", "there is no source 'gauge.pressure'"),
        (SHIPPED, "take: faults.level, map", "take: faults.level, value: low, map", "exactly one of"),
        (SHIPPED, "record {record}", "a record", "some field must carry its id"),
        (SHIPPED, '"{serial_number}"}', '"{serial}"}', "'serial' is no field"),
        (SHIPPED, "name: maintenance ", "name: Maintenance Tickets ", "name"),
        (FORM, "  expect_address: /created", "", None),
        (FORM, "    Model: Model\n    Pressure", "    Modell: Model\n    Pressure", "'Modell' is no field"),
        (FORM, "submit: Submit ticket", "submit: ''", "submit"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, old: str, new: str, said: str | None) -> None:
    assert old in text
    path = tmp_path / "one.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    if said is None:
        read_filing(path)
        return
    with pytest.raises(ConfigError, match=said):
        read_filing(path)


def test_a_form_that_confirms_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    lines = [line for line in FORM.splitlines() if "expect_" not in line]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ConfigError, match="expect_text or expect_address"):
        read_filing(path)
