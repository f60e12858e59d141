"""How a run ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from llava_agent.agent.fact import Fact
from llava_agent.agent.loop import End
from llava_agent.agent.record import Status, StoredResult
from llava_agent.agent.scribe import store_check, store_fact
from llava_agent.agent.state import Counters, Spent, State
from llava_agent.agent.verify import Verification
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.ledger import Ledger, Total

_EXIT: dict[Status, int] = {"passed": 0, "failed": 1, "blocked": 3, "budget": 4, "unverified": 5}


@dataclass(frozen=True, slots=True)
class RunResult:
    """The end of a run and what it took.

    Attributes:
        reason: one sentence.
        models: tokens and milliseconds by model.
        folder: the run's folder.
        report: the HTML page in it.
        gateway: the run's own; its `asked` holds the questions where they were kept.
    """

    status: Status
    reason: str
    verification: Verification
    facts: tuple[Fact, ...]
    spent: Spent
    counters: Counters
    models: dict[str, Total]
    folder: Path
    report: Path
    gateway: Gateway

    @property
    def exit_code(self) -> int:
        """0 passed, 1 failed, 3 blocked, 4 budget, 5 unverified; 2 stays for errors of the command itself."""
        return _EXIT[self.status]

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "status": self.status,
            "reason": self.reason,
            "verification": asdict(self.verification),
            "facts": [store_fact(fact).model_dump() for fact in self.facts],
            "steps": self.spent.steps,
            "seconds": round(self.spent.seconds, 3),
            "tokens": self.spent.tokens,
            "image_tokens": self.spent.image_tokens,
            "money": str(self.spent.money),
            "counters": asdict(self.counters),
            "models": _models(self.models),
            "folder": str(self.folder),
            "report": str(self.report),
        }


def stored(state: State, end: End, ledger: Ledger, policy: str, report: str) -> StoredResult:
    """The result as it is written to `result.json`."""
    return StoredResult(
        status=end.status,
        reason=end.reason,
        steps=state.spent.steps,
        seconds=round(state.spent.seconds, 3),
        facts=tuple(store_fact(fact) for fact in state.facts),
        verification=store_check(end.verification),
        models=_models(ledger.by_model()),
        counters=asdict(state.counters),
        policy=policy,
        report=report,
    )


def _models(totals: dict[str, Total]) -> dict[str, dict[str, float]]:
    return {
        name: {**asdict(total), "ms": round(total.ms, 1), "money": float(total.money)}
        for name, total in totals.items()
    }
