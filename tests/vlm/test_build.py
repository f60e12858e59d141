import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import LlamaForCausalLM

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.build import build_embedded, export_tower
from llava_agent.vlm.build.adapter import merge_adapter
from llava_agent.vlm.build.decoder import export_decoder
from llava_agent.vlm.build.probe import PROBE, compare, record
from llava_agent.vlm.build.step import run_step
from llava_agent.vlm.weights.store import MANIFEST, Manifest
from tests.vlm.built_models import ALPHA, RANK, Built


def test_a_build_is_complete_and_says_what_it_was_made_from(built: Built) -> None:
    manifest = Manifest.load(built.int8)
    assert manifest is not None
    assert set(manifest.files) == {
        "decoder.onnx", "decoder.onnx.data", "decoder.json", "embeddings.npy",
        "tokenizer.json", "tokenizer_config.json",
    } - {"tokenizer_config.json"}  # fmt: skip
    assert manifest.damaged(built.int8) == []
    assert manifest.identity["precision"] == "int8"
    assert manifest.identity["adapter.safetensors"] != "none"
    assert manifest.notes["cosine"]["hidden"] > 0.99  # type: ignore[index]
    assert (built.int8 / "tokenizer.json").read_bytes() == (built.source / "tokenizer.json").read_bytes()
    assert {path.name for path in built.int8.parent.glob(".*")} == set()  # nothing half-made is left


def test_a_failed_build_leaves_what_was_there_and_tells_where_to_look(built: Built, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "model.safetensors").write_bytes(b"not weights")
    out = tmp_path / "models" / "embedded"
    out.mkdir(parents=True)
    (out / "older").write_text("kept")
    with pytest.raises(WeightsError, match=r"embedded\.build\.log"):
        build_embedded(out, source, None)
    assert [path.name for path in out.iterdir()] == ["older"]
    assert list(out.parent.glob(".*")) == []


def test_neither_file_nor_folder_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="neither"):
        build_embedded(tmp_path / "out", tmp_path / "absent", None)
    with pytest.raises(ConfigError, match="int3"):
        export_decoder(tmp_path, tmp_path, "int3", tmp_path / "log")  # type: ignore[arg-type]


def test_a_decoder_of_other_weights_does_not_pass_for_this_one(built: Built, tmp_path: Path) -> None:
    model = LlamaForCausalLM.from_pretrained(built.source).eval()
    record(model, tmp_path)
    assert compare(built.fp32, tmp_path)["hidden"] > 0.9999
    with torch.no_grad():
        for layer in model.model.layers:
            layer.mlp.down_proj.weight.neg_()
    record(model, tmp_path)
    assert (tmp_path / PROBE).is_file()
    assert compare(built.fp32, tmp_path)["hidden"] < 0.9


def test_a_step_that_fails_is_named_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"adapter.*no_such_module") as caught:
        run_step("llava_agent.vlm.build.adapter.no_such_module", [], tmp_path / "log")
    assert str(tmp_path / "log") in str(caught.value)


class _Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 6), nn.Linear(6, 3)


def _adapter(path: Path, metadata: dict[str, str] | None = None, **tensors: torch.Tensor) -> Path:
    save_file({name.replace("__", "."): value for name, value in tensors.items()}, path, metadata)
    return path


@pytest.mark.parametrize(
    "metadata", [{"alpha": "4", "r": "2"}, {"adapter": json.dumps({"alpha": 4, "r": 2, "base": "x"})}]
)
def test_merging_adds_the_scaled_product(tmp_path: Path, metadata: dict[str, str]) -> None:
    model, a, b = _Two(), torch.randn(2, 4), torch.randn(6, 2)
    before = model.first.weight.detach().clone(), model.second.weight.detach().clone()
    path = _adapter(tmp_path / "a", metadata, first__lora_A=a, first__lora_B=b)
    assert merge_adapter(model, path) == 1
    torch.testing.assert_close(model.first.weight.detach(), before[0] + b @ a * 2)
    torch.testing.assert_close(model.second.weight.detach(), before[1])


def test_the_shipped_format_is_the_one_that_is_read(built: Built) -> None:
    model = LlamaForCausalLM.from_pretrained(built.source)
    before = model.model.layers[1].mlp.down_proj.weight.detach().clone()
    tensors = load_file(built.shipped / "adapter.safetensors")
    assert merge_adapter(model, built.shipped / "adapter.safetensors") == 2
    name = "model.layers.1.mlp.down_proj"
    delta = tensors[f"{name}.lora_B"] @ tensors[f"{name}.lora_A"] * ALPHA / RANK
    torch.testing.assert_close(model.model.layers[1].mlp.down_proj.weight.detach(), before + delta)


