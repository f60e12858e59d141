import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from llava_agent.cli import app
from llava_agent.errors import ConfigError
from tests.training.llava.tiny import config, write_data
from tests.vlm.towers import tiny_tower
from training.data.sample import Picture
from training.llava.feature_cache import FeatureCache, estimate, fill
from training.llava.loader import Loader


def pictures(folder: Path) -> list[Picture]:
    return [Picture(path) for path in sorted((folder / "images").iterdir())]


def test_features_are_those_of_the_tower_and_a_run_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    write_data(tmp_path)
    tower, cache = tiny_tower(mode="tiles"), tmp_path / "cache"
    every = pictures(tmp_path)
    broken = Picture(b"no image")
    assert fill(tower, every[:2], cache) == (2, [])
    assert estimate(tower, every, cache).images == 2
    added, problems = fill(tower, [*every, every[0], broken], cache)
    assert added == 2 and "no image" in problems[0]
    found = FeatureCache(cache, tower.fingerprint())
    assert len(found) == 4
    for picture in every:
        features = found.get(picture)
        assert features is not None
        wanted = tower.features(tower.preprocess(picture.load())[0])
        torch.testing.assert_close(features, wanted, atol=2e-3, rtol=2e-3)
    assert found.get(broken) is None
    # A shard that a kill left without its lines in the index is not believed.
    (cache / "features-0002.npy").write_bytes(b"half")
    assert len(FeatureCache(cache, tower.fingerprint())) == 4


def test_features_of_another_tower_are_refused_by_name(tmp_path: Path) -> None:
    write_data(tmp_path)
    fill(tiny_tower(), pictures(tmp_path), tmp_path / "cache")
    with pytest.raises(ConfigError, match="layer was -2 and is -1"):
        FeatureCache(tmp_path / "cache", tiny_tower(layer=-1).fingerprint())
    with pytest.raises(ConfigError, match="layer was -2"):
        fill(tiny_tower(layer=-1), pictures(tmp_path), tmp_path / "cache")
    with pytest.raises(ConfigError, match="holds no features"):
        FeatureCache(tmp_path, tiny_tower().fingerprint())


def test_a_run_reads_features_instead_of_pixels(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(config(made, steps=2, cache=str(tmp_path / "cache")))
    run = CliRunner()
    asked = json.loads(run.invoke(app, ["train", "cache", path, "--json"]).stdout)
    assert (asked["images"], asked["added"]) == (4, 0) and asked["megabytes"] > 0 and asked["tower_ms"] > 0
    assert json.loads(run.invoke(app, ["train", "cache", path, "--yes", "--json"]).stdout)["added"] == 4
    seen = []
    original = Loader._seen
    monkeypatch.setattr(Loader, "_seen", lambda self, one: seen.append(original(self, one)) or seen[-1])
    done = run.invoke(app, ["train", path, "--out", str(tmp_path / "cached"), "--json"])
    assert done.exit_code == 0, done.output
    assert seen and all(one.pixels is None for one in seen)
    plain = str(config(made, steps=2))
    assert run.invoke(app, ["train", plain, "--out", str(tmp_path / "plain")]).exit_code == 0
    losses = [
        [json.loads(line)["loss"] for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        for name in ("cached", "plain")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
