"""Runs of the kinds `check`, a stored spec against its page, and `check_draft`, a first spec from a page.

A variant that is done is kept at once, so a run that was cut off goes on with the next. A variant that was
cut off in the midst is looked at again, but steps that may have changed something are not done twice.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from llava_agent.assembly import Core
from llava_agent.checks.confine import acts, confined
from llava_agent.checks.run import Models, run_variant
from llava_agent.checks.spec import Spec, Variant, parse_spec
from llava_agent.checks.verdict import CheckResult, SpecResult, worst
from llava_agent.egress import Reach
from llava_agent.errors import ConfigError, NotFound, PermissionDenied
from llava_agent.service.store.artifacts import Artifacts
from llava_agent.service.store.checks import BASELINE, PICTURE, Checks
from llava_agent.service.work.findings import Findings
from llava_agent.service.work.job import Done, Job, Stopped
from llava_agent.service.work.task import keep_folder

KIND, DRAFT = "check", "check_draft"
REPORT, JUNIT = "index.html", "junit.xml"
#: Longest a run may take: a spec must not hold a worker for ever.
MOST_SECONDS = 1800.0
#: Seconds between two looks whether the run is to end.
_LOOK_S = 0.2
_TWICE = (
    "the service stopped in the midst of the steps, and they are not done a second time: look at the page, "
    "then run the check again"
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Checker:
    """Does such runs.

    Attributes:
        folder: each run gets a folder of its own in it, from which it is taken up after a restart.
        reach: which addresses the pages may lead to.
    """

    core: Callable[[], Core]
    checks: Checks
    artifacts: Artifacts
    folder: Path
    reach: Reach

    def check(self, job: Job) -> Done:
        """A stored spec, in each of its variants one after the other."""
        out = self.folder / job.run.id
        try:
            return self._check(job, out)
        except Stopped:
            if job.runs.get(job.who, job.run.id).cancel:
                _remove(out)
            raise
        except (ConfigError, PermissionDenied, NotFound):
            _remove(out)
            raise

    def _check(self, job: Job, out: Path) -> Done:
        spec, version, baselines = self._begin(job, out)
        findings, variants = Findings(out), spec.variants()
        models = self._models(spec)
        ends = time.monotonic() + MOST_SECONDS
        for index, variant in enumerate(variants):
            if findings.read(index) is None:
                job.say("look", {"variant": variant.name, "at": index + 1, "of": len(variants)})
                result = self._one(job, findings.begin(index), spec, variant, out, models, ends)
                findings.keep(index, spec, variant, result)
                job.say("checked", {**_summary(result), "variant": variant.name, "at": index + 1})
        found = findings.finish(len(variants))
        results = [findings.result(index) for index in range(len(variants))]
        _write_reports(CheckResult(tuple(results)), out)
        kept = keep_folder(self.artifacts, job.run.tenant, out)
        named = [(variant.name, result) for variant, result in zip(variants, results, strict=True)]

        def write(connection: sa.Connection) -> Mapping[str, Any]:
            for name, artifact in kept.items():
                self.artifacts.hold(connection, artifact, job.run.id, name)
            self.checks.note(connection, job.run.request["check"], job.run.id, named)
            return {}

        told = Counter(one["status"] for body in found for one in body["verdicts"])
        summary = {"variants": [_summary(one) for one in results], "version": version, "baselines": baselines}
        status = worst([one.status for one in results])
        # What is stored may be sealed: it must not lie in the open beside that.
        return Done({"status": status, "counts": dict(told), **summary}, write, lambda: _remove(out))

    def draft(self, job: Job) -> Done:
        """A first spec of a page, as YAML."""
        from llava_agent.checks.first_spec import first_spec, written

        url = str(job.run.request["url"])
        self.reach.check_literal(url)
        job.say("look", {"variant": "", "at": 1, "of": 1})
        spec = asyncio.run(_until(job, first_spec(url, None, self.reach), MOST_SECONDS))
        return Done({"text": written(spec)})

    def _begin(self, job: Job, out: Path) -> tuple[Spec, int, dict[str, str]]:
        """The spec as it was when the run was begun first, with its pictures and baselines in the folder."""
        from llava_agent.agent.trace import write_whole

        id, begun, given = job.run.request["check"], out / "begun.json", out / "given"
        if not begun.exists():
            check = self.checks.get(job.who, id)
            given.mkdir(parents=True, exist_ok=True)
            pictures, known = (self.checks.files(job.who, id, kind) for kind in (PICTURE, BASELINE))
            for name, one in {**pictures, **known}.items():
                (given / name).write_bytes(self.artifacts.read(job.who.tenant, one.sha256))
            (out / "spec.yaml").write_text(check.text, encoding="utf-8")
            notes = {
                "version": check.version,
                "pictures": sorted(pictures),
                "baselines": {name: one.sha256 for name, one in known.items()},
            }
            write_whole(begun, json.dumps(notes).encode())
        notes = json.loads(begun.read_text(encoding="utf-8"))
        spec = parse_spec((out / "spec.yaml").read_text(encoding="utf-8"))
        return confined(spec, notes["pictures"], self.reach), notes["version"], notes["baselines"]

    def _one(
        self, job: Job, first: bool, spec: Spec, variant: Variant, out: Path, models: Models, ends: float
    ) -> SpecResult:
        name = f"{spec.name} [{variant.name}]" if variant.name else spec.name
        if not first and acts(spec):
            return SpecResult(name, Path("spec.yaml"), (), 0.0, _TWICE)
        work = run_variant(spec, variant, out / "given" / "spec.yaml", models, reach=self.reach)
        try:
            result = asyncio.run(_until(job, work, ends - time.monotonic()))
        except TimeoutError:
            problem = f"the run took more than {MOST_SECONDS / 60:g} minutes: make several checks of it"
            return SpecResult(name, Path("spec.yaml"), (), 0.0, problem)
        return replace(result, file=Path("spec.yaml"))

    def _models(self, spec: Spec) -> Models:
        """The model, loaded only where the spec asks one."""
        if not spec.asks_model:
            return Models()
        from llava_agent.checks.model import models_of
        from llava_agent.gateway.ledger import Ledger

        core = self.core()
        return models_of(replace(core, gateway=core.gateway.recording(Ledger())))


async def _until(job: Job, work: Coroutine[Any, Any, T], seconds: float) -> T:
    """The work, ended where the run is to end.

    Raises:
        Stopped: the run is to end.
        TimeoutError: it took longer.
    """
    task = asyncio.ensure_future(work)
    deadline = time.monotonic() + seconds
    while not task.done():
        await asyncio.wait({task}, timeout=_LOOK_S)
        if task.done():
            break
        if job.stop.is_set() or time.monotonic() > deadline:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise Stopped if job.stop.is_set() else TimeoutError
    return task.result()


def _summary(result: SpecResult) -> dict[str, Any]:
    counts = Counter(verdict.status for verdict in result.verdicts)
    return {
        "name": result.name,
        "status": result.status,
        "problem": result.problem,
        "counts": dict(counts),
    }


def _write_reports(result: CheckResult, out: Path) -> None:
    from llava_agent.checks.junit import write_junit
    from llava_agent.checks.report import write_report

    _, images = write_report(result, out)
    write_junit(result, out / JUNIT, {key: path.relative_to(out) for key, path in images.items()})


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