@pytest.mark.parametrize(
    ("tensors", "metadata", "said"),
    [
        ({"first__lora_A": (2, 4)}, {"alpha": "4", "r": "2"}, "lacks"),
        ({"third__lora_A": (2, 4), "third__lora_B": (6, 2)}, {"alpha": "4", "r": "2"}, "third"),
        ({"first__lora_A": (2, 5), "first__lora_B": (6, 2)}, {"alpha": "4", "r": "2"}, "another model"),
        ({"first__lora_A": (2, 4), "first__lora_B": (6, 2)}, {"alpha": "4"}, "cannot be read"),
        ({"first__lora_A": (2, 4), "first__lora_B": (6, 2)}, {"alpha": "4", "r": "0"}, "cannot be read"),
        ({"first__weight": (6, 4)}, {"alpha": "4", "r": "2"}, "no adapter"),
    ],
)
def test_a_wrong_adapter_is_refused_and_changes_nothing(
    tmp_path: Path, tensors: dict[str, tuple[int, int]], metadata: dict[str, str], said: str
) -> None:
    model = _Two()
    before = model.first.weight.detach().clone()
    made = {name: torch.randn(shape) for name, shape in tensors.items()}
    if said == "another model":  # the good half must not be merged either
        made |= {"second__lora_A": torch.randn(2, 6), "second__lora_B": torch.randn(3, 2)}
    kept = model.second.weight.detach().clone()
    with pytest.raises(WeightsError, match=said):
        merge_adapter(model, _adapter(tmp_path / "a", metadata, **made))
    torch.testing.assert_close(model.first.weight.detach(), before)
    torch.testing.assert_close(model.second.weight.detach(), kept)


def test_a_tower_is_exported_for_any_batch_size(tmp_path: Path) -> None:
    import onnxruntime

    tower = nn.Sequential(nn.Conv2d(3, 5, 3, 2), nn.BatchNorm2d(5), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5))
    tower.train()
    assert export_tower(tower, torch.randn(2, 3, 9, 9), tmp_path / "tower.onnx") < 1e-4
    assert tower.training
    images = torch.randn(7, 3, 9, 9)
    session = onnxruntime.InferenceSession(str(tmp_path / "tower.onnx"))
    with torch.no_grad():
        expected = tower.eval()(images).numpy()
    found = session.run(["features"], {"image": images.numpy()})[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["tower.onnx"]


class _Pair(nn.Module):
    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return image.mean((2, 3)), image.amax((2, 3))


def test_several_outputs_keep_their_names(tmp_path: Path) -> None:
    import onnxruntime

    export_tower(_Pair(), torch.randn(2, 3, 4, 4), tmp_path / "pair.onnx", ("mean", "peak"))
    session = onnxruntime.InferenceSession(str(tmp_path / "pair.onnx"))
    assert [output.name for output in session.get_outputs()] == ["mean", "peak"]


class _Moody(nn.Module):
    """Computes something else for other batch sizes, which a trace cannot know."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image * (2.0 if image.shape[0] == 2 else 3.0)


def test_an_export_that_computes_something_else_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "moody.onnx").write_bytes(b"older")
    with pytest.raises(WeightsError, match="differs from torch"):
        export_tower(_Moody(), torch.randn(2, 3), tmp_path / "moody.onnx")
    assert (tmp_path / "moody.onnx").read_bytes() == b"older"


def test_a_manifest_sees_what_changed(built: Built, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    (tmp_path / "b").write_text("two")
    Manifest.of(tmp_path, {"format": "1"}, {}).save(tmp_path)
    manifest = Manifest.load(tmp_path)
    assert manifest is not None
    assert manifest.sizes_fit(tmp_path)
    (tmp_path / "a").write_text("eno")
    assert manifest.sizes_fit(tmp_path)
    assert manifest.damaged(tmp_path) == ["a"]
    (tmp_path / "b").unlink()
    assert not manifest.sizes_fit(tmp_path)
    (tmp_path / MANIFEST).write_text('{"files": []}')
    assert Manifest.load(tmp_path) is None
