"""Does the gateway grow? An hour's requests in a row, with guards, budget, audit log and ledger.

    python -m benchmarks.gateway_memory --requests 8300 --out memory.json

8,300 is what one machine with two cores answers about photos in an hour (2.3 a second, docs/serve.md). A
provider answers at once, so only what stands around the models is measured; each request is of another run
and other words, so that nothing is kept by being alike. Nothing leaves the machine.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import psutil

from benchmarks.gateway_overhead import MARKS, REQUEST, VERBS, Instant
from llava_agent.database import open_database
from llava_agent.gateway.audit import open_audit
from llava_agent.gateway.budget_store import Budgets
from llava_agent.gateway.deployment import local_deployments
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.guards import Guards
from llava_agent.gateway.ledger import Ledger
from llava_agent.gateway.ledger_store import LedgerStore
from llava_agent.gateway.live import Fixed, Snapshot
from llava_agent.gateway.model import LocalModel, Price
from llava_agent.gateway.place import shipped_policy
from llava_agent.gateway.policy import Budget
from llava_agent.gateway.safeguards import Safeguards

#: Requests before the first measurement: packages, caches and pools are filled by then.
WARM_UP = 300


def door(folder: Path) -> Gateway:
    """Everything that stands around a model."""
    os.environ["LLAVA_AGENT_CONFIG"] = str(folder)
    database = open_database(str(folder / "memory.db"))
    model = LocalModel("instant", "text", Instant(), Price(per_second=Decimal("0.00001")))
    budget = Budget(scope="run", limit=Decimal(10**6))
    policy = shipped_policy().model_copy(update={"audit": True, "budgets": (budget,)})
    safeguards = Safeguards(
        screen=Guards(policy.guards),
        audit=open_audit(database),
        budgets=Budgets(lambda: database),
        sinks=(LedgerStore(database),),
    )
    return Gateway(Fixed(Snapshot(policy, local_deployments({"instant": model}))), safeguards=safeguards)


def measure(requests: int, every: int) -> dict[str, float]:
    """Resident memory while the requests are made, in MiB, and its slope in KiB a request."""
    process = psutil.Process()
    at: list[int] = []
    sizes: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        gateway = door(Path(folder))
        began = time.monotonic()
        for number in range(WARM_UP + requests):
            request = replace(REQUEST, run=f"run-{number}", history=(f"step {number} was made",))
            gateway.recording(Ledger()).choose(request, MARKS, VERBS)
            if number >= WARM_UP and (number - WARM_UP) % every == 0:
                gc.collect()
                at.append(number - WARM_UP)
                sizes.append(process.memory_info().rss / 1024)
        seconds = time.monotonic() - began
    slope = statistics.linear_regression(at, sizes).slope
    half = len(at) // 2
    late = statistics.linear_regression(at[half:], sizes[half:]).slope
    return {
        "requests": requests,
        "seconds": round(seconds, 1),
        "first_mib": round(sizes[0] / 1024, 1),
        "last_mib": round(sizes[-1] / 1024, 1),
        "slope_kib_a_request": round(slope, 4),
        "slope_of_the_second_half_kib_a_request": round(late, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=8300)
    parser.add_argument("--every", type=int, default=100, help="requests between two looks at the memory")
    parser.add_argument("--out", type=Path, help="also write the figures to this JSON file")
    arguments = parser.parse_args()
    text = json.dumps(measure(arguments.requests, arguments.every), indent=2)
    sys.stdout.write(text + "\n")
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
