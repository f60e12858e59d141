"""One run from the user's words to a result: opens the surface, loops, writes the result and the report."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from llava_agent import __version__
from llava_agent.agent.execution import MANUALS, Execution
from llava_agent.agent.expect import Expectation, kept
from llava_agent.agent.fact import Fact
from llava_agent.agent.gate import Gate
from llava_agent.agent.loop import End, Loop, Progress
from llava_agent.agent.perceive import Eyes
from llava_agent.agent.picture import Find, png
from llava_agent.agent.plan.read import read_plan
from llava_agent.agent.plan.words import lines
from llava_agent.agent.policy import Policy, RoutedPolicy, TextPolicy, UnplannedPolicy, VisionPolicy
from llava_agent.agent.record import now
from llava_agent.agent.repeats import Repeats
from llava_agent.agent.report import write_report
from llava_agent.agent.result import RunResult, stored
from llava_agent.agent.resume import restore
from llava_agent.agent.scribe import Scribe
from llava_agent.agent.state import Budget, State
from llava_agent.agent.supervision import Supervision
from llava_agent.agent.surfaces import Kind, Open, Sight, opener
from llava_agent.agent.trace import RunSettings, Trace
from llava_agent.agent.veil import Veil
from llava_agent.agent.verify import Verification
from llava_agent.errors import ConfigError, LlavaAgentError
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.ledger import Ledger
from tools.photo import Photo, load_image

MakePolicy = Callable[[Gateway], Policy]
POLICIES: dict[str, MakePolicy] = {
    "routed": RoutedPolicy,
    "vision": VisionPolicy,
    "text": TextPolicy,
    "unplanned": UnplannedPolicy,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run is given beside its trace, its models and its place."""

    expectations: Sequence[Expectation]
    stop_when_met: bool
    progress: Progress | None
    find: Find | None
    supervision: Supervision


async def run_task(
    address: str,
    task: str,
    *,
    gateway: Gateway,
    out: Path,
    images: Sequence[Path] = (),
    surface: Kind = "page",
    observation: Sight = "hybrid",
    policy: str | MakePolicy = "routed",
    budget: Budget | None = None,
    expectations: Sequence[Expectation] = (),
    known: Sequence[Fact] = (),
    stop_when_met: bool = False,
    keep_asked: bool = False,
    progress: Progress | None = None,
    open_surface: Open | None = None,
    find: Find | None = None,
    supervision: Supervision | None = None,
) -> RunResult:
    """Work on a task until it is verified, a limit is reached, or nothing can go on.

    Args:
        address: URL of the page, or of the OpenAPI document for the surface `api`.
        task: the goal in the user's words.
        gateway: its models are used; the calls are recorded in the run's own ledger.
        out: folder of the run; made here, must not hold a run.
        images: photos that the agent may look at.
        observation: marks from `pixels` alone, or `hybrid` with the accessibility tree.
        policy: `routed`, `vision`, `text`, or a function that makes one for the run's gateway.
        known: facts from an earlier run.
        stop_when_met: end as soon as exact expectations hold, without waiting for the model's *done*.
        keep_asked: keep each question in the result, for `compare_with_vision`.
        progress: called with each step as it is recorded.
        open_surface: opens the address in another way than a browser or the API tool.
        find: the detectors for the photos; OCR, shapes and dials where none is given.
        supervision: permissions, who answers and approves, remote control, tools, reach of the page.

    Returns:
        The result. Whatever goes wrong once the folder exists (an unreadable photo, no network, a crash, no
        model) ends the run as `blocked` with its reason, result and report.

    Raises:
        ConfigError: an empty task, an unknown policy, or a folder that holds a run already.
    """
    if not task.strip():
        raise ConfigError("the task is empty", "say what to do, such as: file a ticket for the pump")
    own = gateway.recording(Ledger(), keep_asked=keep_asked)
    chosen = _policy(policy, own)
    pictures, problem = _pictures(images)
    limits, plan = budget or Budget(), read_plan(task)
    settings = RunSettings(
        id=uuid.uuid4().hex[:12],
        goal=task,
        address=address,
        surface=surface,
        observation=observation,
        policy=chosen.name,
        photos=tuple(picture.sha256 for picture in pictures),
        expectations=tuple(expectation.words() for expectation in expectations),
        checks=tuple(stored_ for one in expectations if (stored_ := kept(one))),
        plan=lines(plan),
        max_steps=limits.steps,
        max_seconds=limits.seconds,
        max_tokens=limits.tokens,
        max_image_tokens=limits.image_tokens,
        max_money=limits.money,
        started=now(),
        product=__version__,
    )
    trace = Trace.create(out, settings)
    own.ledger = Ledger(trace.ledger_path)
    for picture in pictures:
        trace.keep_image(png(picture), picture.sha256)
    photos = tuple(trace.image(picture.sha256) for picture in pictures)
    state = State(goal=task, run=settings.id, photos=photos, plan=plan, facts=tuple(known))
    if problem:
        return _finish(trace, own, state, _blocked(problem))
    under = supervision or Supervision()
    return await _work(
        trace,
        own,
        chosen,
        state,
        open_surface or opener(surface, observation, out, photos, under.reach),
        address,
        Terms(expectations, stop_when_met, progress, find, under),
    )


