"""What the owner of a page expects of it."""

from __future__ import annotations

from typing import Any

from benchmarks.check_pages.shapes import ACCENTS, Page


def expectations(page: Page) -> list[dict[str, Any]]:
    """What the page's owner expects of it."""
    names = [name for name, _ in page.rows]
    return [
        {"shows": {"name": page.title, "role": "heading"}},
        {"text": page.total},
        *({"shows": name} for name in names),
        *({"text": value} if page.shape == "form" else {"shows": value} for _, value in page.rows),
        {"order": names},
        {"aligned": {"things": names, "by": "left"}},
        {"state": {"name": page.main, "role": "button", "is": "enabled"}},
        {"text": {"name": page.main, "role": "button"}},
        {"state": {"name": page.other, "is": "disabled"}},
        {"state": {"name": page.box, "is": "checked"}},
        {"colour": {"of": {"name": page.main, "role": "button"}, "is": ACCENTS[page.style]}},
        {"image": page.picture},
        {"contrast": "everything"},
        {"not_cut_off": "everything"},
        {"no_overlap": "everything"},
        {"no_errors": True},
        {"not_shows": "went wrong"},
    ]
