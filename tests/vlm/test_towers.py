import json
from pathlib import Path

import open_clip
import pytest
import torch
from transformers import CLIPVisionConfig, CLIPVisionModel, SiglipVisionConfig, SiglipVisionModel

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.vision.convert import open_clip_to_hf
from llava_agent.vlm.vision.hf_tower import HfTower, hf_preprocess, load_hf_tower
from llava_agent.vlm.vision.open_clip_tower import OpenClipTower, load_open_clip_tower
from llava_agent.vlm.vision.preprocess import HALF, Preprocess
from llava_agent.vlm.vision.tower import TowerIdentity, absolute_layer
from tests.vlm.towers import VIT, gradient_image, save_open_clip, tiny_clip, tiny_tower


@pytest.mark.parametrize("layer", [-1, -2, -3, 0, 1])
@pytest.mark.parametrize("quick_gelu", [True, False])
def test_open_clip_and_hf_towers_agree(layer: int, quick_gelu: bool) -> None:
    visual = tiny_clip(quick_gelu).visual
    converted = open_clip_to_hf(visual)
    how = Preprocess(32)
    ours = OpenClipTower(visual, TowerIdentity("a"), how, layer=layer)
    theirs = HfTower(converted, TowerIdentity("b"), how, layer=layer)
    pixels = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(ours.features(pixels), theirs.features(pixels), atol=1e-5, rtol=1e-5)
    hidden = converted(pixels, output_hidden_states=True).hidden_states
    index = layer if layer < 0 else layer + 1
    torch.testing.assert_close(theirs.features(pixels), hidden[index][:, 1:])
    assert ours.quick_gelu == theirs.quick_gelu == quick_gelu
    assert ours.grid == theirs.grid
    assert ours.hidden_size == theirs.hidden_size == 32


def test_siglip_features_are_its_hidden_states_and_an_uneven_patch_leaves_a_rest() -> None:
    config = SiglipVisionConfig(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=30,
        patch_size=8,
    )
    model = SiglipVisionModel(config).eval()
    tower = HfTower(model, TowerIdentity("s"), hf_preprocess(config, None, "stretch"))
    pixels, mapping = tower.preprocess(gradient_image(60, 60))
    assert tower.preprocessing.mean == HALF
    hidden = model(pixels, output_hidden_states=True).hidden_states
    torch.testing.assert_close(tower.features(pixels), hidden[-2])
    assert mapping.tokens == tower.features(pixels).shape[1] == 9
    assert mapping.token(59, 59) is None  # the last 6 of 30 canvas pixels are in no patch


def test_only_the_blocks_that_are_needed_run() -> None:
    tower = tiny_tower(layer=-2)
    ran = []
    for index, block in enumerate(tower.visual.transformer.resblocks):
        block.register_forward_hook(lambda *_, index=index: ran.append(index))
    tower.features(torch.zeros(1, 3, 32, 32))
    assert ran == [0, 1]


def test_convolutional_trunk_gives_a_grid_by_stride() -> None:
    clip = open_clip.CustomTextCLIP(
        embed_dim=16,
        vision_cfg={"timm_model_name": "tf_efficientnet_lite0", "timm_pool": "avg", "image_size": 70},
        text_cfg={"context_length": 8, "vocab_size": 64, "width": 16, "heads": 1, "layers": 1},
    )
    tower = OpenClipTower(clip.visual, TowerIdentity("cnn"), Preprocess(70), layer=-2)
    assert (tower.hidden_size, tower.grid.rows, tower.grid.cell) == (112, 5, 16.0)
    pixels, mapping = tower.preprocess(gradient_image(140, 140))
    assert tower.features(pixels).shape == (1, mapping.tokens, 112)
    box = mapping.box(24)  # the last cell reaches over the canvas of 70 pixels; its box does not
    assert box is not None
    assert (box.x1, box.y1) == (140.0, 140.0)


def test_local_folder_loads_with_its_own_normalisation(tmp_path: Path) -> None:
    tower = load_open_clip_tower(str(save_open_clip(tmp_path / "mine")), quick_gelu=True)
    assert tower.identity == TowerIdentity("mine")
    assert (tower.preprocessing.mean, tower.preprocessing.interpolation) == ((0.5, 0.4, 0.3), "bilinear")
    assert tower.preprocessing.mode == "pad"
    pixels = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(tower.features(pixels), tiny_tower().features(pixels))
    assert not any(parameter.requires_grad for parameter in tower.parameters())
    assert tower.fingerprint() == load_open_clip_tower(str(tmp_path / "mine")).fingerprint()


