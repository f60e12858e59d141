from pathlib import Path

import pytest
import torch
from transformers import LlavaForConditionalGeneration

from llava_agent.errors import ConfigError
from llava_agent.vlm.llava import LlavaModel
from llava_agent.vlm.llava_checkpoint import load_llava
from projector import ProjectorConfig, build_projector
from tests.vlm.language_models import IMAGE, tiny_language
from tests.vlm.towers import gradient_image, tiny_tower
from training.export.hf import export_hf

PICTURE = gradient_image(40, 24)


def model(kind: str = "mlp2x_gelu", mode: str = "pad", layer: object = -2) -> LlavaModel:
    tower = tiny_tower(layer=layer, mode=mode)  # type: ignore[arg-type]
    projector = build_projector(ProjectorConfig(kind, tower.hidden_size, 64), seed=0)
    return LlavaModel(tower, projector, tiny_language(), IMAGE)


@pytest.mark.parametrize("layer", [-2, (-3, -2)])
def test_the_folder_loads_and_computes_the_same(tmp_path: Path, layer: object) -> None:
    ours = model(layer=layer)
    result = export_hf(ours, tmp_path / "out")
    assert result.difference < 1e-4
    again = load_llava(str(tmp_path / "out"))
    torch.testing.assert_close(again.encode(PICTURE)[0], ours.encode(PICTURE)[0], atol=1e-4, rtol=1e-4)
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]
    with pytest.raises(ConfigError, match="exists"):
        export_hf(ours, tmp_path / "out")


@pytest.mark.parametrize("mode", ["pad", "stretch", "crop"])
def test_transformers_sees_images_as_we_do(tmp_path: Path, mode: str) -> None:
    from transformers import AutoImageProcessor

    ours = model(mode=mode)
    export_hf(ours, tmp_path / "out")
    processor = AutoImageProcessor.from_pretrained(tmp_path / "out")
    theirs = processor(PICTURE, return_tensors="pt")["pixel_values"]
    mine, _ = ours.tower.preprocess(PICTURE)
    assert theirs.shape == mine.shape
    # Libraries round a resized image differently; a picture that is shifted or cropped differs by much more.
    assert (theirs - mine).abs().mean() < 0.06


@pytest.mark.parametrize(("parts", "said"), [({"kind": "linear"}, "linear"), ({"mode": "tiles"}, "tiles")])
def test_what_has_no_place_is_refused_with_the_reason(tmp_path: Path, parts: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        export_hf(model(**parts), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_computes_something_else_does_not_appear(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    load = LlavaForConditionalGeneration.from_pretrained

    def damaged(*given, **options):  # type: ignore[no-untyped-def]
        copy, report = load(*given, **options)
        with torch.no_grad():
            copy.model.multi_modal_projector.linear_1.bias.add_(1)
        return copy, report

    monkeypatch.setattr(LlavaForConditionalGeneration, "from_pretrained", damaged)
    with pytest.raises(Exception, match="logits differ"):
        export_hf(model(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
