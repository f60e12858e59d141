"""The span reader in torch, for training. `llava_agent.vlm.reader` runs the same weights in numpy.

A small bidirectional encoder (Vaswani et al., 2017, with rotary positions, Su et al., 2021) over the frozen
input embeddings of the language model. The language model itself reads from left to right, so at `"Ann" as
name` it has not read the name when it sees the value; a reader of both sides has, and costs a hundredth.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from llava_agent.gateway.verbs import QUOTING_VERBS
from llava_agent.vlm.passages import MATCHES, Segment

WIDTH = 192
HEADS = 6
LAYERS = 4
HEAD_SIZE = WIDTH // HEADS


def rotate(values: Tensor) -> Tensor:
    """Rotary positions for `[B, heads, T, HEAD_SIZE]`."""
    half = HEAD_SIZE // 2
    rates = 10000.0 ** (-torch.arange(half, dtype=torch.float32) / half)
    angles = torch.arange(values.shape[2], dtype=torch.float32)[:, None] * rates
    cos, sin = angles.cos().to(values.dtype), angles.sin().to(values.dtype)
    first, second = values[..., :half], values[..., half:]
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


class ReaderBlock(nn.Module):
    """Attention over the whole sequence, then a feed-forward layer; each after a norm, added to its input."""

    def __init__(self) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(WIDTH)
        self.mixed = nn.Linear(WIDTH, 3 * WIDTH)
        self.joined = nn.Linear(WIDTH, WIDTH)
        self.feed_norm = nn.LayerNorm(WIDTH)
        self.wide = nn.Linear(WIDTH, 2 * WIDTH)
        self.narrow = nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """`[B, T, WIDTH]` to the same; `mask` `[B, 1, 1, T]` is true where a token is."""
        batch, length, _ = states.shape
        mixed = self.mixed(self.attention_norm(states)).view(batch, length, 3, HEADS, HEAD_SIZE)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        seen = nn.functional.scaled_dot_product_attention(rotate(query), rotate(key), value, attn_mask=mask)
        states = states + self.joined(seen.transpose(1, 2).reshape(batch, length, WIDTH))
        fed: Tensor = self.narrow(nn.functional.gelu(self.wide(self.feed_norm(states))))
        return states + fed


class ReaderHead(nn.Module):
    """Scores every token as the first of the quotation, and as the last given the first."""

    def __init__(self, embedding_size: int) -> None:
        super().__init__()
        self.embedding_norm = nn.LayerNorm(embedding_size)
        self.embedded = nn.Linear(embedding_size, WIDTH)
        self.matched = nn.Linear(MATCHES, WIDTH)
        self.segment = nn.Embedding(len(Segment), WIDTH)
        self.verb = nn.Embedding(len(QUOTING_VERBS), WIDTH)
        self.blocks = nn.ModuleList(ReaderBlock() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.start = nn.Linear(WIDTH, 1)
        self.end_key = nn.Linear(WIDTH, WIDTH)
        self.end_given = nn.Linear(WIDTH, WIDTH)

    def forward(
        self, embeddings: Tensor, segments: Tensor, matches: Tensor, verbs: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Start scores `[B, T]`, and states `[B, T, WIDTH]` for `end`.

        Args:
            embeddings: `[B, T, embedding_size]` of the language model's input table.
            segments: `[B, T]`.
            matches: `[B, T, MATCHES]`.
            verbs: `[B]`.
            mask: `[B, T]`, true where a token is.
        """
        states = self.embedded(self.embedding_norm(embeddings)) + self.matched(matches)
        states = states + self.segment(segments) + self.verb(verbs)[:, None]
        for block in self.blocks:
            states = block(states, mask[:, None, None])
        states = self.norm(states)
        return self.start(states)[..., 0], states

    def end(self, states: Tensor, first: Tensor) -> Tensor:
        """Scores `[B, T]` of the tokens as the last, given the states `[B, WIDTH]` of the first."""
        known: Tensor = self.end_key(states)
        return (known @ self.end_given(first)[..., None])[..., 0] / WIDTH**0.5
