import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from llava_agent.vlm.region_encoder import TOWER_CONFIG, new_tower
from training.stages import contrast
from training.stages.contrast import (
    ContrastConfig,
    contrast_loss,
    encode_captions,
    run_contrast,
    train_tokenizer,
)

NAMES = [
    (kind, colour)
    for kind in ("gear icon", "bell icon", "lamp", "button")
    for colour in ("red", "blue", "", "grey")
]
ELEMENTS = [SimpleNamespace(kind=kind, colour=colour) for kind, colour in NAMES]
TOKENIZER = train_tokenizer([f"{colour} {kind}" for kind, colour in NAMES] * 3, 2048)


def crops(size: int = 32) -> np.ndarray:
    """A colour and a place for each kind: easy to tell apart."""
    pixels = np.full((len(NAMES), size, size, 3), 40, np.uint8)
    for row, (kind, colour) in enumerate(NAMES):
        half = size // 2
        y, x = divmod(("gear icon", "bell icon", "lamp", "button").index(kind), 2)
        ink = {"red": (250, 0, 0), "blue": (0, 0, 250), "": (250, 250, 250), "grey": (120, 120, 120)}[colour]
        pixels[row, y * half : (y + 1) * half, x * half : (x + 1) * half] = ink
    return pixels


def train(out: Path, config: ContrastConfig, seed: int = 0) -> nn.Module:
    out.mkdir(exist_ok=True)
    torch.manual_seed(seed)
    tower = new_tower()
    run_contrast(tower, TOKENIZER, crops(), ELEMENTS, np.ones(len(NAMES)), config, out)
    return tower


def unit(values: torch.Tensor) -> torch.Tensor:
    return nn.functional.normalize(values, dim=-1)


def test_with_one_positive_each_the_loss_is_clips() -> None:
    torch.manual_seed(0)
    image, text, scale = unit(torch.randn(5, 8)), unit(torch.randn(5, 8)), torch.tensor(2.0)
    logits = scale.exp() * image @ text.T
    of = torch.arange(5)
    expected = (nn.functional.cross_entropy(logits, of) + nn.functional.cross_entropy(logits.T, of)) / 2
    torch.testing.assert_close(contrast_loss(image, text, torch.eye(5), scale), expected)


def test_several_true_captions_do_not_push_each_other_apart() -> None:
    """Two crops of one kind and colour, a plain and a coloured caption: the best is to be equal to all."""
    image = unit(torch.tensor([[1.0, 0], [1.0, 0], [0, 1.0]]))
    text = unit(torch.tensor([[1.0, 0], [1.0, 0], [0, 1.0]]))
    positives = torch.tensor([[1.0, 1, 0], [1, 1, 0], [0, 0, 1]])
    scale = torch.tensor(4.0)
    best = contrast_loss(image, text, positives, scale)
    apart = contrast_loss(unit(image + torch.tensor([[0, 0.0], [0, 0.5], [0, 0]])), text, positives, scale)
    assert best < apart


def test_captions_end_where_the_text_tower_pools() -> None:
    ids = encode_captions(TOKENIZER, ["red gear icon", "lamp", "red gear icon " * 9])
    assert ids.shape == (3, TOWER_CONFIG["text_cfg"]["context_length"])
    end = TOWER_CONFIG["text_cfg"]["vocab_size"] - 1
    assert ((ids == end).sum(1) == 1).all()
    assert (ids.argmax(1) == (ids == end).int().argmax(1)).all()
    assert not torch.equal(ids[0], ids[1])


def test_the_loss_falls_and_the_early_layers_stay(tmp_path: Path) -> None:
    torch.manual_seed(0)
    before = {name: value.clone() for name, value in new_tower().state_dict().items()}
    tower = train(
        tmp_path, ContrastConfig(batch_size=16, steps=20, learning_rate=1e-3, text_learning_rate=3e-3)
    )
    rows = [json.loads(line) for line in (tmp_path / "contrast.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [10, 20]
    assert rows[1]["seen"] == 320
    assert rows[1]["loss"] < rows[0]["loss"] < np.log(16) * 1.2
    after = tower.state_dict()
    moved = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert not [n for n in moved if "conv_stem" in n or ".trunk.blocks.0." in n or "running_" in n]
    assert [n for n in moved if "blocks.6." in n]
    assert [n for n in moved if n.startswith("transformer.")]


def test_a_killed_run_equals_one_that_was_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = ContrastConfig(batch_size=4, steps=4, checkpoint_every=-1)
    whole = train(tmp_path / "whole", config)
    original, calls = contrast._train, 0

    def killed(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(contrast, "_train", killed)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed", config)
    monkeypatch.setattr(contrast, "_train", original)
    resumed = train(tmp_path / "killed", config, seed=9)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value, rtol=0, atol=0)
