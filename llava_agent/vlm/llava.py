"""Tower, projector and language model composed through `inputs_embeds`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from llava_agent.errors import ConfigError
from llava_agent.vlm.decode import Constraint, Sampling, generate
from llava_agent.vlm.engines import Floats
from llava_agent.vlm.engines.torch_engine import TorchEngine
from llava_agent.vlm.fusion import IGNORE, Expanded, FusionError, expand_placeholders, fuse
from llava_agent.vlm.language import LanguageModel
from llava_agent.vlm.vision.geometry import ImageMap
from llava_agent.vlm.vision.tower import VisionTower
from projector import Fingerprint, Projector, load_projector, save_projector


@dataclass(frozen=True, slots=True)
class Row:
    """One training or test example.

    Attributes:
        ids: token ids with one placeholder for each image.
        images: decoded RGB images, in order.
        labels: token ids, `IGNORE` where nothing is supervised; None without supervision.
    """

    ids: Sequence[int]
    images: Sequence[Image.Image | Seen] = ()
    labels: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """An image that was prepared beforehand.

    Attributes:
        pixels: canvases `[views, 3, H, W]`; None where the tower has already run.
        features: what the tower gave, `[views, cells, channels]`.
    """

    pixels: Tensor | None = None
    features: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows padded on the right. `mask` is 1 on real positions and comes from lengths, never from ids.

    Attributes:
        ids, mask, labels: `[B, T]`.
        features: projected image tokens `[N_row, D]` of each row.
        maps: of each row's images; none for images that were prepared beforehand.
        positions: `[B, T]` where rows are laid end to end, each from 0 on; else None.
    """

    ids: Tensor
    mask: Tensor
    labels: Tensor
    features: tuple[Tensor, ...]
    maps: tuple[tuple[ImageMap, ...], ...]
    positions: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """Attributes:
    loss: mean cross-entropy over the supervised positions.
    supervised: how many these are (weight of `loss` when micro-batches are added up).
    logits: `[supervised, V]`, row by row; each predicts the label that follows its position.
    """

    loss: Tensor
    supervised: int
    logits: Tensor


