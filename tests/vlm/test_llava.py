import numpy as np
import pytest
import torch

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.decode import Sampling
from llava_agent.vlm.fusion import IGNORE, FusionError
from llava_agent.vlm.llava import LlavaModel, Row
from llava_agent.vlm.llava_checkpoint import from_llava, load_llava
from projector import ProjectorConfig, build_projector
from tests.vlm.language_models import IMAGE, tiny_language, tiny_llava, tiny_tokenizer
from tests.vlm.towers import gradient_image, tiny_tower

PICTURES = [gradient_image(40, 24), gradient_image(16, 60)]
PROMPT = [256, 10, IMAGE, 20, 21, 22]


@pytest.mark.parametrize("layers", [[-3, -2], [1, 3], 1])
def test_other_feature_layers_equal_transformers(layers: list[int] | int) -> None:
    theirs = tiny_llava(vision_feature_layer=layers)
    ours = from_llava(theirs, tiny_tokenizer(), "tiny")
    pixels = hf_inputs(ours, [], 2)["pixel_values"]
    expected = torch.stack(list(theirs.get_image_features(pixels).pooler_output))
    torch.testing.assert_close(ours.image_features(pixels), expected, atol=1e-5, rtol=1e-5)


def pair() -> tuple[LlavaModel, object]:
    llava = tiny_llava()
    return from_llava(llava, tiny_tokenizer(), "tiny"), llava


def hf_inputs(ours: LlavaModel, ids: list[int], count: int) -> dict[str, torch.Tensor]:
    expanded = [token for one in ids for token in ([one] * 16 if one == IMAGE else [one])]
    pixels = torch.cat([ours.tower.preprocess(picture)[0] for picture in PICTURES[:count]])
    return {"input_ids": torch.tensor([expanded]), "pixel_values": pixels}


def test_image_features_equal_transformers() -> None:
    ours, theirs = pair()
    pixels = hf_inputs(ours, [], 2)["pixel_values"]
    expected = torch.stack(list(theirs.get_image_features(pixels).pooler_output))
    torch.testing.assert_close(ours.image_features(pixels), expected, atol=1e-5, rtol=1e-5)


