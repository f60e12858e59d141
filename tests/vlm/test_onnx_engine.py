import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from llava_agent.errors import BudgetExceeded, ConfigError, WeightsError
from llava_agent.vlm.build.adapter import merge_adapter
from llava_agent.vlm.decode import Sampling, generate
from llava_agent.vlm.engines import onnx_engine
from llava_agent.vlm.engines.onnx_engine import OnnxEngine
from tests.vlm.built_models import Built

IDS = np.array([256, 10, 20, 30, 99, 7, 140, 3, 77, 201, 18, 5], dtype=np.int64)


def torch_outputs(model: LlamaForCausalLM, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with torch.inference_mode():
        hidden = model.model(input_ids=torch.from_numpy(ids)[None]).last_hidden_state
        return hidden[0].numpy(), model.lm_head(hidden[0, -1]).numpy()


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(((a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)).min())


def test_the_fp32_decoder_computes_what_torch_computes(built: Built) -> None:
    model = LlamaForCausalLM.from_pretrained(built.source).eval()
    engine = OnnxEngine(built.fp32)
    hidden, logits = engine.forward(engine.embed(IDS))
    expected, expected_logits = torch_outputs(model, IDS)
    # The embedding table is kept in half precision: that is all of the difference.
    np.testing.assert_allclose(hidden, expected, atol=5e-3)
    np.testing.assert_allclose(logits, expected_logits, atol=1e-2)


def test_greedy_tokens_equal_those_of_transformers(built: Built) -> None:
    model = LlamaForCausalLM.from_pretrained(built.source).eval()
    engine = OnnxEngine(built.fp32)
    ours = list(generate(engine, engine.embed(IDS), Sampling(max_tokens=12), ()))
    theirs = model.generate(
        torch.from_numpy(IDS)[None], max_new_tokens=12, do_sample=False, eos_token_id=None, pad_token_id=0
    )
    assert ours == theirs[0, len(IDS) :].tolist()


def test_the_int8_decoder_stays_near_fp32_and_holds_the_adapter(built: Built) -> None:
    plain = LlamaForCausalLM.from_pretrained(built.source).eval()
    adapted = LlamaForCausalLM.from_pretrained(built.source).eval()
    merge_adapter(adapted, built.shipped / "adapter.safetensors")
    engine = OnnxEngine(built.int8)
    hidden, logits = engine.forward(engine.embed(IDS))
    expected, expected_logits = torch_outputs(adapted, IDS)
    assert cosine(hidden, expected) > 0.99
    assert cosine(logits, expected_logits) > 0.99
    assert cosine(hidden, torch_outputs(plain, IDS)[0]) < 0.98


@pytest.mark.parametrize("pieces", [(12,), (1, 11), (5, 4, 3), (11, 1)])
def test_pieces_add_up_to_the_whole(built: Built, pieces: tuple[int, ...]) -> None:
    whole, logits = _fresh(built, IDS)
    engine, start, hidden = OnnxEngine(built.int8), 0, []
    for size in pieces:
        part, last = engine.forward(engine.embed(IDS[start : start + size]))
        hidden.append(part)
        start += size
    assert engine.length == len(IDS)
    np.testing.assert_allclose(np.concatenate(hidden), whole, atol=1e-5)
    np.testing.assert_allclose(last, logits, atol=1e-5)


def test_after_a_cut_the_dropped_positions_leave_no_trace(built: Built) -> None:
    engine = OnnxEngine(built.int8)
    engine.forward(engine.embed(IDS))
    engine.cut(4)
    other = np.array([250, 251, 1, 2], dtype=np.int64)
    hidden, logits = engine.forward(engine.embed(other))
    expected, expected_logits = _fresh(built, np.concatenate([IDS[:4], other]))
    np.testing.assert_allclose(hidden, expected[4:], atol=1e-5)
    np.testing.assert_allclose(logits, expected_logits, atol=1e-5)


def test_a_sequence_that_outgrows_the_buffers_keeps_its_past(
    built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, expected_logits = _fresh(built, IDS)
    monkeypatch.setattr(onnx_engine, "FIRST_CAPACITY", 4)
    engine = OnnxEngine(built.int8)
    hidden = [engine.forward(engine.embed(IDS[i : i + 3])) for i in range(0, 12, 3)]
    np.testing.assert_allclose(np.concatenate([part for part, _ in hidden]), expected, atol=1e-5)
    np.testing.assert_allclose(hidden[-1][1], expected_logits, atol=1e-5)


def test_results_are_not_overwritten_by_later_calls(built: Built) -> None:
    engine = OnnxEngine(built.int8)
    hidden, logits = engine.forward(engine.embed(IDS))
    kept = hidden.copy(), logits.copy()
    engine.forward(engine.embed(IDS[::-1].copy()))
    np.testing.assert_array_equal(hidden, kept[0])
    np.testing.assert_array_equal(logits, kept[1])


def test_more_than_the_context_is_refused_and_harms_nothing(built: Built) -> None:
    engine = OnnxEngine(built.int8)
    engine.forward(engine.embed(IDS))
    with pytest.raises(BudgetExceeded, match="256"):
        engine.forward(np.zeros((245, engine.hidden_size), np.float32))
    assert engine.length == len(IDS)
    engine.forward(np.zeros((244, engine.hidden_size), np.float32))
    assert engine.length == 256


def test_bad_input_is_refused(built: Built) -> None:
    engine = OnnxEngine(built.int8)
    for shape in ((0, 64), (3, 63), (64,)):
        with pytest.raises(ConfigError, match="embeddings"):
            engine.forward(np.zeros(shape, np.float32))
    with pytest.raises(ConfigError, match="token ids"):
        engine.embed(np.array([engine.vocab_size]))
    for length in (-1, 1):
        with pytest.raises(ConfigError, match="cut"):
            engine.cut(length)


def test_double_precision_and_strided_embeddings_are_taken(built: Built) -> None:
    engine = OnnxEngine(built.int8)
    rows = engine.embed(IDS)
    expected, _ = _fresh(built, IDS)
    strided = np.asfortranarray(rows.astype(np.float64))
    np.testing.assert_allclose(engine.forward(strided)[0], expected, atol=1e-5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("decoder.json", b"{}"),
        ("decoder.onnx", b"nonsense"),
        ("decoder.onnx", None),
        ("embeddings.npy", b"x"),
    ],
)
def test_a_damaged_folder_is_named(built: Built, tmp_path: Path, name: str, content: bytes | None) -> None:
    folder = shutil.copytree(built.int8, tmp_path / "copy")
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(WeightsError, match=str(folder)):
        OnnxEngine(folder)


def test_an_embedding_table_of_another_model_is_refused(built: Built, tmp_path: Path) -> None:
    folder = shutil.copytree(built.int8, tmp_path / "copy")
    np.save(folder / "embeddings.npy", np.zeros((320, 32), np.float16))
    with pytest.raises(WeightsError, match="shape"):
        OnnxEngine(folder)


def test_running_it_imports_neither_torch_nor_transformers(built: Built) -> None:
    code = f"""
import sys
from pathlib import Path
import numpy as np
from llava_agent.vlm.engines.onnx_engine import OnnxEngine
engine = OnnxEngine(Path({str(built.int8)!r}))
engine.forward(engine.embed(np.array([1, 2])))
sys.exit(any(name in sys.modules for name in ("torch", "transformers", "onnx")))
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0


def _fresh(built: Built, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    engine = OnnxEngine(built.int8)
    return engine.forward(engine.embed(ids))
