"""What the API answers, for the routes that send it and for the client that reads it.

The routes send exactly these fields; a client of an older version leaves out what it does not know.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from llava_agent.inspection.document import InspectionDocument

Item = TypeVar("Item")
Box = tuple[int, int, int, int]


class Shape(BaseModel):
    """A JSON object without further fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ErrorShape(Shape):
    """What OpenAI's clients read of a problem."""

    message: str
    type: str
    code: str
    param: str | None = None


class Problem(Shape):
    """An error (RFC 9457).

    Attributes:
        detail: one sentence for a person.
        code: stable word for programs.
        request_id: what the log of the server has it under.
        line: where in a text that was sent, from 1.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    error: ErrorShape
    line: int | None = None


class Paged(Shape, Generic[Item]):
    """A part of a list, the newest first; `next` is the cursor of the following part."""

    items: tuple[Item, ...]
    next: str | None = None


class Listed(Shape, Generic[Item]):
    """A whole list."""

    items: tuple[Item, ...]


class Complaint(Shape):
    """What makes a photo hard to read; `box` in pixels."""

    trouble: str
    sentence: str
    box: Box | None = None


class Quality(Shape):
    """See `inspection.quality`: light 0-255, blur 0-1, share of glare, and what a person should mend."""

    light: float
    blur: float
    glare: float
    complaints: tuple[Complaint, ...]


class Photo(Shape):
    """A stored photo.

    Attributes:
        sha256: of the stored file, which is not the file that came.
        taken: by the camera's own clock, without a zone.
        place: latitude and longitude in degrees, where the policy keeps them.
        notes: what was done to it, one clause each.
    """

    id: str
    created: datetime
    name: str
    asset: str
    sha256: str
    width: int
    height: int
    media_type: str
    taken: datetime | None = None
    place: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()


class UploadedPhoto(Photo):
    """A photo that was just sent, with its quality."""

    quality: Quality


class Record(Shape):
    """An inspection as a person left it.

    Attributes:
        version: 1 at first, one more with each change; a change names the version that it was made on.
        reason: why it is in its state, as a sentence; empty where that needs none.
        filed: what the other system answered; None before.
    """

    id: str
    created: datetime
    changed: datetime
    version: int
    asset: str
    state: Literal["draft", "confirmed", "filing", "filed", "failed", "unknown"]
    reason: str
    photos: tuple[str, ...]
    filed: Any = None
    inspection: InspectionDocument


class RecordDifference(Shape):
    """What is another than in an earlier record; `by` is the difference of two numbers."""

    kind: str
    name: str
    before: str | None
    now: str | None
    by: float | None
    sentence: str


class RecordDifferences(Shape):
    """`since` is the id of the earlier record; None where there is none."""

    since: str | None
    changes: tuple[RecordDifference, ...]


class Run(Shape):
    """Work in the background.

    Attributes:
        kind: what is done: `inspect`, `task`, `explain`, `compare`.
        reason: why it is in its state, as a sentence; empty where that needs none.
        result: what came of it; an inspection's holds the id of its `record`.
        attempt: how often it was begun.
    """

    id: str
    kind: str
    state: Literal["queued", "running", "done", "failed", "cancelled", "cut_off"]
    reason: str
    request: dict[str, Any]
    result: dict[str, Any] | None
    attempt: int
    created: datetime
    started: datetime | None
    ended: datetime | None

    @property
    def over(self) -> bool:
        return self.state not in ("queued", "running")


class ArtifactFile(Shape):
    """A file of a run; `size` in bytes."""

    name: str
    size: int
    media_type: str
    sha256: str


class ModelNames(Shape):
    """Names that the model lab may ask: `auto`, entries of the policy, `run:NAME`."""

    items: tuple[str, ...]


class TrainingRun(Shape):
    """A training run of the server's folder.

    Attributes:
        stage: what was trained.
        step, steps: taken and wanted.
        loss: of the last line of the log.
        ready: it can be asked as `run:NAME`.
    """

    name: str
    stage: str
    step: int
    steps: int
    loss: float | None
    changed: datetime
    ready: bool


class WeightsFile(Shape):
    """A file of a training run; `size` in bytes."""

    path: str
    size: int


class TrainingRunInFull(TrainingRun):
    """Attributes:
    config, environment, data: as they were written down when it began.
    metrics: lines of the log, thinned evenly to at most 400.
    """

    config: dict[str, Any]
    environment: dict[str, Any]
    data: dict[str, Any]
    metrics: tuple[dict[str, Any], ...]
    files: tuple[WeightsFile, ...]


class Approval(Shape):
    """An action that waits, or waited, for somebody's word.

    Attributes:
        action: sha256 of the one action that it holds for.
        role: whoever decides must have it.
        decider: who did; empty before.
    """

    id: str
    summary: str
    action: str
    requester: str
    run: str
    role: str
    state: Literal["waiting", "approved", "refused", "consumed"]
    asked: datetime
    expires: datetime
    decided: datetime | None
    decider: str
    reason: str


class Document(Shape):
    """A manual; an empty `department` is everybody's in the tenant. `notes`: what of it could not be read."""

    id: str
    name: str
    title: str
    collection: str
    department: str
    data_class: str
    pages: int | None
    passages: int
    embedded: bool
    added: datetime


