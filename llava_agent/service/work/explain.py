"""Runs of the kinds `explain` and `compare`: what drove an answer, and two models side by side."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from llava_agent.lab.models import Models
from llava_agent.service.store.artifacts import Artifact, Artifacts
from llava_agent.service.store.photos import Photos
from llava_agent.service.work.job import Done, Handler, Job

if TYPE_CHECKING:
    from PIL import Image

EXPLAIN, COMPARE = "explain", "compare"
#: Longer side in pixels of a picture that is kept for the page.
_SIDE = 1600


def explainer(models: Models, photos: Photos, artifacts: Artifacts) -> Handler:
    """Keeps the view and the marks as pictures; a run that was cut off begins anew."""
    return partial(_explain, models, photos, artifacts)


def comparer(models: Models, photos: Photos, artifacts: Artifacts) -> Handler:
    """Keeps each photo twice, with what each model pointed at."""
    return partial(_compare, models, photos, artifacts)


def _explain(models: Models, photos: Photos, artifacts: Artifacts, job: Job) -> Done:
    from llava_agent.lab.explain import explain
    from llava_agent.lab.heat import heat
    from tools.marks.annotate import annotate
    from tools.photo import load_image

    asked = job.run.request
    photo = load_image(photos.content(job.who, asked["photos"][0]))
    core = models.named(asked["model"])
    found = explain(
        photo,
        asked["question"],
        core,
        asked["view"],
        principal=job.who,
        progress=lambda done, total: _tell(job, done, total),
    )
    job.check()
    marks = core.find(photo)
    boxes = [mark.box for mark in marks if mark.box is not None]
    pictures = {
        "heat.jpg": heat(photo.image, found.regions),
        "marks.jpg": annotate(photo.image, marks),
    }
    result = {**found.as_dict(), "marks": len(boxes), "model_asked": asked["model"]}
    return _kept(artifacts, job, pictures, result)


def _compare(models: Models, photos: Photos, artifacts: Artifacts, job: Job) -> Done:
    from llava_agent.lab.compare import compare
    from tools.geometry import Box
    from tools.marks.annotate import annotate
    from tools.photo import load_image

    asked = job.run.request
    loaded = [load_image(photos.content(job.who, id)) for id in asked["photos"]]
    cores = tuple(models.named(name) for name in asked["models"])
    pairs = compare(
        loaded,
        asked["question"],
        (cores[0], cores[1]),
        lambda done, total: _tell(job, done, total),
        job.who,
    )
    pictures = {}
    for at, pair in enumerate(pairs):
        for side, answer in zip("ab", pair.answers, strict=True):
            boxes = [Box(*one.box) for one in answer.evidence if one.box]
            pictures[f"{at}-{side}.jpg"] = annotate(pair.photo.image, (), evidence=boxes)
    names = [photos.get(job.who, id).name for id in asked["photos"]]
    rows = [{"name": name, **pair.as_dict()} for name, pair in zip(names, pairs, strict=True)]
    same = sum(pair.same for pair in pairs)
    return _kept(artifacts, job, pictures, {"models": asked["models"], "same": same, "rows": rows})


def _tell(job: Job, done: int, total: int) -> None:
    """An event now and then, and a look whether the run is to end, each time."""
    job.check()
    if total < 20 or done % (total // 10) < 16:
        job.say("look", {"at": done, "of": total})


def _kept(
    artifacts: Artifacts, job: Job, pictures: Mapping[str, Image.Image], result: Mapping[str, Any]
) -> Done:
    kept: dict[str, Artifact] = {}
    for name, picture in pictures.items():
        small, buffer = picture.convert("RGB"), io.BytesIO()
        small.thumbnail((_SIDE, _SIDE))
        small.save(buffer, "JPEG", quality=88)
        kept[name] = artifacts.write(job.run.tenant, buffer.getvalue(), "image/jpeg")

    def write(connection: sa.Connection) -> Mapping[str, Any]:
        for name, artifact in kept.items():
            artifacts.hold(connection, artifact, job.run.id, name)
        return {}

    return Done(result, write)
