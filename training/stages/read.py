"""The stage of the span reader: a small encoder over frozen embeddings, without the language model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from llava_agent.errors import ConfigError
from llava_agent.vlm.passages import MATCHES
from llava_agent.vlm.reader_head import ReaderHead
from training import checkpoint
from training.budget import Budget
from training.reading import Reading, readings
from training.settings import Settings

CHECKPOINT = "read.pt"

#: Examples that are sorted by length together.
POOL = 2048

#: Chunks of the stream that one run may take, each with a seed of its own.
SEEDS_OF_A_RUN = 100_000

#: Seed of the held-out readings; training counts its own up from 0.
TEST_SEED = 777_002

REPORT_EVERY = 200


class ReadConfig(Settings):
    """Settings of the stage.

    Attributes:
        seconds: wall clock of the whole stage, over kills and resumes.
        steps: number of steps instead of `seconds`.
        batch_size: examples of a batch.
        dropped: share of the match features that are hidden, so that the words are read as well.
    """

    seconds: float = 1500.0
    steps: int | None = None
    batch_size: int = 64
    learning_rate: float = 1e-3
    dropped: float = 0.1
    checkpoint_every: float = 120.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded readings: see `ReaderHead.forward`; `passages`, `starts` `[B, T]`, `first`, `last` `[B]`."""

    ids: Tensor
    segments: Tensor
    matches: Tensor
    verbs: Tensor
    mask: Tensor
    passages: Tensor
    starts: Tensor
    first: Tensor
    last: Tensor


def collate(group: Sequence[Reading]) -> Batch:
    """Pad to the longest."""
    size, longest = len(group), max(len(one.layout.ids) for one in group)
    ids, segments = torch.zeros(size, longest, dtype=torch.long), torch.zeros(size, longest, dtype=torch.long)
    matches, mask = torch.zeros(size, longest, MATCHES), torch.zeros(size, longest, dtype=torch.bool)
    passages, starts = torch.full((size, longest), -1), torch.zeros(size, longest, dtype=torch.bool)
    for row, one in enumerate(group):
        length = len(one.layout.ids)
        ids[row, :length] = torch.from_numpy(one.layout.ids)
        segments[row, :length] = torch.from_numpy(one.layout.segments)
        matches[row, :length] = torch.from_numpy(one.layout.matches)
        passages[row, :length] = torch.from_numpy(one.layout.passages)
        starts[row, :length] = torch.from_numpy(one.layout.starts)
        mask[row, :length] = True
    numbers = torch.tensor([[one.layout.verb, one.first, one.last] for one in group])
    return Batch(ids, segments, matches, numbers[:, 0], mask, passages, starts, numbers[:, 1], numbers[:, 2])


