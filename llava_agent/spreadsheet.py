"""Texts that go into a CSV file: a spreadsheet must not take them for formulas."""

from __future__ import annotations

#: Signs with which a spreadsheet begins a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """The text, with an apostrophe before what would be a formula; a signed number is none."""
    is_number = text[:1] in "+-" and text[1:2].isdigit()
    return f"'{text}" if text.startswith(_FORMULA) and not is_number else text
