"""A run of a check that was cut off: what is done stays done, and no step is done twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from llava_agent.assembly import Core
from llava_agent.checks.spec import parse_spec
from llava_agent.checks.verdict import SpecResult, Verdict
from llava_agent.egress import Reach
from llava_agent.errors import ConfigError
from llava_agent.service.store.checks import Checks
from llava_agent.service.work.check import KIND, Checker
from llava_agent.service.work.findings import Findings
from llava_agent.service.work.job import Job, Stopped
from tests.service.stores import ADA, Store, picture

LOOKS = "name: shot\npage: a.png\nexpect:\n  - not_shows: anything\nviewports: [[300, 200], [400, 200]]\n"
ACTS = "name: shop\npage: http://a.example/\nsteps:\n  - click: Order\nexpect:\n  - shows: Thanks\n"


def no_model() -> Core:
    raise AssertionError("no model is needed")


class Scene:
    """A stored check, a run of it that is under way, and what does it."""

    def __init__(self, store: Store, folder: Path, text: str) -> None:
        self.checks = Checks(store.database, store.artifacts)
        self.checker = Checker(no_model, self.checks, store.artifacts, folder, Reach())
        image = picture("white", (200, 100))
        file = store.artifacts.write(ADA.tenant, image.content, image.media_type)
        self.check, _ = self.checks.add(ADA, "a check", text, {"a.png": file})
        self.run, _ = store.runs.add(ADA, KIND, {"check": self.check.id, "name": "a check"})
        claimed = store.runs.claim("here", [KIND])
        assert claimed is not None
        self.job = Job(claimed, store.runs)
        self.out = folder / self.run.id


def test_a_variant_that_is_done_is_not_looked_at_again(store: Store, tmp_path: Path) -> None:
    scene = Scene(store, tmp_path / "runs", LOOKS)
    spec = parse_spec(LOOKS)
    kept = SpecResult("kept", Path(), (Verdict("fail", "not shown", "ocr", "it was", screenshot=None),), 1.0)
    Findings(scene.out).begin(0)
    Findings(scene.out).keep(0, spec, spec.variants()[0], kept)
    done = scene.checker.check(scene.job)
    assert [one["name"] for one in done.result["variants"]] == ["kept", "shot [400x200]"]
    assert done.result["status"] == "fail" and done.result["counts"] == {"fail": 1, "pass": 1}
    said = [one.body["at"] for one in store.runs.events(ADA, scene.run.id) if one.kind == "checked"]
    assert said == [2]


def test_looking_again_is_harmless_and_acting_again_is_not(store: Store, tmp_path: Path) -> None:
    looks = Scene(store, tmp_path / "looks", LOOKS)
    Findings(looks.out).begin(0)
    assert looks.checker.check(looks.job).result["status"] == "pass"
    acts = Scene(store, tmp_path / "acts", ACTS)
    Findings(acts.out).begin(0)
    done = acts.checker.check(acts.job)  # no browser: the address does not even exist
    assert (
        done.result["status"] == "error" and "not done a second time" in done.result["variants"][0]["problem"]
    )


def test_an_edit_meanwhile_changes_nothing_of_the_run(store: Store, tmp_path: Path) -> None:
    scene = Scene(store, tmp_path / "runs", LOOKS)
    scene.job.stop.set()
    with pytest.raises(Stopped):
        scene.checker.check(scene.job)
    scene.job.stop.clear()
    changed = LOOKS.replace("not_shows", "shows")
    scene.checks.change(ADA, scene.check.id, 1, "a check", changed, {})
    done = scene.checker.check(scene.job)
    assert done.result["version"] == 1 and done.result["status"] == "pass"


def test_what_cannot_be_run_leaves_nothing_and_a_cancelled_run_neither(store: Store, tmp_path: Path) -> None:
    scene = Scene(store, tmp_path / "runs", LOOKS.replace("a.png", "b.png"))
    with pytest.raises(ConfigError, match="no picture of this check"):
        scene.checker.check(scene.job)
    assert not scene.out.exists()
    other = Scene(store, tmp_path / "others", LOOKS)
    store.runs.cancel(ADA, other.run.id)
    other.job.stop.set()
    with pytest.raises(Stopped):
        other.checker.check(other.job)
    assert not other.out.exists()
