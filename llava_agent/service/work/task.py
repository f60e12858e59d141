"""Runs of the kind `task`: the agent works on a page; a run that was cut off goes on where it stopped."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from llava_agent.agent.expect import Expectation, Shows
from llava_agent.agent.record import StepRecord
from llava_agent.agent.report import write_report
from llava_agent.agent.result import RunResult
from llava_agent.agent.run import resume_task, run_task
from llava_agent.agent.state import Budget
from llava_agent.agent.supervision import Supervision
from llava_agent.assembly import Core
from llava_agent.egress.reach import Reach
from llava_agent.errors import ConfigError
from llava_agent.gateway.approvals import Approvals
from llava_agent.service.store.artifacts import Artifact, Artifacts
from llava_agent.service.store.photos import Photos
from llava_agent.service.work.job import Done, Handler, Job, Stopped
from llava_agent.service.work.steering import LOOK_S, Steering

KIND = "task"


def tasks(
    core: Callable[[], Core],
    photos: Photos,
    artifacts: Artifacts,
    approvals: Approvals,
    folder: Path,
    reach: Reach,
) -> Handler:
    """What does such a run.

    Args:
        folder: each run gets a folder of its own in it, from which it is taken up after a restart.
        reach: which addresses the pages may lead to.
    """
    return partial(_do, core, photos, artifacts, approvals, folder, reach)


def _do(
    core: Callable[[], Core],
    photos: Photos,
    artifacts: Artifacts,
    approvals: Approvals,
    folder: Path,
    reach: Reach,
    job: Job,
) -> Done:
    out = folder / job.run.id
    steering = Steering(job, approvals)
    under = Supervision(attendant=steering, control=steering.control, reach=reach)
    try:
        result = asyncio.run(_watched(job, steering, _begin(core(), photos, out, job, under)))
    except Stopped:
        if (out / "run.json").exists():
            write_report([out], out / "report.html", title=f"Run {job.run.id}")
        raise
    kept = keep_folder(artifacts, job.run.tenant, out)

    def write(connection: sa.Connection) -> Mapping[str, Any]:
        for name, artifact in kept.items():
            artifacts.hold(connection, artifact, job.run.id, name)
        return {}

    facts = [{"name": fact.name, "value": fact.value, "confidence": fact.confidence} for fact in result.facts]
    return Done(
        {
            "status": result.status,
            "reason": result.reason,
            "steps": result.spent.steps,
            "facts": facts,
            "models": {
                name: {"calls": total.calls, "tokens": total.tokens, "ms": round(total.ms, 1)}
                for name, total in result.models.items()
            },
        },
        write,
    )


async def _begin(core: Core, photos: Photos, out: Path, job: Job, supervision: Supervision) -> RunResult:
    request = job.run.request
    expectations: list[Expectation] = [Shows(text) for text in request["shows"]]

    def step(record: StepRecord) -> None:
        job.runs.say(job.run, "step", _said(record))  # never `Stopped` in the midst of a run

    if "replay" in request:
        return await _replay(out.parent / request["replay"], out, supervision, step)
    if (out / "run.json").exists() and not (out / "result.json").exists():
        return await resume_task(
            out,
            gateway=core.gateway,
            expectations=expectations,
            progress=step,
            find=core.find,
            supervision=supervision,
        )
    images = []
    for id in request["photos"]:
        photo = photos.get(job.who, id)
        path = (
            out.parent
            / f".{job.run.id}-{photo.sha256[:12]}{mimetypes.guess_extension(photo.about['media_type'])}"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photos.content(job.who, id))
        images.append(path)
    try:
        return await run_task(
            request["url"],
            request["goal"],
            gateway=core.gateway,
            out=out,
            images=images,
            observation=request["observation"],
            budget=Budget(steps=request["steps"]),
            expectations=expectations,
            find=core.find,
            progress=step,
            supervision=supervision,
        )
    finally:
        for path in images:
            path.unlink(missing_ok=True)


async def _replay(
    recorded: Path, out: Path, supervision: Supervision, step: Callable[[StepRecord], None]
) -> RunResult:
    """The steps of a run that passed, strictly and without a model; the first difference ends it.

    Raises:
        ConfigError: an earlier attempt was cut off, so nobody knows how far it came.
    """
    from llava_agent.agent.replay import replay

    if (out / "run.json").exists():
        raise ConfigError("the replay was cut off", "look at the page, then replay the run again")
    return (await replay(recorded, out=out, supervision=supervision, progress=step)).result


def _said(record: StepRecord) -> dict[str, Any]:
    """A step for those who watch: what was done, what came of it, and what it cost."""
    return {
        "step": record.step,
        "line": record.line,
        "outcome": record.outcome,
        "check": record.verification.status,
        "confidence": round(record.confidence, 4),
        "models": list(dict.fromkeys(call.model for call in record.calls)),
        "tokens": sum(call.prompt_tokens + call.output_tokens for call in record.calls),
        "ms": round(sum(call.ms for call in record.calls), 1),
    }


async def _watched(job: Job, steering: Steering, work: Coroutine[Any, Any, RunResult]) -> RunResult:
    """The work, steered, and ended when the run is to end."""
    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.wait({task}, timeout=LOOK_S)
        await steering.look()
        if job.stop.is_set() and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise Stopped
    result: RunResult = task.result()
    return result


def keep_folder(artifacts: Artifacts, tenant: str, out: Path) -> dict[str, Artifact]:
    """Every file of the run's folder as an artifact, by its path in it."""
    kept = {}
    for path in sorted(out.rglob("*")):
        if path.is_file():
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            name = path.relative_to(out).as_posix()[:200]
            kept[name] = artifacts.write(tenant, path.read_bytes(), kind)
    return kept
