import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.gateway.request import Candidate, ModelRequest
from llava_agent.vlm.build.adapter import merge_adapter
from llava_agent.vlm.build.eyes import export_eyes
from llava_agent.vlm.embedded import EmbeddedModel
from llava_agent.vlm.eyes import REGION_ENCODER, Eyes
from llava_agent.vlm.pointer import Calibration, Pointer
from llava_agent.vlm.prompt import ACT_VERBS, END, PromptEncoder
from llava_agent.vlm.reader import Reader
from llava_agent.vlm.region_encoder import new_tower
from projector.checkpoint import load_projector
from tests.training.screens import icon_files, some_pages, write_pages
from tests.vlm.embedded_models import photo, prompt_tokenizer, tiny_causal, tiny_engine
from training.recipe import read_recipe
from training.stages.point import load_trained
from training.train_embedded import STAGES, main

RECIPE = """
render:
  screens: {train: 4, test: 3, held_out: 3}
  equipment: {train: 2, test: 2}
  dials: {train: 4, test: 2}
contrast: {batch_size: 4, steps: 1, seconds: 1}
dial: {epochs: 1, batch_size: 4}
align_steps: 2
point: {steps: 2, seconds: 1, tokens: 900, pool: 4, longest: 450, rank: 2, alpha: 4, curriculum: 0.5}
read: {steps: 2, seconds: 1, batch_size: 4}
evaluate_steps: 12
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Renderings, a tiny language model, first weights, and a recipe of a few steps."""
    folder = tmp_path_factory.mktemp("made")
    with icon_files(folder / "kits"):
        for split, count in (("train", 4), ("test", 3), ("heldout", 3)):
            write_pages(folder / "data" / f"screens-{split}", some_pages(count))
    tiny_causal().save_pretrained(folder / "language")
    PreTrainedTokenizerFast(tokenizer_object=prompt_tokenizer(), eos_token=END).save_pretrained(
        folder / "language"
    )
    trunk = new_tower().visual.trunk.state_dict()
    torch.save({**trunk, "classifier.weight": torch.zeros(3, 3)}, folder / "imagenet.pth")
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


def make(folder: Path, *arguments: str) -> int:
    paths = {name: str(folder / name) for name in ("data", "run", "language")}
    given = [f"--{name}={path}" for name, path in paths.items()]
    recipe, imagenet = folder / "recipe.yaml", folder / "imagenet.pth"
    return main([*given, f"--recipe={recipe}", f"--imagenet={imagenet}", "--threads=1", *arguments])


def test_every_stage_runs_and_the_model_that_comes_out_decides(folder: Path) -> None:
    from training.render.equipment.dataset import write_dials, write_parts

    for split, seed in (("train", 0), ("test", 1)):  # in place of the stage render, which needs a browser
        list(write_parts(folder / "data" / f"equipment-{split}", 2, seed))
        list(write_dials(folder / "data" / f"dials-{split}", 4, seed))
    assert make(folder, *(f"--stage={name}" for name in STAGES if name != "render")) == 0
    shipped = folder / "run" / "shipped"
    figures = json.loads((folder / "run" / "point" / "evaluation-2.json").read_text())
    assert figures["test"]["all"]["total"] > 0
    assert figures["test"]["all"]["interval"][0] <= figures["test"]["all"]["accuracy"]
    assert 0 < figures["random"] < 0.5
    assert figures["untuned"]["all"]["total"] == figures["test"]["all"]["total"]
    assert figures["parts"]["verb"]["total"] == figures["test"]["all"]["total"]
    assert set(figures["calibration"]) == {"temperature", "error before", "error after"}
    export_eyes(shipped, shipped)
    load_projector(shipped / "region_projector", tower=None, language=None)
    eyes = Eyes(shipped / REGION_ENCODER, shipped, 1)
    encoder = PromptEncoder(prompt_tokenizer())
    calibration = Calibration.load(shipped)
    assert calibration != Calibration()
    engine = tiny_engine()
    reader = Reader.load(shipped, encoder.tokenizer, engine.embed, calibration.span)
    model = EmbeddedModel(engine, encoder, Pointer.load(shipped), reader, calibration, eyes)
    candidates = [Candidate('"OK" button', "OK", (0, 0, 30, 20)), Candidate("region", "", (40, 40, 60, 60))]
    choice = model.choose(ModelRequest("act", "Press OK", image=photo()), candidates, ACT_VERBS, pixels=True)
    assert choice.usage.image_tokens == 2
    assert sum(choice.distribution) + choice.none == pytest.approx(1, abs=1e-4)


def test_a_finished_run_is_not_trained_again(folder: Path) -> None:
    before = {path: path.read_bytes() for path in (folder / "run").rglob("*.jsonl")}
    assert before
    assert make(folder, "--stage=contrast", "--stage=dial", "--stage=align+point", "--stage=read") == 0
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--stage=contrast", "--data=nowhere"], "holds no rendered"),
        (["--stage=dial", "--run=nowhere", "--data=nowhere"], "train it first"),
        (["--stage=export", "--run=nowhere"], "train it first"),
        (["--stage=evaluate", "--recipe=nowhere.yaml"], "cannot read nowhere.yaml"),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: list[str], said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert make(folder, *arguments) == 2
    assert said in capsys.readouterr().err


def test_the_recipe_of_the_release_is_complete_and_strict(tmp_path: Path) -> None:
    recipe = read_recipe()
    assert recipe.point.seconds > 0
    assert recipe.lasting(7).point.seconds == recipe.lasting(7).contrast.seconds == 7
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE.replace("align_steps", "align_stepz"))
    with pytest.raises(ConfigError, match="align_steps"):
        read_recipe(path)
    path.write_text(RECIPE.replace("rank: 2", "ranks: 2"))
    with pytest.raises(ConfigError, match=r"point\.ranks.*'rank'"):
        read_recipe(path)
    path.write_text(RECIPE.replace("rank: 2", "rank: two"))
    with pytest.raises(ConfigError, match=r"point\.rank"):
        read_recipe(path)


def test_weights_of_another_model_are_not_taken(folder: Path) -> None:
    from tests.training.test_checkpoint import model
    from training.stages.point import trainable_state

    weights = trainable_state(model())
    load_trained(model(), weights)
    del weights["head.target_key.weight"]
    with pytest.raises(WeightsError, match=r"head\.target_key\.weight"):
        load_trained(model(), weights)


def test_the_adapter_of_the_same_weights_has_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    """Several metadata entries are written in the order of a hash that is drawn anew in each process."""
    write = (
        "import sys, torch; from pathlib import Path; from training.export_embedded import save_adapter;"
        "p = Path(sys.argv[1]);"
        "save_adapter(p, {'x.lora_A': torch.ones(2, 4), 'x.lora_B': torch.ones(6, 2)}, 16, 32)"
    )
    for name in ("a", "b", "c"):
        subprocess.run([sys.executable, "-c", write, str(tmp_path / name)], check=True)
    assert len({(tmp_path / name).read_bytes() for name in ("a", "b", "c")}) == 1
    layer = torch.nn.Linear(4, 6, bias=False)
    before = layer.weight.detach().clone()
    assert merge_adapter(torch.nn.ModuleDict({"x": layer}), tmp_path / "a") == 1
    torch.testing.assert_close(layer.weight.detach() - before, torch.full((6, 4), 2 * 32 / 16))
