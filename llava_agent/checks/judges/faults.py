"""`no_errors`: what went wrong beside the page."""

from __future__ import annotations

from typing import Literal

from llava_agent.checks.expectation import NoErrors
from llava_agent.checks.sighting import Sighting
from llava_agent.checks.verdict import Verdict

_FAULTS = frozenset({"console_error", "http_error", "request_failed", "crash"})


def no_errors(wanted: NoErrors | Literal[True], seen: Sighting) -> Verdict:
    words, first = "no error beside the page", seen.parts[0].screenshot
    if not seen.exact:
        return Verdict("uncertain", words, "none", "a picture does not tell errors", screenshot=first)
    ignored = wanted.ignore if isinstance(wanted, NoErrors) else ()
    found = [
        notice
        for notice in seen.notices
        if notice.kind in _FAULTS and not any(text in notice.text for text in ignored)
    ]
    if not found:
        return Verdict("pass", words, "dom", screenshot=first)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    detail = f"{found[0].kind.replace('_', ' ')}: {found[0].text}{more}"
    return Verdict("fail", words, "dom", detail, found[0].text, None, first)
