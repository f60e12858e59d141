"""How fast is the align stage beside transformers' Trainer and TRL's SFTTrainer?

    python -m benchmarks.train_speed --rounds 6 --out speed.json

One small model with fresh weights (ViT and Llama of the real classes, 32,000 rows of vocabulary) learns
rendered equipment photos, each step all samples, with the same weights, batch, optimiser and loss in every
trainer; only the projector is trained. The trainers take turns, so that all meet the same machine, and what
is told is the ratio within a round. The first step of each turn is not counted. TRL is left out where it is
not installed. Nothing leaves the machine.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import yaml

from llava_agent.vlm.fusion import IGNORE
from llava_agent.vlm.llava import LlavaModel
from training.export.hf import export_hf
from training.llava.build import build, preset_of
from training.llava.corpus import Corpus
from training.llava.feature_cache import fill
from training.llava.run import read_for, train
from training.llava.settings import TrainSettings, read_settings

RATE = 1e-3
#: Two-sided 95 % of Student's t by degrees of freedom.
T95 = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26, 11: 2.20, 15: 2.13}


@dataclass(frozen=True, slots=True)
class Turn:
    """Attributes:
    rate: samples a second.
    first, last: losses of the first and last step.
    """

    rate: float
    first: float
    last: float


Trained = Callable[[Path], Turn]


def write_parts(folder: Path, layers: int, width: int) -> None:
    """A tower and a language model of that many layers and that width, with fresh weights."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        CLIPVisionConfig,
        CLIPVisionModel,
        LlamaConfig,
        LlamaForCausalLM,
        PreTrainedTokenizerFast,
    )

    torch.manual_seed(0)
    heads = width // 64
    CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers, image_size=224,
            num_attention_heads=heads, patch_size=32, projection_dim=64, hidden_act="quick_gelu",
        )
    ).save_pretrained(folder / "tower")  # fmt: skip
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({letter: index for index, letter in enumerate(letters)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>")
    fast.add_special_tokens({"additional_special_tokens": ["<image>"]})
    fast.chat_template = "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}[assistant]"
    fast.save_pretrained(folder / "language")
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=32_000, hidden_size=width, intermediate_size=3 * width, num_hidden_layers=layers,
            num_attention_heads=heads, num_key_value_heads=heads, max_position_embeddings=2048,
            bos_token_id=256, eos_token_id=257, tie_word_embeddings=True,
        )
    ).save_pretrained(folder / "language")  # fmt: skip


def settings_for(folder: Path, data: Path, steps: int, batch: int) -> TrainSettings:
    """The align stage over these parts."""
    language = {"model": str(folder / "language"), "image_token": "<image>"}
    tower = {"library": "transformers", "model": str(folder / "tower"), "quick_gelu": True}
    made = {
        "stage": "align",
        "model": {"tower": tower, "language": language},
        "data": {"sources": [{"file": str(data)}], "limit": 1024},
        "rates": {"projector": RATE},
        "batch": batch, "micro_tokens": 1_000_000, "steps": steps, "warmup": 0.0, "schedule": "constant",
        "checkpoint_every": 1_000_000, "log_every": 1, "precision": "fp32",
    }  # fmt: skip
    path = folder / "align.yaml"
    path.write_text(yaml.safe_dump(made))
    return read_settings(path)


def ours(settings: TrainSettings) -> Trained:
    """This project's trainer."""

    def turn(out: Path) -> Turn:
        times, losses = [], []

        def tell(line: dict[str, Any]) -> None:
            times.append(time.perf_counter())
            losses.append(line["loss"])

        train(settings, out, tell=tell)
        return _turn(times, losses, settings.batch)

    return turn


