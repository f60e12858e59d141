"""The floor of the untuned language model: what the pre-trained weights alone choose from the same words.

The verb is the likeliest of the offered ones; the target is the line whose words are the likeliest behind the
verb, each token counted alike (as in scoring multiple choice with a language model: Brown et al., 2020,
section 2.4). Quotations are given to it, so the floor is too high rather than too low.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from llava_agent.gateway.verbs import POINTING_VERBS
from llava_agent.vlm.prompt import NONE_LINE, Line, PromptEncoder
from training.evaluate import Drawn
from training.tasks.step import Step


@torch.no_grad()
def untuned_results(language: Any, encoder: PromptEncoder, drawn: Drawn) -> list[dict[str, Any]]:
    """Right or wrong for each step, as `evaluate.table` takes them.

    Args:
        language: wrapped by peft; its adapter is switched off meanwhile.
    """
    with language.disable_adapter(), torch.autocast("cpu", torch.bfloat16):
        return [_judged(language, encoder, step) for step, _ in drawn]


def _judged(language: Any, encoder: PromptEncoder, step: Step) -> dict[str, Any]:
    lines = [f" {line.words}" for line in step.lines]
    plain = encoder.encode(step.kind, step.instruction, _without_regions(step), step.facts, step.history)
    prompt = torch.from_numpy(plain.ids)
    verbs = torch.tensor([encoder.verb_ids[verb] for verb in step.verbs])
    scores = language(prompt[None]).logits[0, -1, verbs]
    right = step.verbs[int(scores.argmax())] == step.verb
    if step.verb in POINTING_VERBS:
        wanted = len(lines) if step.target is None else step.target
        verb = torch.tensor([encoder.verb_ids[step.verb]])
        start = torch.cat([prompt, verb])
        likely = [_likelihood(language, encoder, start, line) for line in [*lines, NONE_LINE]]
        right = right and int(torch.stack(likely).argmax()) == wanted
    return {"task": step.task, "right": right}


def _without_regions(step: Step) -> list[Line]:
    return [replace(line, region=False) for line in step.lines]


def _likelihood(language: Any, encoder: PromptEncoder, start: Tensor, line: str) -> Tensor:
    """Mean log probability of the tokens of `line` behind `start`."""
    ids = torch.tensor(encoder.tokenizer.encode(line, add_special_tokens=False).ids)
    logits = language(torch.cat([start, ids])[None]).logits[0, len(start) - 1 : -1].float()
    return logits.log_softmax(-1)[torch.arange(len(ids)), ids].mean()
