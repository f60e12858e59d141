"""The pointer head in torch, for training. `llava_agent.vlm.pointer` runs the same weights in numpy.

Source: pointer networks (Vinyals et al., 2015), with the scaled dot product of attention (Vaswani et al.,
2017).
"""

from __future__ import annotations

from torch import Tensor, nn

TARGET_SIZE = 128


class PointerHead(nn.Module):
    """Chooses a line by its last hidden state.

    The query is the hidden state at the verb's token, so what is pointed at depends on what is to be done.
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden_size)
        self.target_query = nn.Linear(hidden_size, TARGET_SIZE)
        self.target_key = nn.Linear(hidden_size, TARGET_SIZE)

    def target(self, query: Tensor, keys: Tensor) -> Tensor:
        """Scores `[N]` of lines with the hidden states `keys` `[N, H]` for the hidden state `query` `[H]`."""
        asked: Tensor = self.target_query(self.norm(query))
        known: Tensor = self.target_key(self.norm(keys))
        return known @ asked / TARGET_SIZE**0.5