class AddedDocument(Shape):
    """What became of a manual that was sent; `notes` say what of it could not be read."""

    id: str
    status: Literal["added", "replaced", "embedded", "known"]
    passages: int = Field(description="new ones")
    notes: tuple[str, ...] = ()


class Passage(Shape):
    """A passage of a manual; `similarity` is the cosine with the question, None where it was not compared."""

    id: str
    document: str
    title: str
    page: int | None
    heading: str
    text: str
    data_class: str
    collection: str
    score: float
    similarity: float | None


class Citation(Shape):
    """Where an answer stands; `quote` are the words of the document."""

    id: str
    document: str
    page: int | None
    heading: str
    quote: str
    passage: str


class Answer(Shape):
    """A quoted answer; `found` is False where the manuals do not say it."""

    answer: str
    found: bool
    citations: tuple[Citation, ...]
    score: float
    data_class: str
    by: str


class User(Shape):
    """An account; `created` in seconds since 1970."""

    name: str
    roles: tuple[str, ...]
    denied: tuple[str, ...]
    department: str
    tenant: str
    disabled: bool
    must_change_password: bool
    created: float


class Users(Shape):
    users: tuple[User, ...]


class Token(Shape):
    """An API key without the key; times in seconds since 1970."""

    id: str
    user: str
    label: str
    roles: tuple[str, ...] | None
    created: float
    expires: float | None
    revoked: float | None
    last_used: float | None


class NewToken(Token):
    """An API key; `key` is shown this once."""

    key: str


class Tokens(Shape):
    tokens: tuple[Token, ...]


class Who(Shape):
    """The caller, as the server knows them."""

    user: str
    by: str
    department: str
    roles: tuple[str, ...]
    permissions: tuple[str, ...]
    must_change_password: bool
    csrf_token: str | None


class Login(Shape):
    """`csrf_token` comes with changes where no browser vouches for them (`X-CSRF-Token`)."""

    csrf_token: str
    must_change_password: bool


class Health(Shape):
    """The process lives."""

    status: Literal["ok"] = "ok"


class Readiness(Shape):
    """Which parts that requests need are there."""

    ready: bool
    parts: dict[str, bool]


class CheckSummary(Shape):
    """A stored spec; `version` counts its changes."""

    id: str
    created: datetime
    changed: datetime
    version: int
    name: str


class CheckBaseline(Shape):
    """A picture that somebody accepted as right, as a run saw it."""

    name: str
    sha256: str
    run: str
    accepter: str
    accepted: datetime


class Check(CheckSummary):
    """A stored spec as YAML, the names of the pictures that came with it, and its baselines."""

    text: str
    pictures: tuple[str, ...]
    baselines: tuple[CheckBaseline, ...]


class CheckVerdict(Shape):
    """What came of one expectation.

    Attributes:
        kind: of the expectation, such as `shows`.
        box: region of `picture` in pixels; `picture` is a file of the run, `size` its width and height.
        baseline: name of the picture that it was compared with; only of `matches`.
    """

    status: Literal["pass", "fail", "uncertain", "error"]
    expects: str
    kind: str
    by: Literal["dom", "ocr", "pixels", "model", "none"]
    detail: str
    read: str
    box: tuple[float, float, float, float] | None
    confidence: float
    picture: str | None
    size: tuple[int, int] | None
    baseline: str | None = None


class CheckVariant(Shape):
    """What came of one way to look at the page; `problem` says why it could not be looked at."""

    name: str
    variant: str
    status: Literal["pass", "fail", "uncertain", "error"]
    problem: str
    seconds: float
    verdicts: tuple[CheckVerdict, ...]


class PastCheck(Shape):
    """A run of a check in its history."""

    id: str
    created: datetime


class Expected(Shape):
    """An expectation over the last runs.

    Attributes:
        since: run since which it does not hold; None where it holds.
        statuses: in the runs of the history, the oldest first; None where it was not there.
    """

    variant: str
    expects: str
    standing: Literal["holds", "broken", "mended", "flaky"]
    since: str | None
    statuses: tuple[Literal["pass", "fail", "uncertain", "error"] | None, ...]


class CheckHistory(Shape):
    """What the last runs of a check found."""

    runs: tuple[PastCheck, ...]
    expectations: tuple[Expected, ...]
