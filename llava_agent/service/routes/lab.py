"""The model lab over HTTP: what drove an answer, two models side by side, training runs and their weights."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from llava_agent.errors import NotFound
from llava_agent.gateway.principal import Principal
from llava_agent.lab.explanation import Method
from llava_agent.lab.models import Models
from llava_agent.lab.runs import TrainingRun as StoredTrainingRun
from llava_agent.lab.runs import about, files, metrics, training_run, training_runs
from llava_agent.service.context import Service, service_of
from llava_agent.service.desk import Desk
from llava_agent.service.http.describe import content
from llava_agent.service.http.permission import needs
from llava_agent.service.routes.answers import Key, Parts, Who, run_shape
from llava_agent.service.shapes import Listed, ModelNames, Run, TrainingRun, TrainingRunInFull, WeightsFile
from llava_agent.service.work.explain import COMPARE, EXPLAIN

router = APIRouter(prefix="/api/lab", tags=["lab"])

#: Photos of one comparison.
MOST_PHOTOS = 12

Name = Annotated[str, Field(min_length=1, max_length=200)]
Question = Annotated[str, Field(min_length=1, max_length=2000)]
PhotoId = Annotated[str, Field(max_length=40)]


class NewExplanation(BaseModel):
    """A question about a stored photo, and the view that is wanted."""

    model_config = ConfigDict(extra="forbid")

    photo: PhotoId
    question: Question
    view: Method = "occlusion"
    model: Name = "auto"


class NewComparison(BaseModel):
    """A question about stored photos for two models."""

    model_config = ConfigDict(extra="forbid")

    photos: list[PhotoId] = Field(min_length=1, max_length=MOST_PHOTOS)
    question: Question
    models: tuple[Name, Name]


def models_of(service: Annotated[Service, Depends(service_of)]) -> Models:
    """Dependency: the models that may be named."""
    return service.lab


Lab = Annotated[Models, Depends(models_of)]


@router.get("/models", summary="The models that the lab may ask by name")
@needs("models.use")
def models(lab: Lab) -> ModelNames:
    return ModelNames(items=tuple(lab.names()))


@router.post("/explanations", status_code=202, summary="Find out which regions of a photo drove an answer")
@needs("models.use")
def explanations(body: NewExplanation, desk: Parts, who: Who, response: Response, key: Key = None) -> Run:
    """The run's result holds the regions; its files are `heat.jpg` and `marks.jpg`."""
    asked = {"photos": [body.photo], **body.model_dump(mode="json", exclude={"photo"})}
    return _begin(desk, who, EXPLAIN, asked, response, key)


@router.post("/comparisons", status_code=202, summary="Ask two models the same about photos")
@needs("models.use")
def comparisons(body: NewComparison, desk: Parts, who: Who, response: Response, key: Key = None) -> Run:
    """The run's result holds both answers for each photo; its files are `0-a.jpg`, `0-b.jpg`, ..."""
    return _begin(desk, who, COMPARE, body.model_dump(mode="json"), response, key)


@router.get("/runs", summary="Training runs in the server's folder, the newest first")
@needs("models.use")
def runs(lab: Lab) -> Listed[TrainingRun]:
    return Listed(items=tuple(_shape(run) for run in training_runs(lab.runs)))


@router.get("/runs/{name}", summary="A training run: settings, machine, data, its curves and its files")
@needs("models.use")
def run(name: str, lab: Lab) -> TrainingRunInFull:
    found = training_run(lab.runs, name)
    sizes = tuple(WeightsFile(path=path, size=one.stat().st_size) for path, one in files(found).items())
    return TrainingRunInFull(
        **_shape(found).model_dump(), **about(found), metrics=tuple(metrics(found)), files=sizes
    )


@router.get(
    "/runs/{name}/files/{path:path}",
    summary="A file of a training run",
    response_class=FileResponse,
    responses=content("application/octet-stream", text="a download"),
)
@needs("models.use")
def file(name: str, path: str, lab: Lab) -> FileResponse:
    """As a download; weights, preset, log and settings, and nothing else that lies there."""
    found = files(training_run(lab.runs, name)).get(path)
    if found is None:
        raise NotFound("this run has no file of that name", f"see /api/lab/runs/{name}")
    return FileResponse(found, filename=found.name, media_type="application/octet-stream")


def _begin(
    desk: Desk, who: Principal, kind: str, asked: dict[str, Any], response: Response, key: str | None
) -> Run:
    made = desk.begin(who, kind, asked, key)
    response.headers["Location"] = f"/api/runs/{made.id}"
    return run_shape(made)


def _shape(run: StoredTrainingRun) -> TrainingRun:
    return TrainingRun(
        name=run.name,
        stage=run.stage,
        step=run.step,
        steps=run.steps,
        loss=run.loss,
        changed=run.changed,
        ready=run.ready,
    )
