"""What another policy would have done with the calls of the ledger: by its rules and capabilities alone.

Budgets, breakers and missing weights are left out: they say what is possible now, not what the policy means.
The ledger holds no content, so the needs of a call are taken from what it counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from llava_agent.gateway.classify import CHOICE_TOKENS, Case
from llava_agent.gateway.live import Snapshot
from llava_agent.gateway.principal import Principal, Role
from llava_agent.gateway.request import ModelRequest
from llava_agent.gateway.route import judge
from llava_agent.gateway.session import Session

#: Bytes of text that the ledger's tokens stand for, as `Case` counts them.
_BYTES = 3


@dataclass(frozen=True, slots=True)
class Shift:
    """Calls that are alike, and which model takes them before and after; None where none may.

    Attributes:
        user: empty for whoever sits at this machine.
        why: of the model after, or why there is none.
    """

    calls: int
    kind: str
    data_class: str
    user: str
    department: str
    before: str | None
    after: str | None
    why: str

    @property
    def changed(self) -> bool:
        return self.before != self.after

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def effect(
    entries: Iterable[Mapping[str, Any]],
    before: Snapshot,
    after: Snapshot,
    roles_of: Callable[[str], frozenset[Role]],
) -> list[Shift]:
    """The calls as either policy routes them, those first that go elsewhere, then by how many there are.

    Args:
        entries: of the ledger, as they were written.
        roles_of: the roles that a user has now.
    """
    counted: Counter[tuple[Any, ...]] = Counter()
    before, after = _all_there(before), _all_there(after)
    for entry in entries:
        if entry.get("shadow"):
            continue
        case = _case(entry, roles_of(entry["user"]))
        then, now = _taken(case, before), _taken(case, after)
        counted[(entry["kind"], entry["data_class"], entry["user"], entry["department"], then[0], *now)] += 1
    shifts = [Shift(calls, *key) for key, calls in counted.items()]
    return sorted(shifts, key=lambda one: (not one.changed, -one.calls, one.kind, one.user))


def _case(entry: Mapping[str, Any], roles: frozenset[Role]) -> Case:
    pixels = entry["image_tokens"] > 0 or entry["kind"] == "perceive"
    request = ModelRequest(
        step_kind=entry["kind"],
        instruction="",
        needs_pixels=pixels,
        data_class=entry["data_class"],
        image_class=entry["data_class"],
        run=entry["run"],
        principal=Principal(entry["user"] or "local", entry["department"], roles),
    )
    return Case(
        request=request,
        data_class=entry["data_class"],
        sources=(),
        needs=frozenset({"vision"}) if pixels else frozenset(),
        text_bytes=max(0, entry["prompt_tokens"] - entry["image_tokens"]) * _BYTES,
        images=int(pixels),
        output_tokens=max(entry["output_tokens"], CHOICE_TOKENS if entry["call"] == "choose" else 0),
    )


def _all_there(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, deployments=tuple(replace(one, absent="") for one in snapshot.deployments))


def _taken(case: Case, snapshot: Snapshot) -> tuple[str | None, str]:
    verdicts = judge(case, snapshot.deployments, snapshot.policy, Session())
    first = verdicts[0] if verdicts else None
    if first is not None and first.verdict == "taken":
        return first.model, first.reason
    return None, "; ".join(f"{one.model}: {one.reason}" for one in verdicts)