def scores_of(head: ReaderHead, table: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Start scores and, given the right first token, end scores `[B, T]`; barred tokens get -1e9."""
    embeddings = table[batch.ids].float()
    starts, states = head(embeddings, batch.segments, batch.matches, batch.verbs, batch.mask)
    rows, places = torch.arange(len(batch.first)), torch.arange(batch.ids.shape[1])
    ends = head.end(states, states[rows, batch.first])
    same = (batch.passages == batch.passages[rows, batch.first][:, None]) & (batch.passages >= 0)
    # What is absent ends where it begins.
    reach = (same & (places >= batch.first[:, None])) | (places == batch.first[:, None])
    return starts.float().masked_fill(~batch.starts, -1e9), ends.float().masked_fill(~reach, -1e9)


def loss_of(head: ReaderHead, table: Tensor, batch: Batch) -> Tensor:
    """Mean negative log likelihood of the first and of the last token."""
    starts, ends = scores_of(head, table, batch)
    return nn.functional.cross_entropy(starts, batch.first) + nn.functional.cross_entropy(ends, batch.last)


def batches(config: ReadConfig, tokenizer: Tokenizer, chunk: int) -> Iterator[Batch]:
    """The batches of one chunk of the stream, of like length, in random order."""
    pool = list(islice(readings(config.seed * SEEDS_OF_A_RUN + chunk, tokenizer), POOL))
    pool.sort(key=lambda one: len(one.layout.ids))
    groups = [pool[i : i + config.batch_size] for i in range(0, len(pool), config.batch_size)]
    Random(chunk).shuffle(groups)
    yield from map(collate, groups)


def run_read(head: ReaderHead, table: Tensor, tokenizer: Tokenizer, config: ReadConfig, out: Path) -> None:
    """Train until the budget is spent; log to `read.jsonl`, checkpoint to `read.pt`.

    A run that was killed goes on from its checkpoint, at the next chunk of its stream.

    Args:
        table: `[V, embedding_size]`, the language model's input embeddings, frozen.
    """
    optimizer = torch.optim.AdamW(head.parameters(), lr=config.learning_rate, weight_decay=0.01)
    budget, chunk = Budget(config.seconds, config.steps), 0
    state = checkpoint.load(out / CHECKPOINT)
    if state is not None:
        head.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        budget.resume(state)
        chunk = state["chunk"]
    losses: list[float] = []
    with (out / "read.jsonl").open("a", encoding="utf-8") as log:
        while budget.done < 1:
            for batch in batches(config, tokenizer, chunk):
                share = min(1.0, (budget.step + 1) / 200) * max(0.02, 1 - budget.done)
                for group in optimizer.param_groups:
                    group["lr"] = config.learning_rate * share
                losses.append(_train(head, table, optimizer, batch, config.dropped))
                budget.count()
                if budget.step % REPORT_EVERY == 0:
                    row = {
                        "step": budget.step,
                        "seconds": round(budget.used),
                        "loss": sum(losses) / len(losses),
                    }
                    log.write(json.dumps(row) + "\n")
                    log.flush()
                    losses.clear()
                if budget.done >= 1:
                    break
            chunk += 1
            if budget.save_is_due(config.checkpoint_every):
                state = {"model": head.state_dict(), "optimizer": optimizer.state_dict(), "chunk": chunk}
                checkpoint.save(out / CHECKPOINT, state | budget.state())


def _train(
    head: ReaderHead, table: Tensor, optimizer: torch.optim.Optimizer, batch: Batch, dropped: float
) -> float:
    batch.matches.mul_(torch.rand(batch.matches.shape[0], 1, MATCHES) >= dropped)
    with torch.autocast("cpu", torch.bfloat16):
        loss = loss_of(head, table, batch)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(head.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def read_trained(run: Path, head: ReaderHead) -> None:
    """Fill `head` from the last checkpoint of a run; ConfigError where it has none."""
    state = checkpoint.load(run / CHECKPOINT)
    if state is None:
        raise ConfigError(f"{run / CHECKPOINT} does not exist", "train it first (stage read)")
    head.load_state_dict(state["model"])


@torch.no_grad()
def judge(head: ReaderHead, table: Tensor, one: Reading) -> dict[str, Any]:
    """Whether a reading's first and last token are right, with the scores (for calibration).

    A reading's passage is given, as the target is in use; `chances` are those of every passage if it is there
    at all, `absent` says how likely it is not. Of what is absent, nothing but that is judged.
    """
    batch = collate([one])
    starts, ends = scores_of(head, table, batch)
    found: dict[str, Any] = {"span_choices": [(starts[0], one.first)]}
    if one.layout.absent is not None:
        found |= _presence(starts[0], batch.passages[0], one.layout.absent)
        if one.first == one.layout.absent:
            return found
    inside = starts[0]
    if one.layout.absent is not None:
        inside = inside.masked_fill(batch.passages[0] != batch.passages[0, one.first], -1e9)
        found["span_choices"].append((inside, one.first))
    found["span_choices"].append((ends[0], one.last))
    return found | {"span": int(inside.argmax()) == one.first and int(ends.argmax()) == one.last}


def _presence(starts: Tensor, passages: Tensor, absent: int) -> dict[str, Any]:
    """Probability that nothing is there, and of each passage if something is."""
    free = passages >= 0
    there = starts.masked_fill(~free, -1e9).softmax(-1)
    chances = torch.zeros(int(passages.max()) + 1).index_add(0, passages[free], there[free])
    return {"absent": float(starts.softmax(-1)[absent]), "chances": chances.numpy()}
