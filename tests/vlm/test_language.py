from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Gemma2Config, Gemma2ForCausalLM, GPT2Config, GPT2LMHeadModel

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.engines import Engine
from llava_agent.vlm.engines.torch_engine import TorchEngine
from llava_agent.vlm.language import (
    LanguageIdentity,
    LanguageModel,
    default_dtype,
    embedding_hash,
    load_language_model,
    tokenizer_fingerprint,
)
from tests.vlm.language_models import save_language, tiny_language, tiny_tokenizer

IDS = np.array([5, 77, 130, 9, 201, 44, 18], dtype=np.int64)


def gemma() -> LanguageModel:
    """A head that caps its logits."""
    torch.manual_seed(0)
    config = Gemma2Config(
        vocab_size=320, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, final_logit_softcapping=0.05, sliding_window=4,
    )  # fmt: skip
    return LanguageModel(Gemma2ForCausalLM(config).eval(), None, LanguageIdentity("gemma"))


def gpt2() -> LanguageModel:
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=320, n_positions=64, n_embd=32, n_layer=2, n_head=2))
    return LanguageModel(model.eval(), None, LanguageIdentity("gpt2"))


MODELS = pytest.mark.parametrize("make", [tiny_language, gemma, gpt2])


@MODELS
def test_logits_at_positions_equal_the_models_own(make) -> None:  # type: ignore[no-untyped-def]
    language = make()
    ids = torch.from_numpy(IDS)[None].repeat(2, 1)
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    positions = torch.zeros_like(ids, dtype=torch.bool)
    positions[0, [2, 6]] = positions[1, 3] = True
    full = language.model(input_ids=ids, attention_mask=mask).logits
    got = language.logits_at(language.embed(ids), mask, positions)
    torch.testing.assert_close(got, full[positions], atol=1e-5, rtol=1e-5)


def test_the_head_runs_on_the_chosen_positions_only() -> None:
    language, rows = tiny_language(), []
    ids = torch.from_numpy(IDS)[None]
    positions = torch.zeros_like(ids, dtype=torch.bool)
    positions[0, 3:5] = True
    assert language.head_is_plain
    language.model.lm_head.register_forward_pre_hook(lambda _m, args: rows.append(args[0].shape[:-1].numel()))
    language.logits_at(language.embed(ids), None, positions)
    assert rows == [2]
    assert not gemma().head_is_plain


@MODELS
def test_engine_in_pieces_equals_one_pass(make) -> None:  # type: ignore[no-untyped-def]
    language = make()
    engine: Engine = TorchEngine(language)
    embeddings = engine.embed(IDS)
    with torch.no_grad():
        out = language.model(input_ids=torch.from_numpy(IDS)[None], output_hidden_states=True)
    hidden, logits = [], np.zeros(0, np.float32)
    for piece in (embeddings[:3], embeddings[3:4], embeddings[4:]):
        part, logits = engine.forward(piece)
        hidden.append(part)
    assert engine.length == len(IDS)
    assert logits.shape == (engine.vocab_size,)
    np.testing.assert_allclose(np.concatenate(hidden), out.hidden_states[-1][0], atol=1e-5)
    np.testing.assert_allclose(logits, out.logits[0, -1], atol=1e-5)


@MODELS
def test_a_cut_forgets_exactly_what_was_cut(make) -> None:  # type: ignore[no-untyped-def]
    engine = TorchEngine(make())
    embeddings = engine.embed(IDS)
    engine.forward(embeddings)
    expected = engine.forward(embeddings[:2])
    for length in (7, 3, 0):
        engine.cut(length)
        assert engine.length == length
        engine.forward(engine.embed(np.array([3, 4, 8])))
        engine.cut(length)
        if length < len(IDS):
            engine.forward(embeddings[length:])
        got = engine.forward(embeddings[:2])
        np.testing.assert_allclose(got[0], expected[0], atol=1e-5)
        np.testing.assert_allclose(got[1], expected[1], atol=1e-5)
    for bad in (-1, engine.length + 1):
        with pytest.raises(ConfigError, match="cannot be cut"):
            engine.cut(bad)


@pytest.mark.parametrize("shape", [(0, 64), (3, 63), (2, 3, 64)])
def test_engine_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="expects embeddings"):
        TorchEngine(tiny_language()).forward(np.zeros(shape, np.float32))


@pytest.mark.parametrize("held", [0, 3])
def test_a_failed_pass_leaves_the_engine_as_it_was(held: int) -> None:
    language = tiny_language()
    engine = TorchEngine(language)
    embeddings = engine.embed(IDS)
    if held:
        engine.forward(embeddings[:held])

    def fail(*_: object) -> None:
        raise RuntimeError("out of memory")

    hook = language.model.model.layers[1].register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="memory"):
        engine.forward(embeddings[held:])
    hook.remove()
    assert engine.length == held
    expected = TorchEngine(language).forward(embeddings)[1]
    np.testing.assert_allclose(engine.forward(embeddings[held:])[1], expected, atol=1e-5)


@pytest.mark.parametrize(("quantisation", "cosine"), [("none", 0.99999), ("8-bit", 0.99), ("4-bit", 0.9)])
def test_loading_a_folder_full_and_quantised(tmp_path: Path, quantisation: str, cosine: float) -> None:
    folder = save_language(tmp_path / "lm")
    language = load_language_model(str(folder), quantisation=quantisation)  # type: ignore[arg-type]
    assert language.identity == LanguageIdentity("lm")
    names = {type(module).__name__ for module in language.model.modules()}
    assert ("Linear8bitLt" in names, "Linear4bit" in names) == (
        quantisation == "8-bit",
        quantisation == "4-bit",
    )
    _, got = TorchEngine(language).forward(TorchEngine(language).embed(IDS))
    _, reference = TorchEngine(tiny_language()).forward(TorchEngine(tiny_language()).embed(IDS))
    similarity = got @ reference / np.linalg.norm(got) / np.linalg.norm(reference)
    assert similarity > cosine
    assert language.fingerprint().embeddings == embedding_hash(tiny_language()._table.weight)


def test_bad_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="3-bit"):
        load_language_model("x", quantisation="3-bit")  # type: ignore[arg-type]
    with pytest.raises(WeightsError, match="could not be loaded"):
        load_language_model(str(tmp_path))
    folder = save_language(tmp_path / "lm")
    weights = str(folder / "model.safetensors")
    state = load_file(weights)
    state.pop("model.layers.1.mlp.up_proj.weight")
    save_file(state, weights, {"format": "pt"})
    with pytest.raises(WeightsError, match=r"up_proj\.weight"):
        load_language_model(str(folder))
    Path(weights).write_bytes(b"broken")
    with pytest.raises(WeightsError, match="could not be loaded"):
        load_language_model(str(folder))


def test_half_precision_is_for_gpus_only() -> None:
    assert default_dtype("cpu") == torch.float32
    assert default_dtype("cuda:1") == torch.bfloat16


def test_tokenizer_fingerprint_sees_tokens_and_template(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    reference = tokenizer_fingerprint(tiny_tokenizer())
    tiny_tokenizer().save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert tokenizer_fingerprint(again) == reference
    again.chat_template = "other"
    assert tokenizer_fingerprint(again) != reference
    again.chat_template = tiny_tokenizer().chat_template
    again.add_tokens(["word"])
    assert tokenizer_fingerprint(again) != reference
