"""The way to a date in a calendar that is open on the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from tools.mark import Mark

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH = re.compile(rf"\b({'|'.join(_MONTHS)}|{'|'.join(name[:3] for name in _MONTHS)})\b", re.IGNORECASE)
_YEAR = re.compile(r"\b((?:19|20)\d\d)\b")
_BACK = frozenset({"prev", "previous", "‹", "<", "«", "←", "previous month"})
_ON = frozenset({"next", "›", ">", "»", "→", "next month"})


def toward(wanted: date, marks: Sequence[Mark]) -> Mark | None:
    """What to click next in an open calendar: the day where its month is shown, else the way to its month."""
    shown = _shown(marks)
    if shown is None:
        return None
    if shown == (wanted.year, wanted.month):
        days = [mark for mark in marks if mark.text.strip() == str(wanted.day) and mark.role != "heading"]
        return next((mark for mark in days if mark.role != "text"), days[0] if days else None)
    names = _BACK if shown > (wanted.year, wanted.month) else _ON
    return next((mark for mark in marks if mark.text.strip().casefold() in names), None)


def _shown(marks: Sequence[Mark]) -> tuple[int, int] | None:
    """Year and month of the calendar's head, which may be one text or two."""
    for index, mark in enumerate(marks):
        month = _MONTH.fullmatch(mark.text.strip()) or _MONTH.match(mark.text.strip())
        if month is None:
            continue
        around = " ".join(one.text for one in marks[index : index + 2])
        year = _YEAR.search(around)
        if year:
            number = next(
                at for at, name in enumerate(_MONTHS, 1) if name.startswith(month[1].casefold()[:3])
            )
            return int(year[1]), number
    return None
