from pathlib import Path

import pytest
import torch

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.decode import Sampling
from llava_agent.vlm.fusion import IGNORE
from llava_agent.vlm.llava import Row
from llava_agent.vlm.loading import load_model, new_model, pick_device
from llava_agent.vlm.presets import ComposedPreset, LlavaPreset, load_preset
from tests.vlm.language_models import IMAGE, save_language, tiny_language, tiny_llava, tiny_tokenizer
from tests.vlm.towers import gradient_image, save_open_clip


@pytest.fixture
def preset(tmp_path: Path) -> ComposedPreset:
    """A preset over saved tiny parts, with a projector that was trained for one step."""
    save_open_clip(tmp_path / "tower")
    save_language(tmp_path / "language")
    path = tmp_path / "tiny.yaml"
    path.write_text(
        f"kind: composed\nsummary: test\nneeds: []\ndevice: cpu\n"
        f"tower: {{library: open_clip, model: {tmp_path}/tower, quick_gelu: true}}\n"
        f"projector: {{kind: pixel_shuffle_mlp, shuffle: 2, folder: {tmp_path}/projector}}\n"
        f"language: {{model: {tmp_path}/language, image_token: <image>}}\n"
    )
    loaded = load_preset(str(path))
    assert isinstance(loaded, ComposedPreset)
    return loaded


def test_train_save_and_serve_through_one_preset(preset: ComposedPreset) -> None:
    picture = gradient_image(48, 20)
    model = new_model(preset, seed=3)
    optimizer = torch.optim.SGD(model.projector.parameters(), lr=0.1)
    row = Row([256, IMAGE, 9, 30], [picture], [IGNORE, IGNORE, IGNORE, 30])
    model(model.batch([row])).loss.backward()
    optimizer.step()
    model.save_projector(Path(preset.projector.folder or ""), step=1)
    served = load_model(preset)
    torch.testing.assert_close(served.encode(picture)[0], model.encode(picture)[0])
    assert not torch.equal(served.encode(picture)[0], new_model(preset, seed=3).encode(picture)[0])
    run = [
        list(m.generate([256, IMAGE, 9], [picture], Sampling(max_tokens=5), stop=())) for m in (served, model)
    ]
    assert run[0] == run[1]


def test_an_adapter_changes_the_answers_and_the_wrong_folder_is_refused(
    preset: ComposedPreset, tmp_path: Path
) -> None:
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    adapted = get_peft_model(
        tiny_language().model, LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False)
    )
    adapted.save_pretrained(str(tmp_path / "adapter"))
    ids = torch.tensor([[256, 10, 11]])
    plain = new_model(preset, seed=0).language
    tuned = new_model(preset.model_copy(update={"adapter": str(tmp_path / "adapter")}), seed=0).language
    expected = adapted(input_ids=ids).logits[:, -1]
    last = torch.tensor([[False, False, True]])
    torch.testing.assert_close(tuned.logits_at(tuned.embed(ids), None, last), expected)
    assert not torch.allclose(plain.logits_at(plain.embed(ids), None, last), expected)
    with pytest.raises(WeightsError, match=r"adapter_config\.json"):
        new_model(preset.model_copy(update={"adapter": str(tmp_path)}), seed=0)


def test_an_image_token_outside_the_vocabulary_is_refused(preset: ComposedPreset) -> None:
    spec = preset.language.model_copy(update={"image_token": "<picture>"})
    with pytest.raises(ConfigError, match="<picture>"):
        new_model(preset.model_copy(update={"language": spec}), seed=0)


def test_a_preset_without_a_projector_says_so(preset: ComposedPreset) -> None:
    with pytest.raises(WeightsError, match=r"projector\.json"):
        load_model(preset)
    spec = preset.projector.model_copy(update={"folder": None})
    with pytest.raises(ConfigError, match="no trained projector"):
        load_model(preset.model_copy(update={"projector": spec}))


def test_a_llava_preset_loads_its_checkpoint(tmp_path: Path) -> None:
    tiny_llava().save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    preset = LlavaPreset(name="x", summary="x", needs=(), model=str(tmp_path), device="cpu")
    model = load_model(preset)
    assert (
        len(list(model.generate([256, IMAGE, 9], [gradient_image(9, 9)], Sampling(max_tokens=2), stop=())))
        == 2
    )


def test_devices_that_are_not_there_are_refused() -> None:
    assert pick_device("cpu") == "cpu"
    for bad in ("cuda:99", "abacus"):
        with pytest.raises(ConfigError, match=bad):
            pick_device(bad)
