"""What a ticket is: the fields that a person or a program gives, and their limits."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

Priority = Literal["low", "normal", "high"]
PRIORITIES: tuple[Priority, ...] = ("low", "normal", "high")
_CODE = r"^[A-Za-z0-9][A-Za-z0-9 ._/-]*$"


def _blank_is_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


class NewTicket(BaseModel):
    """A ticket before it has a number."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    asset_tag: str = Field(
        min_length=2, max_length=40, pattern=_CODE, description="Tag of the equipment, such as PUMP-07"
    )
    serial_number: str = Field(
        min_length=2, max_length=40, pattern=_CODE, description="Serial number on the nameplate"
    )
    model: Annotated[str | None, BeforeValidator(_blank_is_none)] = Field(
        default=None, max_length=60, description="Model on the nameplate"
    )
    pressure_bar: float | None = Field(
        default=None, ge=0, le=1000, allow_inf_nan=False, description="Pressure reading in bar"
    )
    priority: Priority = Field(default="normal", description="How soon it has to be looked at")
    condition: str = Field(min_length=3, max_length=2000, description="What is wrong, in words")
    machine_stopped: bool = Field(default=False, description="Whether the machine stands still")


class Ticket(NewTicket):
    """A stored ticket."""

    id: int = Field(description="Number of the ticket")
    created_at: datetime = Field(description="When it was stored, in UTC")
    source: Literal["web", "api", "example"] = Field(description="How it came in")


#: What a person reads beside a field that was refused.
_COMPLAINTS = {
    "asset_tag": "Enter the asset tag: 2 to 40 letters, digits, spaces or . _ / -",
    "serial_number": "Enter the serial number: 2 to 40 letters, digits, spaces or . _ / -",
    "model": "The model has at most 60 characters.",
    "pressure_bar": "Enter the pressure as a number from 0 to 1000, in bar.",
    "priority": "Choose low, normal or high.",
    "condition": "Describe the condition in 3 to 2000 characters.",
    "machine_stopped": "Tick the box or leave it empty.",
}
_PRESSURE = re.compile(r"(-?[0-9]+(?:[.,][0-9]+)?)\s*(?:bar)?", re.IGNORECASE)


def from_form(fields: dict[str, str]) -> tuple[NewTicket | None, dict[str, str]]:
    """A ticket from the text fields of the page, or a complaint for each field that was refused.

    The pressure may carry its unit and a decimal comma, as people write it.
    """
    values: dict[str, object] = {name: text for name, text in fields.items() if name in _COMPLAINTS}
    pressure = fields.get("pressure_bar", "").strip()
    match = _PRESSURE.fullmatch(pressure)
    values["pressure_bar"] = match[1].replace(",", ".") if match else (pressure or None)
    values["machine_stopped"] = "machine_stopped" in fields
    try:
        return NewTicket.model_validate(values), {}
    except ValidationError as error:
        names = [str(problem["loc"][0]) for problem in error.errors()]
        return None, {name: _COMPLAINTS[name] for name in names}
