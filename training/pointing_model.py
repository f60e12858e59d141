"""The trainable model: frozen language model with LoRA, region projector, pointer head.

One forward pass over prompt + verb (+ generated answer) gives every loss: the verb (a choice among the
offered verbs' tokens), the target (pointer over the lines and *none of these*), the quoted span (source,
start and end pointers), and the answer's tokens. The LM head runs only on supervised positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from llava_agent.vlm.pointer_head import PointerHead
from projector.modules import Projector, ProjectorConfig

#: Linear layers that get a low-rank adapter: all of a block.
LORA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True)
class Example:
    """One encoded step.

    Attributes:
        ids: `[T]` prompt, verb, and answer tokens.
        prompt: length of the prompt; the verb stands at this position.
        regions: positions of region tokens, with the rows of their features.
        ends: last positions of the lines, then of *none of these*.
        target: index into `ends`, -1 where the verb does not point.
        verbs: token ids of the offered verbs; `verb` indexes them.
        answer: number of generated tokens after the verb that are supervised.
    """

    task: str
    ids: NDArray[np.int64]
    prompt: int
    regions: NDArray[np.int64]
    crops: NDArray[np.int64]
    ends: NDArray[np.int64]
    target: int
    verbs: NDArray[np.int64]
    verb: int
    answer: int = 0


def cross_entropy_over(scores: Tensor, wanted: int) -> Tensor:
    """Negative log likelihood of the wanted one among scores `[N]`."""
    return -scores.log_softmax(-1)[wanted]


class PointingModel(nn.Module):
    """See the module's text. `language` is an `AutoModelForCausalLM`, already wrapped by peft or frozen."""

    feature_mean: Tensor
    feature_std: Tensor

    def __init__(self, language: Any, feature_size: int, hidden_size: int) -> None:
        super().__init__()
        self.language: Any = language
        self.projector = Projector(ProjectorConfig("mlp2x_gelu", feature_size, hidden_size))
        self.head = PointerHead(hidden_size)
        self.register_buffer("feature_mean", torch.zeros(feature_size))
        self.register_buffer("feature_std", torch.ones(feature_size))

    def region_tokens(self, features: Tensor) -> Tensor:
        """`[N, feature_size]` raw features to `[N, hidden_size]` tokens."""
        scaled = ((features - self.feature_mean) / self.feature_std).clamp(-6, 6)
        return self.projector(scaled[:, None], (1, 1))[:, 0]

    def _embeddings(self, examples: Sequence[Example], features: Tensor) -> tuple[Tensor, Tensor]:
        longest = max(len(e.ids) for e in examples)
        ids = torch.zeros(len(examples), longest, dtype=torch.long)
        mask = torch.zeros(len(examples), longest, dtype=torch.long)
        for row, example in enumerate(examples):
            ids[row, : len(example.ids)] = torch.from_numpy(example.ids)
            mask[row, : len(example.ids)] = 1
        embeddings = self.language.get_input_embeddings()(ids)
        rows = torch.cat([torch.full((len(e.regions),), i) for i, e in enumerate(examples)])
        if len(rows):
            columns = torch.from_numpy(np.concatenate([e.regions for e in examples]))
            crops = torch.from_numpy(np.concatenate([e.crops for e in examples]))
            tokens = self.region_tokens(features[crops])
            embeddings = embeddings.index_put((rows.long(), columns), tokens.to(embeddings.dtype))
        return embeddings, mask

    def hidden(self, examples: Sequence[Example], features: Tensor) -> Tensor:
        """Last hidden states `[B, T, hidden_size]` in fp32."""
        embeddings, mask = self._embeddings(examples, features)
        base = self.language.get_base_model() if hasattr(self.language, "get_base_model") else self.language
        out = base.model(inputs_embeds=embeddings, attention_mask=mask, use_cache=False)
        last: Tensor = out.last_hidden_state
        return last.float()

    def forward(self, examples: Sequence[Example], features: Tensor) -> tuple[Tensor, list[dict[str, Any]]]:
        """The mean loss of a batch and, for each example, what was right."""
        hidden = self.hidden(examples, features)
        table = self.language.get_output_embeddings().weight
        losses, results = [], []
        for row, example in enumerate(examples):
            loss, result = self._one(hidden[row], example, table)
            losses.append(loss)
            results.append(result)
        return torch.stack(losses).mean(), results

    def _one(self, hidden: Tensor, example: Example, table: Tensor) -> tuple[Tensor, dict[str, Any]]:
        verb_scores = table[torch.from_numpy(example.verbs)].float() @ hidden[example.prompt - 1]
        loss = cross_entropy_over(verb_scores, example.verb)
        result: dict[str, Any] = {"task": example.task, "verb": int(verb_scores.argmax()) == example.verb}
        result["verb_scores"], result["verb_wanted"] = verb_scores.detach(), example.verb
        right = result["verb"]
        query = hidden[example.prompt]
        if example.target >= 0:
            scores = self.head.target(query, hidden[torch.from_numpy(example.ends)])
            loss = loss + cross_entropy_over(scores, example.target)
            result["target"] = int(scores.argmax()) == example.target
            result["target_scores"], result["target_wanted"] = scores.detach(), example.target
            right = right and result["target"]
        if example.answer:
            places = torch.arange(example.prompt, example.prompt + example.answer)
            wanted = torch.from_numpy(example.ids[example.prompt + 1 : example.prompt + 1 + example.answer])
            logits = hidden[places] @ table.float().T
            loss = loss + nn.functional.cross_entropy(logits, wanted)
            result["answer"] = bool((logits.argmax(-1) == wanted).all())
            right = right and result["answer"]
        result["right"] = bool(right)
        return loss, result
