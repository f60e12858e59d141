"""What does the gateway cost a request?

    python -m benchmarks.gateway_overhead --calls 2000 --out overhead.json

A provider that answers at once is called directly, through the gateway under the shipped policy, with the
guards, with a budget in a database, and with guards and the audit log; in turn, so that all meet the same
machine. The request is an agent's step with forty marks. Nothing leaves the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

from llava_agent.database import open_database
from llava_agent.gateway.audit import open_audit
from llava_agent.gateway.budget_store import Budgets
from llava_agent.gateway.deployment import local_deployments
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.guards import Guards
from llava_agent.gateway.ledger import Ledger
from llava_agent.gateway.live import Fixed, Snapshot
from llava_agent.gateway.model import LocalModel, Price
from llava_agent.gateway.place import shipped_policy
from llava_agent.gateway.policy import Budget, Policy
from llava_agent.gateway.request import Candidate, Choice, Completion, ModelRequest, Route, Usage
from llava_agent.gateway.safeguards import Safeguards

MARKS = tuple(
    Candidate(f'"Field {number}" textbox = value {number}', f"Field {number}") for number in range(40)
)
REQUEST = ModelRequest(
    "act",
    'Type "SN-48213" as the serial number and submit the form',
    facts=("serial number = SN-48213", "maker = Ajax"),
    history=('click "New ticket" link',),
    image=b"\x89PNG" + bytes(200_000),
)
VERBS = ("click", "type", "done")
ROUTE = Route("", "text", "")


class Instant:
    """Weights that answer at once."""

    def choose(
        self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], *, pixels: bool
    ) -> Choice:
        chances = (1.0,) + (0.0,) * (len(candidates) - 1)
        return Choice("click", {"click": 1.0}, 0, chances, 0.0, None, 1.0, Usage(300, 0, 1), ROUTE)

    def complete(self, request: ModelRequest, *, pixels: bool) -> Completion:
        return Completion("done", "stop", Usage(300, 0, 1), ROUTE)


def ways(folder: Path) -> dict[str, Callable[[], object]]:
    """What is compared, by name."""
    os.environ["LLAVA_AGENT_CONFIG"] = str(folder)
    database = open_database(str(folder / "overhead.db"))
    model = LocalModel("instant", "text", Instant(), Price(per_second=Decimal("0.00001")))
    budgeted = shipped_policy().model_copy(
        update={"budgets": (Budget(scope="user", limit=Decimal(10**6), per="month"),)}
    )

    def through(policy: Policy, safeguards: Safeguards) -> Callable[[], object]:
        live = Fixed(Snapshot(policy, local_deployments({"instant": model})))
        ledger = Ledger(folder / f"{len(list(folder.iterdir()))}.jsonl")
        gateway = Gateway(live, ledger, safeguards=safeguards)
        return lambda: gateway.choose(REQUEST, MARKS, VERBS)

    guards, audited = Guards(shipped_policy().guards), shipped_policy().model_copy(update={"audit": True})
    return {
        "direct": lambda: model.choose(REQUEST, MARKS, VERBS),
        "gateway": through(shipped_policy(), Safeguards()),
        "with guards": through(shipped_policy(), Safeguards(screen=guards)),
        "with a budget": through(budgeted, Safeguards(budgets=Budgets(lambda: database))),
        "with guards and audit": through(audited, Safeguards(screen=guards, audit=open_audit(database))),
    }


def measure(calls: int) -> dict[str, dict[str, float]]:
    """p50 and p95 in milliseconds of each way, interleaved."""
    with tempfile.TemporaryDirectory() as folder:
        compared = ways(Path(folder))
        for call in compared.values():
            call()
        taken: dict[str, list[float]] = {name: [] for name in compared}
        for _ in range(calls):
            for name, call in compared.items():
                began = time.perf_counter()
                call()
                taken[name].append((time.perf_counter() - began) * 1000)
    direct = statistics.median(taken["direct"])
    return {
        name: {
            "p50_ms": round(statistics.median(times), 4),
            "p95_ms": round(statistics.quantiles(times, n=20)[18], 4),
            "added_p50_ms": round(statistics.median(times) - direct, 4),
        }
        for name, times in taken.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--out", type=Path, help="also write the figures to this JSON file")
    arguments = parser.parse_args()
    figures = {"calls": arguments.calls, "cores": os.cpu_count(), "ways": measure(arguments.calls)}
    text = json.dumps(figures, indent=2)
    sys.stdout.write(text + "\n")
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
