"""Decoding speed of the built engines against transformers `generate` on the same weights."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from llava_agent.bench.client import Timed, Worker
from llava_agent.bench.machine import Machine, measure_machine
from llava_agent.bench.statistics import Interval, median_interval
from llava_agent.bench.work import Work, model_work
from llava_agent.errors import WeightsError
from llava_agent.vlm.engines.onnx_engine import DecoderConfig
from llava_agent.vlm.weights.store import Progress, quiet

PEER = "transformers"

#: Cosine of the first logits (means removed) with fp32 that an engine must reach before it is timed at all.
LEAST_COSINE: Mapping[str, float] = {"fp32": 0.999, "int8": 0.98, "int4": 0.5}

#: What an agent's prompts look like, for parity; timing uses token ids drawn at random.
TEXTS = (
    "What is the capital of France?",
    'Goal: Click the "Cancel" button\nMarks:\n- "Submit" button\n- "Cancel" button\n- "Name" textbox = ada',
    "The serial number on the nameplate is SN-48213 and the pressure is",
    "List three things to check before starting a pump.",
    '{"asset": "P-101", "reading": 4.2, "unit": "bar", "status":',
    "Question: what is the water temperature? Known: temperature = 68 C. Answer:",
    "A maintenance ticket should say",
    "Translate to French: the valve is closed.",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is measured.

    Attributes:
        pairs: timed runs of each engine, each beside one of the peer, in the order A B B A.
        prompt_tokens, new_tokens: length of the timed prompt and of what is generated after it.
    """

    pairs: int = 20
    warm_ups: int = 3
    prompt_tokens: int = 128
    new_tokens: int = 64
    parity_tokens: int = 24
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Parity:
    """Agreement with fp32 transformers over `TEXTS`.

    Attributes:
        cosine_least, cosine_median: of the first logits, their means removed.
        same_first: share of prompts with the same first token.
        same_prefix: mean share of the generated tokens before the first that differs.
    """

    cosine_least: float
    cosine_median: float
    same_first: float
    same_prefix: float


@dataclass(frozen=True, slots=True)
class EngineFigures:
    """One engine's speed; `faster` is the median of the paired ratios of tokens/s to the peer's.

    Attributes:
        read_share: bytes that decoding must read, at the measured speed, as a share of the machine's.
        compute_share: prefill's arithmetic as a share of the machine's fp32 limit; int8 may exceed it.
    """

    name: str
    load_s: float
    rss_mb: float
    first_ms: Interval
    tokens_per_s: Interval
    faster: Interval | None
    read_share: float
    compute_share: float
    parity: Parity | None


@dataclass(frozen=True, slots=True)
class DecodeReport:
    machine: Machine
    settings: Settings
    engines: tuple[EngineFigures, ...]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def bench_decode(
    built: Mapping[str, Path], reference: Path, settings: Settings, progress: Progress = quiet
) -> DecodeReport:
    """Compare first, then time.

    Args:
        built: name -> folder that `llava_agent.vlm.build` wrote.
        reference: transformers folder of the same weights in fp32, adapter merged.

    Raises:
        WeightsError: an engine does not compute what fp32 computes, so its speed would mean nothing.
    """
    progress("measure the machine", 0, 0)
    machine = measure_machine(settings.threads)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        scratch = Path(name)

        def start(label: str, engine: str, folder: Path) -> Worker:
            progress(f"load {label}", 0, 0)
            return stack.enter_context(Worker(engine, folder, settings.threads, scratch / f"{label}.log"))

        peer = start(PEER, "transformers", reference)
        workers = {label: start(label, "onnx", folder) for label, folder in built.items()}
        prompts = _prompts(next(iter(built.values())))
        parity = {}
        for label, worker in workers.items():
            progress(f"compare {label} with fp32", 0, 0)
            parity[label] = _compare(worker, peer, prompts, settings.parity_tokens, scratch / "logits.npy")
            _require(label, built[label], parity[label])
        vocabulary = min(DecoderConfig.load(folder).vocab_size for folder in built.values())
        prompt = np.random.default_rng(0).integers(0, vocabulary, settings.prompt_tokens).tolist()
        runs = _time(peer, workers, prompt, settings, progress)
        loads = {PEER: peer.load_s} | {label: worker.load_s for label, worker in workers.items()}
    engines = tuple(
        _figures(
            label, load_s, runs, model_work(reference, built.get(label)), machine, settings, parity.get(label)
        )
        for label, load_s in loads.items()
    )
    return DecodeReport(machine, settings, engines)


def _prompts(folder: Path) -> list[list[int]]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    chat = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
    return [tokenizer.encode(chat.format(text), add_special_tokens=False).ids for text in TEXTS]


def _compare(worker: Worker, peer: Worker, prompts: Sequence[list[int]], count: int, file: Path) -> Parity:
    cosines, first, prefix = [], [], []
    for prompt in prompts:
        mine, theirs = worker.logits(prompt, file), peer.logits(prompt, file)
        a, b = mine - mine.mean(), theirs - theirs.mean()
        cosines.append(float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))))
        found, expected = worker.run(prompt, count).tokens, peer.run(prompt, count).tokens
        same = [x == y for x, y in zip(found, expected, strict=True)]
        first.append(same[0])
        prefix.append((same.index(False) if False in same else count) / count)
    return Parity(min(cosines), float(np.median(cosines)), float(np.mean(first)), float(np.mean(prefix)))


def _require(label: str, folder: Path, parity: Parity) -> None:
    if not parity.cosine_least >= LEAST_COSINE[DecoderConfig.load(folder).precision]:
        raise WeightsError(
            f"{label} does not compute what fp32 computes (cosine of logits {parity.cosine_least:.3f})",
            "build the weights again",
        )


def _time(
    peer: Worker, workers: Mapping[str, Worker], prompt: list[int], settings: Settings, progress: Progress
) -> dict[str, list[Timed]]:
    """Runs by engine; those of the peer are paired with the others' by position."""
    order = [(PEER, peer), *workers.items()]
    runs: dict[str, list[Timed]] = {label: [] for label, _ in order}
    rounds = settings.warm_ups + settings.pairs
    for index in range(rounds):
        progress("time the engines side by side", index, rounds)
        for label, worker in order if index % 2 else reversed(order):
            timed = worker.run(prompt, settings.new_tokens)
            if index >= settings.warm_ups:
                runs[label].append(timed)
    progress("time the engines side by side", rounds, rounds)
    return runs


def _figures(
    label: str, load_s: float, runs: Mapping[str, Sequence[Timed]], work: Work, machine: Machine,
    settings: Settings, parity: Parity | None,
) -> EngineFigures:  # fmt: skip
    mine = runs[label]
    speed = median_interval([run.tokens_per_s for run in mine])
    first = median_interval([run.first_ms for run in mine])
    pairs = zip(mine, runs[PEER], strict=True)
    faster = None if label == PEER else median_interval([a.tokens_per_s / b.tokens_per_s for a, b in pairs])
    length = settings.prompt_tokens + settings.new_tokens / 2
    return EngineFigures(
        name=label,
        load_s=load_s,
        rss_mb=max(run.rss_mb for run in mine),
        first_ms=first,
        tokens_per_s=speed,
        faster=faster,
        read_share=work.bytes_per_token(length) * speed.median / 1e9 / machine.read_gb_s,
        compute_share=work.prefill_flop(settings.prompt_tokens)
        / (first.median / 1e3)
        / 1e9
        / machine.fp32_gflop_s,
        parity=parity,
    )