def test_logits_loss_and_projector_gradients_equal_transformers() -> None:
    ours, theirs = pair()
    rows = [
        Row([*PROMPT, 30, 31, 257], PICTURES[:1], [IGNORE] * 6 + [30, 31, 257]),
        Row([256, IMAGE, 9, IMAGE, 7, 40, 257], PICTURES, [IGNORE] * 5 + [40, 257]),
        Row([256, 11, 12, 50], (), [IGNORE, IGNORE, IGNORE, 50]),
    ]
    for module in (ours.projector,):
        module.requires_grad_(True)
    batch = ours.batch(rows)
    out = ours(batch)
    out.loss.backward()
    mine = [parameter.grad.clone() for parameter in ours.projector.parameters()]
    ours.projector.zero_grad()

    pixels = torch.cat([hf_inputs(ours, [], n)["pixel_values"] for n in (1, 2)])
    expected = theirs(
        input_ids=batch.ids, attention_mask=batch.mask, pixel_values=pixels, labels=batch.labels
    )
    expected.loss.backward()
    yours = [parameter.grad for parameter in theirs.model.multi_modal_projector.parameters()]
    wanted = torch.zeros_like(batch.ids, dtype=torch.bool)
    wanted[:, :-1] = batch.labels[:, 1:] != IGNORE
    assert out.supervised == 6
    torch.testing.assert_close(out.logits, expected.logits[wanted], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(out.loss, expected.loss, atol=1e-5, rtol=1e-5)
    for one, other in zip(mine, yours, strict=True):
        assert one.abs().max() > 0
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("ids", [PROMPT, [256, IMAGE, 9, IMAGE, 7]])
def test_greedy_tokens_equal_transformers(ids: list[int]) -> None:
    ours, theirs = pair()
    count = ids.count(IMAGE)
    inputs = hf_inputs(ours, ids, count)
    length = inputs["input_ids"].shape[1]
    expected = theirs.generate(**inputs, max_new_tokens=12, do_sample=False, eos_token_id=None)[0, length:]
    got = list(ours.generate(ids, PICTURES[:count], Sampling(max_tokens=12), stop=()))
    assert got == expected.tolist()
    assert len(set(got)) > 2  # a constant answer would prove nothing


def test_a_padded_row_has_the_loss_it_has_alone() -> None:
    ours, _ = pair()
    short = Row([*PROMPT, 30], PICTURES[:1], [IGNORE] * 6 + [30])
    long = Row([*PROMPT, 30, 31, 32, 33], PICTURES[1:], [IGNORE] * 10)
    alone = ours(ours.batch([short])).loss
    torch.testing.assert_close(ours(ours.batch([short, long])).loss, alone, atol=1e-5, rtol=1e-5)


def test_the_image_matters_and_sampling_repeats_with_its_seed() -> None:
    ours, _ = pair()
    first, _ = ours.prompt_embeddings(PROMPT, PICTURES[:1])
    second, _ = ours.prompt_embeddings(PROMPT, PICTURES[1:])
    assert np.abs(first - second)[2:18].max() > 1e-3
    np.testing.assert_array_equal(first[:2], second[:2])
    hot = Sampling(max_tokens=8, temperature=3.0, seed=4)
    runs = [list(ours.generate(PROMPT, PICTURES[:1], hot, stop=())) for _ in range(2)]
    assert runs[0] == runs[1]
    other = Sampling(max_tokens=8, temperature=3.0, seed=5)
    assert list(ours.generate(PROMPT, PICTURES[:1], other, stop=())) != runs[0]


def test_frozen_parts_take_no_gradient_and_the_projector_does() -> None:
    ours, _ = pair()
    ours.language.requires_grad_(False)
    out = ours(ours.batch([Row([*PROMPT, 30], PICTURES[:1], [IGNORE] * 6 + [30])]))
    out.loss.backward()
    assert all(parameter.grad is None for parameter in ours.language.parameters())
    assert all(parameter.grad is None for parameter in ours.tower.parameters())
    assert all(parameter.grad is not None for parameter in ours.projector.parameters())


def test_eight_images_can_be_learnt_by_heart() -> None:
    """The projector alone, through the frozen language model, tells eight pictures apart."""
    torch.manual_seed(0)
    ours, _ = pair()
    ours.language.requires_grad_(False)
    colours = [(r, g, b) for r in (0, 255) for g in (0, 255) for b in (0, 255)]
    from PIL import Image

    rows = [
        Row([256, IMAGE, 9, 60 + i], [Image.new("RGB", (32, 32), colour)], [IGNORE, IGNORE, IGNORE, 60 + i])
        for i, colour in enumerate(colours)
    ]
    optimizer = torch.optim.Adam(ours.projector.parameters(), lr=1e-2)
    for _ in range(150):
        loss = ours(ours.batch(rows)).loss
        if loss < 0.05:
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for row in rows:
        assert next(ours.generate(row.ids[:-1], row.images, stop=())) == row.ids[-1]


def test_an_image_map_follows_the_pixel_shuffle() -> None:
    tower = tiny_tower(mode="tiles")
    projector = build_projector(ProjectorConfig("pixel_shuffle_mlp", 32, 64, 2), seed=0)
    model = LlavaModel(tower, projector, tiny_language(), IMAGE)
    features, mapping = model.encode(gradient_image(64, 32))
    assert len(mapping.views) == 3  # the whole and two tiles
    assert len(features) == mapping.tokens == 3 * 4
    box = mapping.box(11)
    assert box is not None
    assert (box.x1, box.y1) == (64, 32)


def test_parts_that_do_not_fit_are_refused() -> None:
    tower, language = tiny_tower(), tiny_language()
    with pytest.raises(ConfigError, match="maps 32 -> 63"):
        LlavaModel(tower, build_projector(ProjectorConfig("linear", 32, 63)), language, IMAGE)
    with pytest.raises(ConfigError, match="4 x 4"):
        LlavaModel(tower, build_projector(ProjectorConfig("pixel_shuffle_mlp", 32, 64, 3)), language, IMAGE)
    with pytest.raises(ConfigError, match="image token 320"):
        LlavaModel(tower, build_projector(ProjectorConfig("linear", 32, 64)), language, 320)


def test_bad_rows_are_refused_and_named() -> None:
    ours, _ = pair()
    good = Row([*PROMPT, 30], PICTURES[:1], [IGNORE] * 6 + [30])
    with pytest.raises(FusionError, match="row 1: the text has 1 image placeholders, but 0"):
        ours.batch([good, Row(PROMPT)])
    with pytest.raises(FusionError, match="row 0: the last image ends at position 18"):
        ours.batch([good], limit=17)
    with pytest.raises(FusionError, match="row 0: 6 ids but 1 labels"):
        ours.batch([Row(PROMPT, PICTURES[:1], [IGNORE])])
    with pytest.raises(FusionError, match="no position"):
        ours(ours.batch([Row(PROMPT, PICTURES[:1])]))


def test_projector_goes_with_its_own_models_only(tmp_path) -> None:  # type: ignore[no-untyped-def]
    projector = build_projector(ProjectorConfig("mlp2x_gelu", 32, 64), seed=0)
    model = LlavaModel(tiny_tower(), projector, tiny_language(), IMAGE)
    model.save_projector(tmp_path, step=7)
    again = LlavaModel.compose(tiny_tower(), tmp_path, tiny_language(), IMAGE)
    assert torch.equal(again.encode(PICTURES[0])[0], model.encode(PICTURES[0])[0])
    with pytest.raises(WeightsError, match=r"language\.embeddings"):
        LlavaModel.compose(tiny_tower(), tmp_path, tiny_language(seed=3), IMAGE)
    with pytest.raises(WeightsError, match=r"tower\.layer"):
        LlavaModel.compose(tiny_tower(layer=-1), tmp_path, tiny_language(), IMAGE)


@pytest.mark.parametrize("quantisation", ["none", "4-bit"])
def test_a_saved_llava_folder_loads(tmp_path, quantisation: str) -> None:  # type: ignore[no-untyped-def]
    llava = tiny_llava()
    llava.save_pretrained(tmp_path / "llava")
    tiny_tokenizer().save_pretrained(tmp_path / "llava")
    ours = load_llava(str(tmp_path / "llava"), quantisation=quantisation)  # type: ignore[arg-type]
    reference = from_llava(llava, tiny_tokenizer(), "llava")
    got, expected = ours.encode(PICTURES[0])[0], reference.encode(PICTURES[0])[0]
    cosine = torch.nn.functional.cosine_similarity(got.flatten(), expected.flatten(), dim=0)
    assert cosine > 0.9999  # tower and projector stay in full precision
    names = {type(module).__name__ for module in ours.language.modules()}
    assert ("Linear4bit" in names) == (quantisation == "4-bit")
    assert len(list(ours.generate(PROMPT, PICTURES[:1], Sampling(max_tokens=3), stop=()))) == 3
    with pytest.raises(WeightsError, match="could not be loaded"):
        load_llava(str(tmp_path))


def test_checkpoints_with_other_features_are_refused() -> None:
    llava = tiny_llava()
    llava.config.vision_feature_select_strategy = "full"
    with pytest.raises(ConfigError, match="class token"):
        from_llava(llava, None, "x")
