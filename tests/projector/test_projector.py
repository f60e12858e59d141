import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from llava_agent.errors import ConfigError, WeightsError
from projector import (
    Fingerprint,
    LanguageFingerprint,
    ProjectorConfig,
    TowerFingerprint,
    build_projector,
    load_projector,
    read_fingerprint,
    save_projector,
    sign_hash,
)

TOWER = TowerFingerprint(
    id="ViT-tiny",
    tag="made",
    quick_gelu=True,
    layer=-2,
    image_size=32,
    resize_mode="pad",
    mean=(0.5, 0.5, 0.5),
    std=(0.2, 0.2, 0.2),
    hidden_size=8,
    weights="aa",
)
LANGUAGE = LanguageFingerprint(id="lm", revision="r1", hidden_size=6, tokenizer="bb", embeddings="cc")
FINGERPRINT = Fingerprint(TOWER, LANGUAGE, {"torch": "2"}, step=12, data_hash="dd")


@pytest.mark.parametrize(
    ("kind", "shuffle", "linears"),
    [("linear", 1, 1), ("mlp2x_gelu", 1, 2), ("mlp4x_gelu", 1, 4), ("pixel_shuffle_mlp", 2, 2)],
)
def test_each_kind_has_its_layers_and_shape(kind: str, shuffle: int, linears: int) -> None:
    projector = build_projector(ProjectorConfig(kind, 8, 6, shuffle), seed=0)
    assert sum(isinstance(layer, nn.Linear) for layer in projector.modules()) == linears
    out = projector(torch.randn(3, 16, 8), (4, 4))
    assert out.shape == (3, 16 // shuffle**2, 6)
    assert projector.tokens((4, 4)) == out.shape[1]


def test_mlp_is_linear_gelu_linear() -> None:
    projector = build_projector(ProjectorConfig("mlp2x_gelu", 8, 6), seed=0)
    first, second = (layer for layer in projector.layers if isinstance(layer, nn.Linear))
    x = torch.randn(1, 4, 8)
    torch.testing.assert_close(projector(x, (2, 2)), second(nn.functional.gelu(first(x))))


def test_pixel_shuffle_joins_neighbours_and_nothing_else() -> None:
    projector = build_projector(ProjectorConfig("pixel_shuffle_mlp", 8, 6, 2), seed=0)
    x = torch.randn(1, 4 * 6, 8)
    before = projector(x, (4, 6))
    row, col = 3, 2  # belongs to token (1, 1) of the 2 x 3 grid
    x[0, row * 6 + col] += 1.0
    changed = (projector(x, (4, 6)) - before).abs().sum(-1)[0] > 1e-6
    assert changed.nonzero().flatten().tolist() == [1 * 3 + 1]


@pytest.mark.parametrize(
    ("kind", "shuffle"), [("mlp0x_gelu", 1), ("qformer", 1), ("linear", 2), ("pixel_shuffle_mlp", 1)]
)
def test_unknown_kinds_and_shuffles_are_refused(kind: str, shuffle: int) -> None:
    with pytest.raises(ConfigError, match="projector kind"):
        ProjectorConfig(kind, 8, 6, shuffle)


def test_a_grid_that_does_not_divide_and_wrong_features_are_refused() -> None:
    projector = build_projector(ProjectorConfig("pixel_shuffle_mlp", 8, 6, 2))
    with pytest.raises(ConfigError, match="3 x 4"):
        projector(torch.randn(1, 12, 8), (3, 4))
    with pytest.raises(ConfigError, match="16, 8"):
        projector(torch.randn(1, 16, 9), (4, 4))


def test_a_seed_repeats_weights_and_leaves_the_global_generator_alone() -> None:
    config = ProjectorConfig("linear", 8, 6)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first, second = build_projector(config, seed=1), build_projector(config, seed=1)
    assert torch.equal(torch.rand(1), expected)
    torch.testing.assert_close(first.state_dict(), second.state_dict())


def test_save_and_load_give_the_same_projector(tmp_path: Path) -> None:
    projector = build_projector(ProjectorConfig("mlp2x_gelu", 8, 6), seed=5)
    save_projector(tmp_path / "p", projector, FINGERPRINT)
    loaded = load_projector(tmp_path / "p", tower=TOWER, language=LANGUAGE)
    x = torch.randn(1, 4, 8)
    assert torch.equal(loaded.projector(x, (2, 2)), projector(x, (2, 2)))
    assert loaded.fingerprint == FINGERPRINT == read_fingerprint(tmp_path / "p")
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == [
        "projector.json",
        "projector.safetensors",
    ]


@pytest.mark.parametrize(
    ("side", "field", "value"),
    [
        ("tower", "quick_gelu", False),
        ("tower", "layer", -1),
        ("tower", "resize_mode", "crop"),
        ("tower", "mean", (0.4, 0.5, 0.5)),
        ("tower", "weights", "ab"),
        ("language", "embeddings", "cd"),
        ("language", "tokenizer", "be"),
        ("language", "id", "other"),
    ],
)
def test_a_difference_is_refused_and_named(tmp_path: Path, side: str, field: str, value: object) -> None:
    save_projector(tmp_path, build_projector(ProjectorConfig("linear", 8, 6)), FINGERPRINT)
    tower, language = TOWER, LANGUAGE
    if side == "tower":
        tower = replace(tower, **{field: value})
    else:
        language = replace(language, **{field: value})
    with pytest.raises(WeightsError, match=rf"{side}\.{field}"):
        load_projector(tmp_path, tower=tower, language=language)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    projector = build_projector(ProjectorConfig("linear", 8, 6))
    with pytest.raises(WeightsError, match="cannot read"):
        load_projector(tmp_path / "nothing", tower=None, language=None)
    save_projector(tmp_path, projector, FINGERPRINT)
    weights, description = tmp_path / "projector.safetensors", tmp_path / "projector.json"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-4])
    with pytest.raises(WeightsError, match="not the file"):
        load_projector(tmp_path, tower=None, language=None)
    weights.write_bytes(whole)
    document = json.loads(description.read_text())
    document["projector"]["out_dim"] = 7
    description.write_text(json.dumps(document))
    with pytest.raises(WeightsError, match="does not fit"):
        load_projector(tmp_path, tower=None, language=None)
    document["fingerprint"]["tower"].pop("layer")
    description.write_text(json.dumps(document))
    with pytest.raises(WeightsError, match=r"tower\.layer"):
        load_projector(tmp_path, tower=None, language=None)
    description.write_text("{")
    with pytest.raises(WeightsError, match="not JSON"):
        load_projector(tmp_path, tower=None, language=None)


def test_a_width_that_contradicts_the_fingerprint_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="hidden_size 6"):
        save_projector(tmp_path, build_projector(ProjectorConfig("linear", 8, 7)), FINGERPRINT)
    assert list(tmp_path.iterdir()) == []


def test_sign_hash_survives_precision_and_sees_other_weights() -> None:
    table = torch.randn(50, 16) * torch.logspace(-6, 3, 16)
    reference = sign_hash([table])
    assert sign_hash([table.half()]) == sign_hash([table.bfloat16()]) == reference
    other = table.clone()
    other[17, 3] *= -1
    assert sign_hash([other]) != reference
    assert sign_hash([table.T.contiguous()]) != reference
