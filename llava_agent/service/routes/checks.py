"""UI checks: store a spec with its pictures, run it, see what its runs found over time.

A run's progress, cancelling and files are those of every run (`routes/runs.py`): `/api/runs/ID/events`,
`/cancel`, `/artifacts/index.html`, `/artifacts/junit.xml`; its report is shown at `/runs/ID/index.html`.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from llava_agent.checks.history import since, standing
from llava_agent.errors import Conflict, NotFound
from llava_agent.gateway.principal import Principal
from llava_agent.service.check_intake import MOST_PICTURES, MOST_TEXT, own_names, taken
from llava_agent.service.desk import Desk
from llava_agent.service.http.permission import needs
from llava_agent.service.routes.answers import Cursor, Key, Limit, Parts, Who, paged, run_shape
from llava_agent.service.shapes import (
    Check,
    CheckBaseline,
    CheckHistory,
    CheckSummary,
    CheckVariant,
    Expected,
    Listed,
    Paged,
    PastCheck,
    Run,
)
from llava_agent.service.store.checks import PICTURE, PastRun, StoredCheck
from llava_agent.service.store.idempotency import RequestKey
from llava_agent.service.store.page import USUAL
from llava_agent.service.store.runs import StoredRun
from llava_agent.service.work import check as work
from llava_agent.service.work.findings import RESULTS

router = APIRouter(prefix="/api/checks", tags=["checks"])

Text = Annotated[str, Form(max_length=MOST_TEXT, description="the spec, as YAML")]
Pictures = Annotated[list[UploadFile] | None, File(max_length=MOST_PICTURES)]
Runs = Annotated[int, Query(ge=1, le=100, description="of so many last runs")]


class NewDraft(BaseModel):
    """A page to write a first spec of."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(min_length=1, max_length=2000, pattern="^https?://")


@router.post("", status_code=201, summary="Store a spec, with the pictures that it names")
@needs("content.write")
def add(
    text: Text, desk: Parts, who: Who, response: Response, pictures: Pictures = None, key: Key = None
) -> Check:
    """A spec that is none is a 400 whose `line` says where. Its page may be a picture that is sent along.

    With an `Idempotency-Key` that came before with the same files, the check that it made then (status 200).
    """
    files = _files(pictures)
    spec, stored = taken(desk, who, text, files)
    what = {"text": text, "pictures": {name: one.sha256 for name, one in stored.items()}}
    known = RequestKey.of(key, what) if key else None
    made, new = desk.checks.add(who, spec.name, text, stored, known)
    if not new:
        response.status_code = 200
    response.headers["Location"] = f"/api/checks/{made.id}"
    return check_shape(desk, who, made)


@router.get("", summary="List one's checks, the newest first")
@needs("content.read")
def checks(desk: Parts, who: Who, cursor: Cursor = None, limit: Limit = USUAL) -> Paged[CheckSummary]:
    return paged(desk.checks.list(who, cursor=cursor, limit=limit), _short)


@router.post(
    "/drafts", status_code=202, summary="Write a first spec of a page; the run's result has its text"
)
@needs("runs.use")
def draft(body: NewDraft, desk: Parts, who: Who, response: Response, key: Key = None) -> Run:
    desk.reach.check_literal(body.url)
    return _begun(desk.begin(who, work.DRAFT, {"url": body.url}, key), response)


@router.get("/{id}", summary="A check with its spec, pictures and baselines")
@needs("content.read")
def check(id: str, desk: Parts, who: Who) -> Check:
    return check_shape(desk, who, desk.checks.get(who, id))


@router.put("/{id}", summary="Replace the spec; pictures are added, one of the same name is replaced")
@needs("content.write")
def change(
    id: str,
    version: Annotated[int, Form(ge=1, le=2**31 - 2)],
    text: Text,
    desk: Parts,
    who: Who,
    pictures: Pictures = None,
) -> Check:
    """Status 409 where somebody else changed it since the version that is given."""
    spec, stored = taken(desk, who, text, _files(pictures), id)
    return check_shape(desk, who, desk.checks.change(who, id, version, spec.name, text, stored))


@router.delete("/{id}", status_code=204, summary="Delete a check; the reports of its runs stay")
@needs("content.write")
def delete(id: str, desk: Parts, who: Who) -> None:
    desk.checks.delete(who, id)


