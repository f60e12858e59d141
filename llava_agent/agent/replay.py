"""Replays a verified run: strictly, without a model, or healing what has drifted.

Strict: every recorded target must stand on the page under its stable ref (role, name, ancestors), every page
must be the recorded one, and every step that held must hold again. The first difference ends it, named.

Healing: a target that moved is found by its role and name; where that fails, the model decides that step.
What was healed is written as a diff to review (`heal.diff`, `healed.json`); the recording stays as it is.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from llava_agent.agent.decision import Decision
from llava_agent.agent.drift import Drift
from llava_agent.agent.expect import Expectation, rebuilt
from llava_agent.agent.history import words
from llava_agent.agent.loop import Progress
from llava_agent.agent.policy import Policy
from llava_agent.agent.record import StepRecord, StoredMark
from llava_agent.agent.result import RunResult
from llava_agent.agent.run import POLICIES, run_task
from llava_agent.agent.state import Budget, State
from llava_agent.agent.supervision import Supervision
from llava_agent.agent.surfaces import Open
from llava_agent.agent.trace import RunSettings, Trace, read_records, read_result, write_whole
from llava_agent.errors import ConfigError
from llava_agent.gateway.gateway import Gateway
from tools.action import Action, Done, Navigate, Target
from tools.mark import Mark
from tools.observation import Observation

#: Steps that a model took for itself; what they found out stands in the later actions.
_WITHOUT_EFFECT = frozenset({"look", "ask", "screenshot", "done"})
#: Steps that a healing may add to the recorded ones.
_MORE = 10


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run that may be replayed: it has passed, and was checked by expectations that can be checked again.

    Attributes:
        steps: those that did something, in order.
    """

    folder: Path
    settings: RunSettings
    steps: tuple[StepRecord, ...]
    expectations: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True)
class Heal:
    """A step that was done in another way than recorded; `by` is `name` or the model's policy."""

    step: int
    recorded: str
    now: str
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """How a replay ended; `drift` names what was not as recorded, empty where all was."""

    result: RunResult
    drift: str
    heals: tuple[Heal, ...]

    def as_dict(self) -> dict[str, object]:
        return {
            **self.result.as_dict(), "drift": self.drift, "heals": [asdict(heal) for heal in self.heals]
        }  # fmt: skip


def recorded(folder: Path) -> Recorded:
    """Read a run for replay or export.

    Raises:
        ConfigError: it holds no run, or one that was not verified.
    """
    settings, result = Trace.open(folder).settings, read_result(folder)
    if result is None or result.status != "passed":
        status = result.status if result else "not finished"
        raise ConfigError(
            f"the run in {folder} is {status}", "only a run that passed can be replayed or exported"
        )
    steps = tuple(
        step
        for step in read_records(folder)
        if isinstance(step, StepRecord)
        and step.outcome == "ok"
        and step.action is not None
        and step.action.verb not in _WITHOUT_EFFECT
    )
    return Recorded(folder, settings, steps, tuple(rebuilt(one) for one in settings.checks))


@dataclass(slots=True)
class ReplayPolicy(Policy):
    """Plays recorded steps, each on what is seen now.

    Attributes:
        healer: decides a step that has drifted; None is strict.
        moved: (old origin, new origin), where the pages are served elsewhere now.
    """

    steps: Sequence[StepRecord]
    healer: Policy | None = None
    moved: tuple[str, str] = ("", "")
    name: str = "replay"
    drift: str = ""
    heals: list[Heal] = field(default_factory=list)
    script: list[Action] = field(default_factory=list)
    _next: int = 0

    def decide(self, state: State, observation: Observation) -> Decision:
        late = self._unlike_before(state)
        if late and self.healer is not None:
            return self._ask(self.steps[self._next - 1], f"{late}; the model repairs it", state, observation)
        if late:
            self._stop(late)
        if self._next == len(self.steps):
            return Decision(Done(), "the recorded steps are at their end")
        step = self.steps[self._next]
        self._next += 1
        action, problem = self._now(step, observation)
        if action is not None:
            self.script.append(action)
            return Decision(action, "as recorded")
        if self.healer is None:
            self._stop(f"step {step.step} ({step.line}): {problem}")
        named = _by_name(step, observation)
        if named is not None:
            self._healed(step, named, observation, "name", problem)
            return Decision(named, f"healed by name: {problem}")
        return self._ask(step, problem, state, observation)

    def _unlike_before(self, state: State) -> str:
        """What went wrong with the step before, which had held when it was recorded."""
        if not state.trouble or not self._next or self.drift:
            return ""
        step = self.steps[self._next - 1]
        held = step.verification.status != "failed"
        return f"step {step.step} ({step.line}): it held, and now {state.trouble}" if held else ""

    def _now(self, step: StepRecord, observation: Observation) -> tuple[Action | None, str]:
        """The recorded action on the page of now, or what has drifted."""
        action = step.action
        assert action is not None
        was, is_ = _place(self._here(step.observation.address)), _place(observation.address)
        if was != is_:
            return None, f"the page was {was} and is {is_}"
        if isinstance(action, Navigate):
            return action.model_copy(update={"url": self._here(action.url)}), ""
        changed: dict[str, Target] = {}
        for name in ("target", "to"):
            target = getattr(action, name, None)
            if not isinstance(target, Target) or target.ref is None:
                continue
            mark = _same(target.ref, step.observation.marks, observation)
            if mark is None:
                return None, f"{_words(target.ref, step)} is not there"
            changed[name] = Target(ref=mark.ref)
        return (action.model_copy(update=changed) if changed else action), ""

    def _here(self, address: str) -> str:
        old, new = self.moved
        return new + address[len(old) :] if old and address.startswith(old) else address

    def _ask(self, step: StepRecord, why: str, state: State, observation: Observation) -> Decision:
        assert self.healer is not None
        decision = self.healer.decide(state, observation)
        if decision.action is not None:
            self._healed(step, decision.action, observation, self.healer.name, why)
        return decision

    def _healed(self, step: StepRecord, action: Action, seen: Observation, by: str, why: str) -> None:
        self.script.append(action)
        self.heals.append(Heal(step.step, step.line, words(action, seen), by, why))

    def _stop(self, drift: str) -> None:
        self.drift = drift
        raise Drift(
            f"the page has drifted from the recording: {drift}", "replay with --heal, or record it anew"
        )


