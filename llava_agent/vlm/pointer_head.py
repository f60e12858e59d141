"""The pointer head in torch, for training. `llava_agent.vlm.pointer` runs the same weights in numpy.

Source: pointer networks (Vinyals et al., 2015), with the scaled dot product of attention (Vaswani et al.,
2017).
"""

from __future__ import annotations

from torch import Tensor, nn

TARGET_SIZE = 128
SPAN_SIZE = 64


class PointerHead(nn.Module):
    """Chooses a line by its last hidden state; a span by its source, its first and then its last token.

    The query is the hidden state at the verb's token, so what is pointed at depends on what is to be done.
    What is quoted also depends on where it goes (the target's hidden state), and where a span ends on where
    it starts.
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden_size)
        self.target_query = nn.Linear(hidden_size, TARGET_SIZE)
        self.target_key = nn.Linear(hidden_size, TARGET_SIZE)
        self.source_query = nn.Linear(hidden_size, TARGET_SIZE)
        self.source_given = nn.Linear(hidden_size, TARGET_SIZE)
        self.source_key = nn.Linear(hidden_size, TARGET_SIZE)
        self.start_query = nn.Linear(hidden_size, SPAN_SIZE)
        self.start_given = nn.Linear(hidden_size, SPAN_SIZE)
        self.start_key = nn.Linear(hidden_size, SPAN_SIZE)
        self.end_query = nn.Linear(hidden_size, SPAN_SIZE)
        self.end_given = nn.Linear(hidden_size, SPAN_SIZE)
        self.end_key = nn.Linear(hidden_size, SPAN_SIZE)

    def _scores(self, name: str, query: Tensor, keys: Tensor, given: Tensor | None = None) -> Tensor:
        asked = self.get_submodule(f"{name}_query")(self.norm(query))
        if given is not None:
            asked = asked + self.get_submodule(f"{name}_given")(self.norm(given))
        known: Tensor = self.get_submodule(f"{name}_key")(self.norm(keys))
        return known @ asked / asked.shape[-1] ** 0.5

    def target(self, query: Tensor, keys: Tensor) -> Tensor:
        """Scores `[N]` of lines with the hidden states `keys` `[N, H]` for the hidden state `query` `[H]`."""
        return self._scores("target", query, keys)

    def source(self, query: Tensor, keys: Tensor, target: Tensor | None) -> Tensor:
        """Scores `[N]` of what may be quoted from, by the hidden state of its last token.

        Args:
            target: `[H]` of the line that the quotation goes into; None for a verb without target.
        """
        return self._scores("source", query, keys, target)

    def start(self, query: Tensor, keys: Tensor, target: Tensor | None) -> Tensor:
        """Scores `[N]` of the tokens of one source as the first of the span."""
        return self._scores("start", query, keys, target)

    def end(self, query: Tensor, keys: Tensor, first: Tensor) -> Tensor:
        """Scores `[N]` of the tokens as the last, given the hidden state `[H]` of the first."""
        return self._scores("end", query, keys, first)
