"""One attempt to reach something, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

#: `reached` is a hole: a connection went where nothing permits it. `not_run` proves nothing.
Verdict = Literal["refused", "allowed", "reached", "not_run"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was tried on one path.

    Attributes:
        path: the part of the product that would open the connection.
        tried: what it was made to do, or what a configuration lets it do.
        verdict: by what the far end saw, not by what the product said.
        by: what refused or allowed it; for `reached` where it went.
    """

    path: str
    tried: str
    verdict: Verdict
    by: str


def proved(attempts: Iterable[Attempt]) -> bool:
    """Whether every attempt ran and nothing went where it may not."""
    return all(one.verdict in ("refused", "allowed") for one in attempts)