async def replay(
    folder: Path,
    *,
    out: Path,
    gateway: Gateway | None = None,
    heal: bool = False,
    address: str | None = None,
    policy: str = "routed",
    supervision: Supervision | None = None,
    progress: Progress | None = None,
    open_surface: Open | None = None,
) -> Replayed:
    """Replay a verified run into a folder of its own.

    Args:
        gateway: models for healing; a strict replay has none and can call none.
        heal: repair what has drifted, instead of failing.
        address: where the page is now; as recorded where None.
        policy: which model policy heals.

    Raises:
        ConfigError: the run was not verified, or `out` holds a run already.
    """
    run = recorded(folder)
    start = address or run.settings.address
    door = gateway if heal and gateway is not None else Gateway({})
    made: list[ReplayPolicy] = []

    def player(own: Gateway) -> ReplayPolicy:
        healer = POLICIES[policy](own) if heal else None
        made.append(ReplayPolicy(run.steps, healer, (_origin(run.settings.address), _origin(start))))
        return made[0]

    images = [Trace.open(folder).image(sha) for sha in run.settings.photos]
    result = await run_task(
        start,
        run.settings.goal,
        gateway=door,
        out=out,
        images=images,
        surface=run.settings.surface,
        observation=run.settings.observation,
        policy=player,
        budget=Budget(len(run.steps) + 1 + (_MORE if heal else 0), run.settings.max_seconds),
        expectations=run.expectations,
        supervision=supervision,
        progress=progress,
        open_surface=open_surface,
    )
    player_ = made[0]
    if player_.heals:
        _write_review(out, run, player_)
    return Replayed(result, player_.drift, tuple(player_.heals))


def _write_review(out: Path, run: Recorded, player: ReplayPolicy) -> None:
    """What a person looks at before the healed script takes the place of the recorded one."""
    lines = {heal.step: heal for heal in player.heals}
    before = [f"{step.step}: {step.line}" for step in run.steps]
    after = [
        f"{step.step}: {lines[step.step].now}  # healed by {lines[step.step].by}: {lines[step.step].why}"
        if step.step in lines
        else f"{step.step}: {step.line}"
        for step in run.steps
    ]
    diff = difflib.unified_diff(before, after, str(run.folder), str(out), lineterm="")
    write_whole(out / "heal.diff", ("\n".join(diff) + "\n").encode())
    script = [action.model_dump(mode="json") for action in player.script]
    write_whole(out / "healed.json", (json.dumps(script, indent=2, ensure_ascii=False) + "\n").encode())


def _same(ref: str, marks: Sequence[StoredMark], now: Observation) -> Mark | None:
    """The mark under the same stable ref; a ref of pixels is good for one look only, so its words decide."""
    was = next((mark for mark in marks if mark.ref == ref), None)
    if was is None or was.source not in ("ocr", "pixels"):
        return now.mark(ref)
    return _only([mark for mark in now.marks if (mark.role, mark.text) == (was.role, was.text)])


def _by_name(step: StepRecord, now: Observation) -> Action | None:
    """The recorded action on the only mark with the same role and words, wherever it stands now."""
    action = step.action
    target = getattr(action, "target", None)
    if action is None or not isinstance(target, Target) or getattr(action, "to", None) is not None:
        return None
    was = next((mark for mark in step.observation.marks if mark.ref == target.ref), None)
    if was is None or not was.text:
        return None
    found = _only([mark for mark in now.marks if (mark.role, mark.text) == (was.role, was.text)])
    return action.model_copy(update={"target": Target(ref=found.ref)}) if found else None


def _only(marks: Sequence[Mark]) -> Mark | None:
    return marks[0] if len(marks) == 1 else None


def _words(ref: str, step: StepRecord) -> str:
    mark = next((mark for mark in step.observation.marks if mark.ref == ref), None)
    return f'"{mark.text}" {mark.role} ({ref})' if mark else ref


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _place(address: str) -> str:
    """The address without what differs from run to run: numbers count as equal."""
    return re.sub(r"\d+", "N", urlsplit(address)._replace(scheme="", netloc="", fragment="").geturl()) or "/"
