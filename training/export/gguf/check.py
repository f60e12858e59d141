"""What llama.cpp makes of the files, against what the model makes of the same picture and words."""

from __future__ import annotations

import base64
import dataclasses
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from llava_agent.errors import WeightsError
from llava_agent.vlm.chat import Chat
from llava_agent.vlm.llava import LlavaModel, Row
from llava_agent.vlm.vision.tower import absolute_layers
from training.export.gguf.llama_cpp import Asked, Told, ask
from training.export.probe import picture
from training.export.vision_model import vision_model

#: Asked after the image; with digits, contractions and other scripts, which tokenizers cut in different ways.
TEXTS = (
    "\nWhat is this? It's 3333 kPa and 3.14 m/s.",
    "\nRead the plate, don't guess: naïve 日本 \n\n  DONE",
)

#: What llama.cpp is made to answer, and how many tokens of it are looked at.
_SAID, _STEPS = "one two three four five", 4
#: Most likely tokens that are compared at each of them.
_TOP = 100


@dataclass(frozen=True, slots=True)
class Compared:
    """Attributes:
    difference: largest total variation distance between llama.cpp's distribution of a next token and
        the model's (0 where they are equal, 1 where they have nothing in common).
    class_last: the same, had the tower's class token been put after the patches and not before;
        None where the tower has none.
    """

    difference: float
    class_last: float | None


def compare(model: LlavaModel, chat: Chat, language: Path, vision: Path) -> Compared:
    """Both on the same prompts.

    Raises:
        WeightsError: llama.cpp cannot run the files, or reads the prompt as another number of positions.
    """
    image = picture(model.tower.image_size)
    png = io.BytesIO()
    image.save(png, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
    answers = ask(Asked(str(language), str(vision), url, TEXTS, _SAID, _STEPS, _TOP))
    pixels, _ = model.tower.preprocess(image)
    other = _class_last(model, pixels)
    right, wrong = 0.0, 0.0
    for text, told in zip(TEXTS, answers, strict=True):
        before, after = chat.frame(("user",))
        ids = [
            *chat.ids(before, special=True), model.placeholder, *chat.ids(text + after, special=True),
        ]  # fmt: skip
        row = Row(ids, [image])
        right = max(right, _distance(told, _logits(model, row, told, None)))
        if other is not None:
            wrong = max(wrong, _distance(told, _logits(model, row, told, other)))
    return Compared(right, wrong if other is not None else None)


@torch.no_grad()
def _logits(model: LlavaModel, row: Row, told: Told, features: Tensor | None) -> Tensor:
    """Logits `[steps, V]` that the model has where llama.cpp said each of its tokens."""
    batch = model.batch([row])
    if features is not None:
        batch = dataclasses.replace(batch, features=(features,))
    if batch.ids.shape[1] != told.positions:
        raise WeightsError(
            f"llama.cpp reads a prompt as {told.positions} positions, the model as {batch.ids.shape[1]}",
            "use a language model whose tokenizer llama.cpp knows",
        )
    said = model.language.embed(torch.tensor([told.ids[:-1]], device=batch.ids.device, dtype=torch.long))
    embeddings = torch.cat([model.embeddings(batch), said], dim=1)
    mask = torch.ones(embeddings.shape[:2], dtype=batch.mask.dtype, device=batch.mask.device)
    wanted = torch.zeros_like(mask, dtype=torch.bool)
    wanted[:, -len(told.ids) :] = True
    return model.language.logits_at(embeddings, mask, wanted).float()


def _distance(told: Told, logits: Tensor) -> float:
    chances = logits.softmax(-1)
    return max(_variation(likely, row) for likely, row in zip(told.likely, chances, strict=True))


def _variation(likely: Mapping[int, float], chances: Tensor) -> float:
    theirs = torch.tensor([math.exp(one) for one in likely.values()], device=chances.device)
    ours = chances[torch.tensor(_ids(likely), device=chances.device)]
    rest = abs(float(theirs.sum() - ours.sum()))
    found = (float((theirs - ours).abs().sum()) + rest) / 2
    return found if math.isfinite(found) else 1.0


def _ids(likely: Mapping[int, float]) -> Sequence[int]:
    return list(likely)


@torch.no_grad()
def _class_last(model: LlavaModel, pixels: Tensor) -> Tensor | None:
    """Image tokens `[N, D]` as llama.cpp computes them since it put the class token last (its issue 25814).

    Each patch then has the position of the one after it, the first patch is dropped, and the class token is
    taken for the last.
    """
    vision = vision_model(model)
    if vision.config.model_type != "clip_vision_model":
        return None
    parts = vision.embeddings
    patches = (
        parts.patch_embedding(pixels.to(model.tower.device, model.tower.dtype)).flatten(2).transpose(1, 2)
    )
    hidden = torch.cat([patches, parts.class_embedding.expand(len(patches), 1, -1)], dim=1)
    hidden = vision.pre_layrnorm(hidden + parts.position_embedding.weight)
    depths = absolute_layers(model.tower.layer, vision.config.num_hidden_layers)
    chosen = []
    for depth, block in enumerate(vision.encoder.layers[: depths[-1]], start=1):
        hidden = block(hidden, attention_mask=None)
        if depth in depths:
            chosen.append(hidden[:, 1:])
    return model.project(torch.cat(chosen, dim=-1)).flatten(0, 1)
