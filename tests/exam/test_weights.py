from __future__ import annotations

from pathlib import Path

import pytest

from llava_agent.errors import ConfigError
from llava_agent.exam.weights import fingerprint
from llava_agent.vlm import weights
from llava_agent.vlm.weights.store import Manifest


def test_every_weight_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built, shipped = tmp_path / "built", tmp_path / "shipped"
    for folder in (built, shipped):
        folder.mkdir()
    (built / "decoder.onnx").write_bytes(b"1")
    (shipped / "pointer.safetensors").write_bytes(b"1")
    Manifest.of(built, {}, {}).save(built)
    monkeypatch.setattr(weights, "paths", lambda name: {"language": built, "shipped": shipped})

    seen = [fingerprint("embedded")]
    assert seen[0] == fingerprint("embedded") and seen[0].startswith("embedded ")
    (shipped / "pointer.safetensors").write_bytes(b"2")
    seen.append(fingerprint("embedded"))
    (built / "decoder.onnx").write_bytes(b"2")
    Manifest.of(built, {}, {}).save(built)
    seen.append(fingerprint("embedded"))
    assert len(set(seen)) == 3


def test_another_preset_is_another_agent() -> None:
    assert fingerprint("llava-1.5-7b") != fingerprint("clip-l336-qwen2.5-7b")
    with pytest.raises(ConfigError, match="there is no"):
        fingerprint("none")
