import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from llava_agent.cli import app
from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.llava import LlavaModel
from llava_agent.vlm.weights.store import Manifest
from projector import ProjectorConfig, build_projector
from tests.training.llava.tiny import config, write_data, write_models
from tests.vlm.language_models import IMAGE, tiny_language
from tests.vlm.towers import tiny_tower
from training.export import onnx as exporting
from training.export.onnx import VISION, VISION_CONFIG, export_onnx
from training.llava.run import train
from training.llava.settings import read_settings


def model() -> LlavaModel:
    tower = tiny_tower(mode="tiles")
    projector = build_projector(ProjectorConfig("pixel_shuffle_mlp", tower.hidden_size, 64, 2), seed=0)
    return LlavaModel(tower, projector, tiny_language(), IMAGE)


def test_a_run_with_an_adapter_becomes_files_that_compute_the_same(tmp_path: Path) -> None:
    write_models(tmp_path)
    write_data(tmp_path)
    rates = {"adapter": 0.05, "projector": 0.01}
    train(read_settings(config(tmp_path, stage="lora", steps=2, rates=rates)), tmp_path / "run")
    out = tmp_path / "out"
    done = CliRunner().invoke(
        app, ["export", "onnx", str(tmp_path / "run"), "--out", str(out), "--precision", "fp32", "--json"]
    )
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["cosine"] > 0.9999 and said["difference"] < 1e-3
    manifest = Manifest.load(out)
    assert manifest is not None and manifest.damaged(out) == []
    assert {"decoder.onnx", "embeddings.npy", "tokenizer.json", VISION, VISION_CONFIG} <= set(manifest.files)
    assert json.loads((out / VISION_CONFIG).read_text())["image_token"] == IMAGE
    assert not [one.name for one in tmp_path.iterdir() if one.name.startswith((".out", "out."))]


def test_files_that_compute_something_else_do_not_appear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tiles and another projector go too; what is compared is the whole way from pixels to logits."""
    ours = model()
    assert export_onnx(ours, tmp_path / "right", "fp32").cosine > 0.9999
    write = exporting.export_decoder

    def damaged(hf: Path, out: Path, *rest: object) -> None:
        write(hf, out, *rest)  # type: ignore[arg-type]
        table = np.load(out / "embeddings.npy")
        np.save(out / "embeddings.npy", table[::-1].copy())

    monkeypatch.setattr(exporting, "export_decoder", damaged)
    with pytest.raises(WeightsError, match=r"logits differ .*cosine"):
        export_onnx(ours, tmp_path / "wrong", "fp32")
    assert not [one for one in tmp_path.glob("*wrong*") if one.is_dir()]


def test_what_has_no_place_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(ConfigError, match="exists"):
        export_onnx(model(), tmp_path / "there")
    half = model()
    half.language.model.to(torch.bfloat16)
    with pytest.raises(ConfigError, match="fp32 weights on the CPU"):
        export_onnx(half, tmp_path / "out")
    from transformers import GPT2Config, GPT2LMHeadModel

    other = model()
    other.language.model = GPT2LMHeadModel(GPT2Config(vocab_size=320, n_embd=64, n_layer=1, n_head=2)).eval()
    with pytest.raises(ConfigError, match="GPT2LMHeadModel is laid out"):
        export_onnx(other, tmp_path / "out")
    assert [one.name for one in tmp_path.iterdir()] == ["there"]
