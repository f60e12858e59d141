"""The pointer head in torch, for training. `llava_agent.vlm.pointer` runs the same weights in numpy.

Source: pointer networks (Vinyals et al., 2015), with the scaled dot product of attention (Vaswani et al., 2017).
"""

from __future__ import annotations

from torch import Tensor, nn

TARGET_SIZE = 128
SPAN_SIZE = 64


class PointerHead(nn.Module):
    """Chooses a line by its last hidden state and a span by its first and last token's hidden states.

    The query is the hidden state at the verb's token, so what is pointed at depends on what is to be done.
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden_size)
        self.target_query = nn.Linear(hidden_size, TARGET_SIZE)
        self.target_key = nn.Linear(hidden_size, TARGET_SIZE)
        self.start_query = nn.Linear(hidden_size, SPAN_SIZE)
        self.start_key = nn.Linear(hidden_size, SPAN_SIZE)
        self.end_query = nn.Linear(hidden_size, SPAN_SIZE)
        self.end_key = nn.Linear(hidden_size, SPAN_SIZE)

    def target(self, query: Tensor, keys: Tensor) -> Tensor:
        """Scores `[N]` of lines with the hidden states `keys` `[N, H]` for the hidden state `query` `[H]`."""
        query, keys = self.norm(query), self.norm(keys)
        return self.target_key(keys) @ self.target_query(query) / TARGET_SIZE**0.5

    def span(self, query: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Scores `[N]` of the first and of the last token of the span."""
        query, keys = self.norm(query), self.norm(keys)
        start = self.start_key(keys) @ self.start_query(query) / SPAN_SIZE**0.5
        end = self.end_key(keys) @ self.end_query(query) / SPAN_SIZE**0.5
        return start, end
