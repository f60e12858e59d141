"""Attention to image tokens: against all positions at once, with the model's own classes."""

import numpy as np
import torch

from llava_agent.gateway.request import ModelRequest
from llava_agent.vlm.attention import Attending, image_attention, relative
from llava_agent.vlm.choose_by_generation import GeneratingModel
from llava_agent.vlm.fusion import expand_placeholders, fuse
from llava_agent.vlm.llava_checkpoint import from_llava
from llava_agent.vlm.prompt import ASK_VERBS
from tests.vlm.language_models import tiny_llava, tiny_tokenizer
from tests.vlm.test_choose_by_generation import CANDIDATES, png
from tests.vlm.towers import gradient_image


def test_it_is_what_one_pass_over_everything_gives() -> None:
    model = from_llava(tiny_llava(), tiny_tokenizer(), "tiny")
    image = gradient_image(30, 20)
    prompt, answer = [40, model.placeholder, 41, 42], [50, 51, 52]
    found = image_attention(model, prompt, answer, image)
    with torch.inference_mode():
        tokens, _ = model.encode(image)
        one = expand_placeholders([*prompt, *answer], [len(tokens)], model.placeholder)
        ids = torch.from_numpy(one.ids)[None]
        embeddings = fuse(model.language.embed(ids), ids, [tokens], model.placeholder)
        model.language.model.set_attn_implementation("eager")
        layers = model.language.model(inputs_embeds=embeddings, output_attentions=True).attentions
    start, end = one.spans[0]
    foretelling = slice(len(one.ids) - len(answer) - 1, -1)
    expected = torch.stack([layer[0, :, foretelling, start:end].mean((0, 1)) for layer in layers]).mean(0)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-7)
    assert found.sum() < 1


def test_the_usual_kernels_are_put_back() -> None:
    model = from_llava(tiny_llava(), tiny_tokenizer(), "tiny")
    before = model.language.model.config._attn_implementation
    image_attention(model, [model.placeholder, 41], [50], gradient_image(30, 20))
    assert model.language.model.config._attn_implementation == before


def test_a_generating_model_tells_where_it_looked() -> None:
    model = GeneratingModel(from_llava(tiny_llava(), tiny_tokenizer(), "tiny"))
    assert isinstance(model, Attending)
    request = ModelRequest("perceive", "Which pump?", image=png())
    choice = model.choose(request, CANDIDATES, ASK_VERBS, pixels=True)
    found = model.attention(request, CANDIDATES, ASK_VERBS, choice)
    assert len(found.boxes) == len(found.weights) > 1 and (found.weights >= 0).all()
    assert all(0 <= box.x0 < box.x1 <= 30 and 0 <= box.y0 < box.y1 <= 20 for box in found.boxes)
    again = model.choose(request, CANDIDATES, ASK_VERBS, pixels=True)
    np.testing.assert_allclose(again.distribution, choice.distribution, rtol=1e-5)


def test_relative_attention_is_a_ratio() -> None:
    found = relative(np.array([0.2, 0.1], np.float32), np.array([0.1, 0.0], np.float32))
    assert found[0] == np.float32(2.0) and np.isfinite(found[1])
