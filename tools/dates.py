"""Dates as people write them."""

from __future__ import annotations

import re
from datetime import date

_NUMERIC = re.compile(r"^(\d{1,2})[/.](\d{1,2})[/.](\d{4})$")
_ISO = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})$")


def read_date(text: str) -> date | None:
    """The date that a text is: `01/31/2016` (the month first), `31.01.2016` (the day first), `2016-01-31`."""
    text = text.strip()
    iso, numeric = _ISO.match(text), _NUMERIC.match(text)
    try:
        if iso:
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
        if numeric:
            one, two, year = int(numeric[1]), int(numeric[2]), int(numeric[3])
            month, day = (two, one) if "." in text or one > 12 else (one, two)
            return date(year, month, day)
    except ValueError:
        return None
    return None