class LlavaModel(nn.Module):
    """Images and text in, text out.

    Args:
        tower: gives patch features.
        projector: maps them into the embedding space of `language`.
        language: the language model.
        placeholder: token id that stands for images; it must be in the vocabulary of `language`.
    """

    def __init__(
        self, tower: VisionTower, projector: Projector, language: LanguageModel, placeholder: int
    ) -> None:
        super().__init__()
        shape = (projector.config.in_dim, projector.config.out_dim)
        if shape != (tower.hidden_size, language.hidden_size):
            raise ConfigError(
                f"the projector maps {shape[0]} -> {shape[1]}, the tower gives {tower.hidden_size} and the "
                f"language model takes {language.hidden_size}",
                "use the projector that was trained for these models",
            )
        projector.tokens((tower.grid.rows, tower.grid.cols))
        if not 0 <= placeholder < language.vocab_size:
            raise ConfigError(f"image token {placeholder} is outside the vocabulary of {language.vocab_size}")
        self.tower = tower
        self.projector = projector
        self.language = language
        self.placeholder = placeholder

    def image_features(self, pixel_values: Tensor) -> Tensor:
        """Image tokens `[B, tokens, D]` of canvases `[B, 3, H, W]`."""
        return self.project(self.tower.features(pixel_values))

    def project(self, features: Tensor) -> Tensor:
        """Image tokens `[B, tokens, D]` of what the tower gave, `[B, cells, channels]`."""
        grid = (self.tower.grid.rows, self.tower.grid.cols)
        # The tower and the language model may live in other precisions or on other devices than the bridge.
        weight = next(self.projector.parameters())
        tokens = self.projector(features.to(weight.device, weight.dtype), grid)
        return tokens.to(self.language.device, self.language.dtype)

    def encode(self, image: Image.Image) -> tuple[Tensor, ImageMap]:
        """All tokens `[N, D]` of an image (its views one after another) and the map to its pixels."""
        return self.encode_all([image])[0]

    def encode_all(self, images: Sequence[Image.Image]) -> list[tuple[Tensor, ImageMap]]:
        """As `encode` for each image, in one pass through the tower."""
        if not images:
            return []
        pixels, maps = zip(*(self.tower.preprocess(image) for image in images), strict=True)
        tokens = self.image_features(torch.cat(pixels)).split([len(part) for part in pixels])
        shuffle = self.projector.config.shuffle
        return [
            (part.flatten(0, 1), image_map.coarser(shuffle))
            for part, image_map in zip(tokens, maps, strict=True)
        ]

    def batch(
        self, rows: Sequence[Row], *, limit: int | None = None, lanes: Sequence[Sequence[int]] | None = None
    ) -> Batch:
        """Expand, cut to `limit` positions and pad. Gradients flow from the features into the projector.

        Args:
            limit: of each row.
            lanes: rows, by number, that are laid end to end in one line of the batch; each row once.
                By default every row has a line of its own.

        Raises:
            FusionError: placeholders and images do not match, or `limit` would cut into an image.
        """
        flat = iter(self._encoded([image for row in rows for image in row.images]))
        encoded = [[next(flat) for _ in row.images] for row in rows]
        expanded: list[Expanded] = []
        for index, (row, images) in enumerate(zip(rows, encoded, strict=True)):
            if row.labels is not None and len(row.labels) != len(row.ids):
                raise FusionError(f"row {index}: {len(row.ids)} ids but {len(row.labels)} labels")
            one = expand_placeholders(row.ids, [len(f) for f, _ in images], self.placeholder, row=index)
            expanded.append(one if limit is None else one.truncated(limit, index))
        device = self.language.device
        lines = [[index] for index in range(len(rows))] if lanes is None else lanes
        parts = self._padded(rows, expanded, lines)
        ids, mask, labels, positions = (torch.from_numpy(part).to(device) for part in parts)
        none = torch.zeros(0, self.language.hidden_size, device=device, dtype=self.language.dtype)
        ordered = [[image for index in line for image in encoded[index]] for line in lines]
        return Batch(
            ids,
            mask,
            labels,
            tuple(torch.cat([f for f, _ in images]) if images else none for images in ordered),
            tuple(tuple(m for _, m in images if m is not None) for images in ordered),
            None if lanes is None else positions,
        )

    def _padded(
        self, rows: Sequence[Row], expanded: Sequence[Expanded], lines: Sequence[Sequence[int]]
    ) -> tuple[NDArray[np.int64], ...]:
        """`ids`, `mask`, `labels` and `positions` `[B, T]`."""
        shape = (len(lines), max(sum(len(expanded[index].ids) for index in line) for line in lines))
        # A padding id must not look like an image.
        ids = np.full(shape, 0 if self.placeholder != 0 else 1, dtype=np.int64)
        mask = np.zeros(shape, dtype=np.int64)
        labels = np.full(shape, IGNORE, dtype=np.int64)
        # Padding is a sample of its own at the end of a line, so nothing that counts ever sees it.
        positions = np.tile(np.arange(shape[1], dtype=np.int64), (len(lines), 1))
        for number, line in enumerate(lines):
            start = 0
            for index in line:
                one, given = expanded[index], rows[index].labels
                end = start + len(one.ids)
                ids[number, start:end] = one.ids
                mask[number, start:end] = 1
                positions[number, start:end] = np.arange(end - start)
                if given is not None:
                    labels[number, start:end] = one.labels(given)
                    labels[number, start] = IGNORE  # the sample before it must not foretell it
                start = end
            positions[number, start:] = np.arange(shape[1] - start)
        return ids, mask, labels, positions

    def _encoded(self, images: Sequence[Image.Image | Seen]) -> list[tuple[Tensor, ImageMap | None]]:
        """Tokens `[N, D]` of each image and, for one that was not prepared beforehand, its map."""
        plain = iter(self.encode_all([image for image in images if not isinstance(image, Seen)]))
        seen = iter(self._prepared([image for image in images if isinstance(image, Seen)]))
        return [(next(seen), None) if isinstance(image, Seen) else next(plain) for image in images]

    def _prepared(self, images: Sequence[Seen]) -> list[Tensor]:
        """As `encode_all`, for prepared images: those with pixels in one pass through the tower."""
        if not images:
            return []
        pixels = [image.pixels for image in images if image.pixels is not None]
        tower, views = self.tower, [len(one) for one in pixels]
        seen = iter(
            tower.features(torch.cat(pixels).to(tower.device, tower.dtype)).split(views) if pixels else ()
        )
        device = self.language.device
        features = [next(seen) if image.features is None else image.features.to(device) for image in images]
        tokens = self.project(torch.cat([one.to(features[0].dtype) for one in features]))
        return [part.flatten(0, 1) for part in tokens.split([len(one) for one in features])]

    def embeddings(self, batch: Batch) -> Tensor:
        """Text and image embeddings `[B, T, D]`."""
        return fuse(self.language.embed(batch.ids), batch.ids, batch.features, self.placeholder)

    def forward(self, batch: Batch) -> Output:
        """Loss on the supervised positions; the LM head runs on these only."""
        wanted = torch.zeros_like(batch.labels, dtype=torch.bool)
        wanted[:, :-1] = batch.labels[:, 1:] != IGNORE
        count = int(wanted.sum())
        if count == 0:
            raise FusionError("no position of the batch is supervised", "check the labels of its rows")
        logits = self.language.logits_at(self.embeddings(batch), batch.mask, wanted, batch.positions)
        targets = batch.labels[:, 1:][wanted[:, :-1]]
        return Output(nn.functional.cross_entropy(logits.float(), targets), count, logits)

    def prompt_embeddings(self, ids: Sequence[int], images: Sequence[Image.Image]) -> tuple[Floats, Expanded]:
        """What an engine needs: `[T, D]` embeddings of a prompt with its images, and its expanded ids."""
        with torch.inference_mode():
            features = [tokens for tokens, _ in self.encode_all(images)]
            one = expand_placeholders(ids, [len(part) for part in features], self.placeholder)
            batched = torch.from_numpy(one.ids).to(self.language.device)[None]
            text = self.language.embed(batched)
            joined = torch.cat(features) if features else text[0, :0]
            return fuse(text, batched, [joined], self.placeholder)[0].float().cpu().numpy(), one

    def generate(
        self,
        ids: Sequence[int],
        images: Sequence[Image.Image] = (),
        sampling: Sampling | None = None,
        *,
        stop: Sequence[int] | None = None,
        constraint: Constraint | None = None,
        engine: TorchEngine | None = None,
    ) -> Iterator[int]:
        """Generated ids, one by one, with a KV cache.

        Args:
            ids: prompt with one placeholder for each image.
            images: in order.
            sampling: greedy, 64 tokens by default.
            stop: ids that end the text; the tokenizer's end of sequence by default.
            constraint: what may come next.
            engine: an empty or partly filled engine over `language`; a fresh one by default.
        """
        if stop is None:
            end = self.language.tokenizer.eos_token_id if self.language.tokenizer is not None else None
            stop = () if end is None else (end,)
        embeddings, _ = self.prompt_embeddings(ids, images)
        return generate(
            engine or TorchEngine(self.language), embeddings, sampling or Sampling(), stop, constraint
        )

    def fingerprint(self, *, step: int = 0, data_hash: str = "") -> Fingerprint:
        """What the projector belongs to."""
        import transformers

        versions = {"torch": torch.__version__, "transformers": transformers.__version__}
        return Fingerprint(self.tower.fingerprint(), self.language.fingerprint(), versions, step, data_hash)

    def save_projector(self, folder: Path, *, step: int = 0, data_hash: str = "") -> None:
        save_projector(folder, self.projector, self.fingerprint(step=step, data_hash=data_hash))

    @staticmethod
    def compose(
        tower: VisionTower, projector_folder: Path, language: LanguageModel, placeholder: int
    ) -> LlavaModel:
        """Load a projector for these models; WeightsError names what does not belong together."""
        saved = load_projector(
            projector_folder,
            tower=tower.fingerprint(),
            language=language.fingerprint(),
            device=language.device,
            dtype=language.dtype,
        )
        return LlavaModel(tower, saved.projector, language, placeholder)