@router.post("/{id}/runs", status_code=202, summary="Run a check")
@needs("runs.use")
def run(id: str, desk: Parts, who: Who, response: Response, key: Key = None) -> Run:
    return _begun(begin(desk, who, id, key), response)


@router.get("/{id}/runs", summary="The last runs of a check that were done, the newest first")
@needs("content.read")
def runs(id: str, desk: Parts, who: Who, last: Runs = 20) -> Listed[Run]:
    past = desk.checks.history(who, id, last)
    return Listed(items=tuple(run_shape(desk.runs.get(who, one.run)) for one in reversed(past)))


@router.get(
    "/{id}/history", summary="What each expectation did over the last runs: holds, broken, mended, flaky"
)
@needs("content.read")
def history(id: str, desk: Parts, who: Who, last: Runs = 20) -> CheckHistory:
    past = desk.checks.history(who, id, last)
    return CheckHistory(
        runs=tuple(PastCheck(id=one.run, created=one.created) for one in past),
        expectations=tuple(expectations(past)),
    )


@router.get(
    "/{id}/runs/{run}/verdicts", summary="The verdicts of a run, with regions in pixels of their pictures"
)
@needs("content.read")
def verdicts(id: str, run: str, desk: Parts, who: Who) -> Listed[CheckVariant]:
    return Listed(items=tuple(map(CheckVariant.model_validate, found_in(desk, who, id, run))))


def begin(desk: Desk, who: Principal, id: str, key: str | None = None) -> StoredRun:
    """Queue a run of a check. Raises NotFound, Busy."""
    check = desk.checks.get(who, id)
    return desk.begin(who, work.KIND, {"check": check.id, "name": check.name}, key)


def found_in(desk: Desk, who: Principal, id: str, run: str) -> list[dict[str, Any]]:
    """What a run of a check found.

    Raises:
        NotFound: no such run of this check.
        Conflict: it found nothing yet.
    """
    stored = desk.runs.get(who, run)
    if stored.kind != work.KIND or stored.request["check"] != id:
        raise NotFound(f"there is no run {run} of the check {id}", "list its runs")
    artifact = desk.artifacts.held(who.tenant, run).get(RESULTS)
    if artifact is None:
        raise Conflict(f"the run {run} is {stored.state}", "wait until it is done")
    found: list[dict[str, Any]] = json.loads(desk.artifacts.read(who.tenant, artifact.sha256))
    return found


def expectations(past: tuple[PastRun, ...]) -> list[Expected]:
    """Each expectation of the last run, with its statuses in the runs that had it, and how it stands."""
    if not past:
        return []
    rows = []
    for variant, words in past[-1].found:
        runs = [one for one in past if (variant, words) in one.found]
        statuses = [one.found[variant, words] for one in runs]
        broken = since(statuses)
        rows.append(
            Expected(
                variant=variant,
                expects=words,
                standing=standing(statuses),
                since=runs[broken].run if broken is not None else None,
                statuses=tuple(one.found.get((variant, words)) for one in past),
            )
        )
    return rows


def check_shape(desk: Desk, who: Principal, check: StoredCheck) -> Check:
    baselines = (
        CheckBaseline(
            name=one.name, sha256=one.sha256, run=one.run, accepter=one.accepter, accepted=one.accepted
        )
        for one in desk.checks.baselines(who, check.id)
    )
    return Check(
        **_short(check).model_dump(),
        text=check.text,
        pictures=tuple(sorted(desk.checks.files(who, check.id, PICTURE))),
        baselines=tuple(baselines),
    )


def _short(check: StoredCheck) -> CheckSummary:
    return CheckSummary(
        id=check.id,
        created=check.created,
        changed=check.changed,
        version=check.version,
        name=check.name,
    )


def _files(pictures: list[UploadFile] | None) -> dict[str, bytes]:
    given = pictures or []
    names = own_names([one.filename for one in given])
    return {name: one.file.read() for name, one in zip(names, given, strict=True)}


def _begun(made: StoredRun, response: Response) -> Run:
    response.headers["Location"] = f"/api/runs/{made.id}"
    return run_shape(made)