def test_built_in_architecture_loads_a_weights_file(tmp_path: Path) -> None:
    folder = save_open_clip(tmp_path / "saved")
    (tmp_path / "vit-tiny-test.json").write_text(json.dumps(VIT))
    open_clip.add_model_config(tmp_path / "vit-tiny-test.json")
    weights = folder / "open_clip_model.safetensors"
    tower = load_open_clip_tower("vit-tiny-test", pretrained=str(weights))
    assert tower.identity == TowerIdentity("vit-tiny-test", "open_clip_model.safetensors")
    pixels = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(tower.features(pixels), tiny_tower().features(pixels))
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(WeightsError, match="could not be loaded"):
        load_open_clip_tower(str(folder))


def test_quick_gelu_mismatch_is_an_error_that_names_the_field(tmp_path: Path) -> None:
    folder = save_open_clip(tmp_path / "plain", quick_gelu=False)
    with pytest.raises(ConfigError, match="quick_gelu"):
        load_open_clip_tower(str(folder), quick_gelu=True)
    with pytest.raises(ConfigError, match="quick_gelu"):
        load_open_clip_tower("ViT-L-14-336", pretrained="openai")
    converted = open_clip_to_hf(tiny_clip(False).visual)
    converted.save_pretrained(tmp_path / "hf")
    with pytest.raises(ConfigError, match="quick_gelu"):
        load_hf_tower(str(tmp_path / "hf"), quick_gelu=True)
    assert load_hf_tower(str(tmp_path / "hf"), quick_gelu=False).hidden_size == 32


def test_the_activation_is_read_from_the_modules_not_from_a_label() -> None:
    assert tiny_tower().fingerprint().quick_gelu is True
    visual = tiny_clip(False).visual
    assert OpenClipTower(visual, TowerIdentity("x"), Preprocess(32)).fingerprint().quick_gelu is False


def test_fingerprint_sees_other_weights() -> None:
    first, second = tiny_tower(), tiny_tower()
    assert first.fingerprint() == second.fingerprint()
    with torch.no_grad():
        second.visual.conv1.weight[0, 0, 0, 0] *= -1
    assert first.fingerprint() != second.fingerprint()


@pytest.mark.parametrize(
    ("model", "tag", "message"),
    [
        ("ViT-Z-99", "openai", "no architecture"),
        ("ViT-B-32", "nonsense", "known tags: openai"),
        ("ViT-B-32", None, "needs a pretrained tag"),
    ],
)
def test_unknown_names_are_refused_before_any_download(model: str, tag: str | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_open_clip_tower(model, pretrained=tag)


def test_folders_that_hold_no_tower_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"open_clip_config\.json"):
        load_open_clip_tower(str(tmp_path))
    with pytest.raises(WeightsError, match="could not be loaded"):
        load_hf_tower(str(tmp_path))


def test_hf_weights_that_are_missing_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    open_clip_to_hf(tiny_clip().visual).save_pretrained(tmp_path)
    path = str(tmp_path / "model.safetensors")
    state = load_file(path)
    dropped = sorted(key for key in state if "layers.1.mlp.fc1.weight" in key)[0]
    save_file({key: value for key, value in state.items() if key != dropped}, path, {"format": "pt"})
    with pytest.raises(WeightsError, match=r"mlp\.fc1\.weight"):
        load_hf_tower(str(tmp_path))


def test_layers_that_do_not_exist_are_refused() -> None:
    assert [absolute_layer(layer, 3) for layer in (-1, -3, 0, 2)] == [3, 1, 1, 3]
    for layer in (-4, 3):
        with pytest.raises(ConfigError, match=f"layer {layer}"):
            absolute_layer(layer, 3)
    with pytest.raises(ConfigError, match="layer 9"):
        tiny_tower(layer=9)
    config = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
    )
    with pytest.raises(ConfigError, match="layer -3"):
        HfTower(CLIPVisionModel(config), TowerIdentity("x"), Preprocess(32), layer=-3)
