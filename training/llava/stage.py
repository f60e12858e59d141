"""The stages: which parts each trains. The one place that freezes and thaws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from llava_agent.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

    from llava_agent.vlm.llava import LlavaModel
    from training.llava.settings import Lora, Part, TrainSettings


@dataclass(frozen=True, slots=True)
class Stage:
    """Attributes:
    needs: parts that it always trains.
    may: parts that it can train.
    """

    needs: frozenset[str]
    may: frozenset[str]


STAGES: Mapping[str, Stage] = {
    "align": Stage(frozenset({"projector"}), frozenset({"projector"})),
    "instruct": Stage(frozenset(), frozenset({"projector", "language", "tower"})),
    "lora": Stage(frozenset({"adapter"}), frozenset({"adapter", "projector"})),
    "qlora": Stage(frozenset({"adapter"}), frozenset({"adapter", "projector"})),
}


def prepare(model: LlavaModel, settings: TrainSettings) -> tuple[dict[Part, list[nn.Parameter]], Any]:
    """Freeze everything, thaw what the stage trains, in fp32 so that small steps are not rounded away.

    Returns:
        The trained parameters of each part, and the peft model around the adapter or None.
    """
    model.requires_grad_(False)
    model.eval()
    _without_dropout(model.language)
    # Found out by a trial, which must not draw random numbers in the middle of a step.
    _ = model.language.head_is_plain
    torch.manual_seed(settings.seed)  # an adapter begins with random numbers
    peft = _adapter(model, settings.lora) if "adapter" in settings.rates else None
    if settings.activation_checkpointing:
        model.language.model.activation_checkpointing_enable({"use_reentrant": False})
        model.language.model.train()
    parts: dict[Part, list[nn.Parameter]] = {}
    for part in settings.rates:
        found = list(_parameters(model, part))
        for parameter in found:
            parameter.requires_grad_(True)
            parameter.data = parameter.data.float()
        parts[part] = found
    return parts, peft


def _parameters(model: LlavaModel, part: Part) -> list[nn.Parameter]:
    if part == "projector":
        return list(model.projector.parameters())
    if part == "tower":
        return list(model.tower.parameters())
    named = model.language.named_parameters()
    if part == "adapter":
        return [parameter for name, parameter in named if "lora_" in name]
    frozen = [name for name, parameter in named if not parameter.is_floating_point()]
    if frozen:
        raise ConfigError("quantised weights cannot be trained", "use stage qlora, or quantisation none")
    return list(model.language.parameters())


def _adapter(model: LlavaModel, lora: Lora | None) -> Any:
    from peft import LoraConfig, get_peft_model

    from training.llava.settings import Lora

    wanted = lora or Lora()
    config = LoraConfig(
        r=wanted.rank,
        lora_alpha=wanted.alpha,
        lora_dropout=wanted.dropout,
        target_modules=list(wanted.targets) or "all-linear",
        task_type="CAUSAL_LM",
    )
    try:
        adapted = get_peft_model(model.language.model, config)
    except ValueError as error:
        raise ConfigError(
            f"the adapter finds no place ({str(error).splitlines()[0]})", "correct lora.targets"
        ) from error
    model.language.model = adapted.get_base_model()
    return adapted


def _without_dropout(module: nn.Module) -> None:
    """The frozen model only passes gradients on; noise in it would be noise in them."""
    from torch import nn

    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
        if isinstance(getattr(part, "attention_dropout", None), float):
            part.attention_dropout = 0.0  # type: ignore[assignment]