async def resume_task(
    folder: Path,
    *,
    gateway: Gateway,
    policy: str | MakePolicy | None = None,
    expectations: Sequence[Expectation] = (),
    stop_when_met: bool = False,
    progress: Progress | None = None,
    open_surface: Open | None = None,
    find: Find | None = None,
    supervision: Supervision | None = None,
) -> RunResult:
    """Pick a run up where it was killed: facts, history, bans and what was spent are restored.

    Expectations are code and are given again. An irreversible action whose outcome is unknown is reported and
    never done twice; the page is looked at anew.

    Raises:
        ConfigError: the folder holds no run, or a finished one.
    """
    trace = Trace.open(folder)
    if (folder / "result.json").exists():
        raise ConfigError(f"the run in {folder} is finished", "start a new one")
    settings = trace.settings
    own = gateway.recording(Ledger(trace.ledger_path))
    restored = restore(trace, tuple(trace.image(sha) for sha in settings.photos))
    trace.resumed(restored.state.spent.steps, restored.note)
    under = supervision or Supervision()
    return await _work(
        trace,
        own,
        _policy(policy or settings.policy, own),
        restored.state,
        open_surface
        or opener(settings.surface, settings.observation, folder, restored.state.photos, under.reach),
        restored.address if settings.surface == "page" else settings.address,
        Terms(expectations, stop_when_met, progress, find, under),
        withheld=restored.withheld,
        repeats=restored.repeats,
    )


async def _work(
    trace: Trace,
    gateway: Gateway,
    policy: Policy,
    state: State,
    open_surface: Open,
    address: str,
    terms: Terms,
    *,
    withheld: frozenset[str] = frozenset(),
    repeats: Repeats | None = None,
) -> RunResult:
    settings, under = trace.settings, terms.supervision
    state = replace(state, manuals=under.tools.get(MANUALS) is not None)
    scribe = Scribe(trace, gateway.ledger)
    loop: Loop | None = None
    try:
        async with open_surface(address) as surface:
            execution = Execution(
                surface=Veil(surface, under.secrets) if under.secrets else surface,
                gate=Gate(under.permission, settings.address, under.asks, scribe.image),
                scribe=scribe,
                eyes=Eyes(gateway, terms.find),
                tools=under.tools,
                secrets=under.secrets,
                expectations=terms.expectations,
                withheld=withheld,
            )
            loop = Loop(
                execution=execution,
                policy=policy,
                state=state,
                budget=settings.budget,
                stop_when_met=terms.stop_when_met,
                control=under.control,
                progress=terms.progress,
                repeats=repeats or Repeats(),
            )
            end = await loop.run()
    except LlavaAgentError as error:
        end = _blocked(str(error))
    except Exception as error:
        # A bug: say so in the folder, then let it be seen.
        _finish(trace, gateway, loop.state if loop else state, _blocked(f"{type(error).__name__}: {error}"))
        raise
    return _finish(trace, gateway, loop.state if loop else state, end)


def _finish(trace: Trace, gateway: Gateway, state: State, end: End) -> RunResult:
    """Write the result and the report."""
    report = trace.folder / "report.html"
    trace.finish(stored(state, end, gateway.ledger, trace.settings.policy, report.name))
    write_report([trace.folder], report, title=f"Run {trace.settings.id}")
    return RunResult(
        status=end.status,
        reason=end.reason,
        verification=end.verification,
        facts=state.facts,
        spent=state.spent,
        counters=state.counters,
        models=gateway.ledger.by_model(),
        folder=trace.folder,
        report=report,
        gateway=gateway,
    )


def _policy(policy: str | MakePolicy, gateway: Gateway) -> Policy:
    if callable(policy):
        return policy(gateway)
    if policy not in POLICIES:
        raise ConfigError(f"there is no policy {policy!r}", f"choose one of {', '.join(POLICIES)}")
    return POLICIES[policy](gateway)


def _pictures(images: Sequence[Path]) -> tuple[list[Photo], str]:
    """The photos, and the sentence that says why one of them cannot be read."""
    try:
        return [load_image(path) for path in images], ""
    except LlavaAgentError as error:
        return [], str(error)


def _blocked(reason: str) -> End:
    return End("blocked", reason, Verification("uncertain", "none", "the run could not go on"))
