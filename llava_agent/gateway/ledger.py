"""What every model call cost: one JSON line a call, append-only."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal, Protocol

from llava_agent.gateway.data_class import UNCLASSIFIED, DataClass
from llava_agent.gateway.model import Tier
from llava_agent.gateway.request import StepKind

LEDGER_VERSION = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One call.

    Attributes:
        call: which of the gateway's two calls.
        reason: why this model, as a sentence.
        ms: wall time of the call in milliseconds, by part as the model reports it, with `total`.
        confidence: of the choice; None for a completion or a failed call.
        cost: in the installation's currency, as a decimal string; None without a price.
        reserved: most that the call could have cost, held back from budgets while it ran; None without one.
        attempt: number of the call for the same request, from 1.
        user, department: on whose behalf; empty for whoever sits at this machine.
        data_class: of the request.
        policy: version hash of the policy that permitted it.
        approval: id of the approval that let it happen; empty where none was needed.
        shadow: asked only to measure what the step would have cost; its answer was not used.
    """

    run: str
    step: int | None
    kind: StepKind
    call: Literal["choose", "complete"]
    model: str
    tier: Tier
    reason: str
    prompt_tokens: int = 0
    image_tokens: int = 0
    output_tokens: int = 0
    reused_tokens: int = 0
    ms: dict[str, float] = field(default_factory=dict)
    confidence: float | None = None
    verb: str | None = None
    cost: str | None = None
    reserved: str | None = None
    attempt: int = 1
    user: str = ""
    department: str = ""
    data_class: DataClass = UNCLASSIFIED
    policy: str = ""
    approval: str = ""
    shadow: bool = False
    outcome: Literal["ok", "error"] = "ok"
    error: str | None = None
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
    v: int = LEDGER_VERSION


@dataclass(frozen=True, slots=True)
class Total:
    """Sum over calls; `money` over those that have a price."""

    calls: int = 0
    prompt_tokens: int = 0
    image_tokens: int = 0
    output_tokens: int = 0
    reused_tokens: int = 0
    ms: float = 0.0
    money: Decimal = Decimal(0)

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.output_tokens


class Sink(Protocol):
    """Takes every entry of a ledger, too: the store of all runs, or the metrics."""

    def write(self, entry: Entry) -> None: ...


class Ledger:
    """Entries in memory, on disk where a path is given, and in further sinks. Safe to share between threads.

    Args:
        path: JSONL file to append to; its folder must exist. Lines already there are read first, so that a
            resumed run keeps counting; a torn last line (a kill in mid-write) is dropped.
    """

    def __init__(self, path: Path | None = None, sinks: Iterable[Sink] = ()) -> None:
        self.path = path
        self._sinks = tuple(sinks)
        self._lock = threading.Lock()
        self._entries: list[Entry] = read(path) if path and path.exists() else []
        # A line torn by a kill is closed first, so that it cannot swallow the next one.
        self._torn = bool(path and path.exists() and not (path.read_bytes() or b"\n").endswith(b"\n"))

    @property
    def entries(self) -> tuple[Entry, ...]:
        with self._lock:
            return tuple(self._entries)

    def write(self, entry: Entry) -> None:
        """Append one call, its texts masked."""
        entry = masked_entry(entry)
        self._append(entry)
        for sink in self._sinks:
            sink.write(entry)

    def _append(self, entry: Entry) -> None:
        with self._lock:
            self._entries.append(entry)
            if self.path is None:
                return
            with self.path.open("a", encoding="utf-8") as file:
                if self._torn:
                    file.write("\n")
                    self._torn = False
                file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")

    def total(self) -> Total:
        """Everything that counts against a run's budget: shadow calls do not."""
        return total(entry for entry in self.entries if not entry.shadow)

    def by_model(self, *, shadow: bool = False) -> dict[str, Total]:
        entries = [entry for entry in self.entries if entry.shadow == shadow]
        names = dict.fromkeys(entry.model for entry in entries)
        return {name: total(entry for entry in entries if entry.model == name) for name in names}

    def of_step(self, step: int) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.step == step)


def masked_entry(entry: Entry) -> Entry:
    """The entry as it may be written down: what an error or a reason says may repeat content."""
    from llava_agent.gateway.guards.sink import masked

    error = masked(entry.error) if entry.error else entry.error
    return replace(entry, reason=masked(entry.reason), error=error)


def total(entries: Iterable[Entry]) -> Total:
    kept = list(entries)
    return Total(
        calls=len(kept),
        prompt_tokens=sum(entry.prompt_tokens for entry in kept),
        image_tokens=sum(entry.image_tokens for entry in kept),
        output_tokens=sum(entry.output_tokens for entry in kept),
        reused_tokens=sum(entry.reused_tokens for entry in kept),
        ms=sum(entry.ms.get("total", 0.0) for entry in kept),
        money=sum((Decimal(entry.cost) for entry in kept if entry.cost), Decimal(0)),
    )


def read(path: Path) -> list[Entry]:
    """Entries of a ledger file; lines that are not whole are skipped."""
    entries = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entries.append(Entry(**json.loads(line)))
        except (json.JSONDecodeError, TypeError):
            continue
    return entries