def theirs(kind: str, folder: Path, corpus: Corpus, model: LlavaModel, settings: TrainSettings) -> Trained:
    """transformers' Trainer or TRL's SFTTrainer over the same model in the layout of transformers."""
    from transformers import AutoImageProcessor, LlavaForConditionalGeneration, TrainerCallback

    processor = AutoImageProcessor.from_pretrained(folder)
    tokens = model.projector.tokens((model.tower.grid.rows, model.tower.grid.cols))
    rows = [_row(entry, model.placeholder, tokens) for entry in corpus.entries]

    def collate(picked: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        chosen = [rows[one["row"]] for one in picked]
        images = [image.load() for one in picked for image in corpus.entries[one["row"]].images]
        longest = max(len(ids) for ids, _ in chosen)
        ids = torch.zeros(len(chosen), longest, dtype=torch.long)
        mask, labels = torch.zeros_like(ids), torch.full_like(ids, IGNORE)
        for place, (one, label) in enumerate(chosen):
            ids[place, : len(one)], mask[place, : len(one)] = torch.tensor(one), 1
            labels[place, : len(one)] = torch.tensor(label)
        pixels = processor(images, return_tensors="pt")["pixel_values"]
        return {"input_ids": ids, "attention_mask": mask, "labels": labels, "pixel_values": pixels}

    def turn(out: Path) -> Turn:
        times: list[float] = []

        class Clock(TrainerCallback):
            def on_step_end(self, *_: Any, **__: Any) -> None:
                times.append(time.perf_counter())

        loaded: Any = LlavaForConditionalGeneration.from_pretrained(folder)
        loaded.requires_grad_(False)
        loaded.model.multi_modal_projector.requires_grad_(True)
        trainer = _trainer(kind, loaded, collate, len(rows), settings, out, [Clock()])
        trainer.train()
        losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
        return _turn(times, losses, settings.batch)

    return turn


def _trainer(
    kind: str, model: Any, collate: Any, count: int, settings: TrainSettings, out: Path, callbacks: list[Any]
) -> Any:
    from datasets import Dataset

    common: dict[str, Any] = {
        "output_dir": str(out), "per_device_train_batch_size": settings.batch, "max_steps": settings.steps,
        "learning_rate": RATE, "lr_scheduler_type": "constant", "weight_decay": 0.0, "max_grad_norm": 1.0,
        "logging_steps": 1, "save_strategy": "no", "report_to": "none", "remove_unused_columns": False,
        "use_cpu": not torch.cuda.is_available(), "disable_tqdm": True, "dataloader_num_workers": 0,
    }  # fmt: skip
    data = Dataset.from_dict({"row": list(range(count))})
    given = {"model": model, "train_dataset": data, "data_collator": collate, "callbacks": callbacks}
    if kind == "trl":
        from transformers import AutoProcessor
        from trl import SFTConfig, SFTTrainer

        processor = AutoProcessor.from_pretrained(_source(model))
        config = SFTConfig(
            **common, dataset_kwargs={"skip_prepare_dataset": True}, gradient_checkpointing=False, bf16=False
        )
        return SFTTrainer(args=config, processing_class=processor, **given)
    from transformers import Trainer, TrainingArguments

    return Trainer(args=TrainingArguments(**common), **given)


def _source(model: Any) -> str:
    return str(model.config._name_or_path)


def _row(entry: Any, placeholder: int, tokens: int) -> tuple[list[int], list[int]]:
    ids: list[int] = []
    labels: list[int] = []
    for token, label in zip(entry.ids.tolist(), entry.labels.tolist(), strict=True):
        count = tokens if token == placeholder else 1
        ids += [token] * count
        labels += [label] * count
    return ids, labels


def _turn(times: Sequence[float], losses: Sequence[float], batch: int) -> Turn:
    return Turn(batch * (len(times) - 1) / (times[-1] - times[0]), losses[0], losses[-1])


def ratios(mine: Sequence[Turn], other: Sequence[Turn]) -> dict[str, Any]:
    """Geometric mean of the paired ratios of rates, with its 95 % t-interval."""
    logs = [math.log(one.rate / two.rate) for one, two in zip(mine, other, strict=True)]
    mean = statistics.fmean(logs)
    half = math.inf
    if len(logs) > 1:
        width = T95[max(key for key in T95 if key <= len(logs) - 1)]
        half = width * statistics.stdev(logs) / math.sqrt(len(logs))
    return {"ratio": math.exp(mean), "interval": [math.exp(mean - half), math.exp(mean + half)]}


def measure(rounds: int, steps: int, batch: int, layers: int, width: int, work: Path) -> dict[str, Any]:
    """All trainers in turn."""
    from training.render.conversations import write_conversations

    data = write_conversations("equipment", batch, 1, work / "data", progress=False).file
    write_parts(work, layers, width)
    settings = settings_for(work, data, steps, batch)
    preset = preset_of(settings)
    model = build(settings, preset, "cpu")
    corpus = read_for(settings, model, preset)
    entries = corpus.entries[:batch]
    export_hf(model, work / "hf")
    cached = settings.model_copy(update={"cache": str(work / "cache")})
    fill(model.tower, [image for entry in entries for image in entry.images], work / "cache")
    arms: dict[str, Trained] = {"ours": ours(settings), "ours, tower cached": ours(cached)}
    for kind in ("transformers", *(["trl"] if find_spec("trl") else [])):
        arms[kind] = theirs(kind, work / "hf", corpus, model, settings)
    turns: dict[str, list[Turn]] = {name: [] for name in arms}
    for number in range(rounds):
        names = list(arms)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            turns[name].append(arms[name](work / f"{number}-{name.replace(', ', '-').replace(' ', '-')}"))
    compared = {
        f"{mine} / {other}": ratios(turns[mine], turns[other])
        for mine in ("ours", "ours, tower cached")
        for other in arms
        if not other.startswith("ours")
    }
    return {
        "rounds": rounds, "steps": steps, "batch": batch, "layers": layers, "width": width,
        "threads": torch.get_num_threads(),
        "positions": [entry.length for entry in entries],
        "supervised": [entry.supervised for entry in entries],
        "samples_per_s": {name: statistics.median(one.rate for one in turns[name]) for name in arms},
        "loss": {name: [turns[name][0].first, turns[name][0].last] for name in arms},
        "ratios": compared,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("rounds", 6), ("steps", 5), ("batch", 16), ("layers", 6), ("width", 256)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        result = measure(given.rounds, given.steps, given.batch, given.layers, given.width, Path(work))
    text = json.dumps(result, indent=1)
    if given.out:
        given.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
