"""The embedded model's eyes: marked regions of an image become region tokens and words. No torch."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from llava_agent.errors import ImageError, WeightsError
from llava_agent.vlm.cache import ByteCache
from llava_agent.vlm.engines.session import open_session
from llava_agent.vlm.naming import Name, Vocabulary
from llava_agent.vlm.regions import crop_regions, geometry, normalise

REGION_ENCODER = "region_encoder.onnx"
REGION_PROJECTOR = "region_projector"
STATISTICS = "region_statistics.npz"

Floats = NDArray[np.float32]

#: Bytes of region tokens that are kept (about 2.5 KB each), and of decoded images.
KEPT_TOKENS = 16 * 2**20
KEPT_IMAGES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Seen:
    """What the eyes give for the regions of one image.

    Attributes:
        tokens: `[N, hidden_size]` region tokens.
        digests: one for each region, equal exactly where pixels and place are equal.
        names: the tower's words for each region.
        encoded: number of regions that had to go through the tower; the others were known.
    """

    tokens: Floats
    digests: tuple[bytes, ...]
    names: tuple[Name, ...]
    encoded: int


class RegionProjector:
    """The region projector in numpy: standardised features through the layers of `projector.Projector`.

    Args:
        weights: tensors of a `Projector` of linear layers with GELU between them, by name.
        mean, std: `[features]` of the features that it was trained on.
    """

    def __init__(self, weights: dict[str, Floats], mean: Floats, std: Floats) -> None:
        self._mean, self._std = mean, std
        self._layers = [
            (weights[f"layers.{index}.weight"], weights[f"layers.{index}.bias"])
            for index in sorted({int(name.split(".")[1]) for name in weights})
        ]

    @classmethod
    def load(cls, folder: Path) -> RegionProjector:
        """Raises WeightsError where a file is absent or damaged."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            weights = load_file(folder / REGION_PROJECTOR / "projector.safetensors")
            with np.load(folder / STATISTICS) as arrays:
                return cls(
                    {name: value.astype(np.float32) for name, value in weights.items()},
                    arrays["mean"],
                    arrays["std"],
                )
        except (OSError, EOFError, ValueError, SafetensorError, KeyError, zipfile.BadZipFile) as error:
            raise WeightsError(
                f"the region projector in {folder} cannot be read ({error})", "reinstall the package"
            ) from error

    def __call__(self, features: Floats) -> Floats:
        """`[N, features]` to `[N, hidden_size]`."""
        values = np.clip((features - self._mean) / self._std, -6, 6)
        for index, (weight, bias) in enumerate(self._layers):
            if index:
                values = _gelu(values)
            values = values @ weight.T + bias
        result: Floats = values.astype(np.float32)
        return result


def _gelu(values: Floats) -> Floats:
    """The exact GELU; its error function by Abramowitz and Stegun 7.1.26 (error below 1.5e-7)."""
    scaled = np.abs(values) / np.sqrt(2.0)
    t = 1.0 / (1.0 + 0.3275911 * scaled)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    erf = np.sign(values) * (1.0 - series * np.exp(-scaled * scaled))
    result: Floats = values * 0.5 * (1.0 + erf)
    return result


class Eyes:
    """Tower, projector and vocabulary together, with the features of known crops kept.

    Args:
        encoder: the exported region encoder (`[N, 3, 96, 96]` to features and unit embeddings).
        shipped: folder of the trained weights.
        threads: cores to use.
    """

    def __init__(self, encoder: Path, shipped: Path, threads: int = 2) -> None:
        self._session = open_session(encoder, threads)
        self._projector = RegionProjector.load(shipped)
        self._vocabulary = Vocabulary.load(shipped)
        self._known: ByteCache[bytes, tuple[Floats, Name]] = ByteCache(
            KEPT_TOKENS, lambda value: value[0].nbytes + 256
        )
        self._images: ByteCache[bytes, Image.Image] = ByteCache(
            KEPT_IMAGES, lambda image: image.width * image.height * 3
        )

    def see(self, image: bytes, regions: Sequence[Sequence[float]]) -> Seen:
        """Region tokens and words for boxes in pixels of the encoded image.

        Raises:
            ImageError: the bytes are no image.
        """
        picture = self._decode(image)
        crops = crop_regions(picture, regions)
        shapes = geometry(regions, picture.size)
        digests = tuple(
            hashlib.blake2b(crop.tobytes() + shape.tobytes(), digest_size=16).digest()
            for crop, shape in zip(crops, shapes, strict=True)
        )
        found = {digest: value for digest in digests if (value := self._known.get(digest)) is not None}
        fresh = [row for row, digest in enumerate(digests) if digest not in found]
        if fresh:
            for row, value in zip(fresh, self._encode(crops[fresh], shapes[fresh]), strict=True):
                found[digests[row]] = value
                self._known.put(digests[row], value)
        known = [found[digest] for digest in digests]
        tokens = np.stack([token for token, _ in known]) if known else np.zeros((0, 0), np.float32)
        return Seen(tokens, digests, tuple(name for _, name in known), len(fresh))

    def _encode(self, crops: NDArray[np.uint8], shapes: Floats) -> list[tuple[Floats, Name]]:
        features, embeddings = self._session.run(None, {self._session.get_inputs()[0].name: normalise(crops)})
        tokens = self._projector(np.concatenate([features, shapes], axis=1))
        # A row of its own each: a view would keep the whole batch alive behind one small token.
        return [
            (token.copy(), name)
            for token, name in zip(tokens, self._vocabulary.name(embeddings), strict=True)
        ]

    def _decode(self, image: bytes) -> Image.Image:
        digest = hashlib.blake2b(image, digest_size=16).digest()
        picture = self._images.get(digest)
        if picture is None:
            try:
                picture = Image.open(io.BytesIO(image)).convert("RGB")
            except (OSError, ValueError, Image.DecompressionBombError) as error:
                raise ImageError(
                    f"the image of the request cannot be decoded ({error})", "send PNG or JPEG"
                ) from error
            self._images.put(digest, picture)
        return picture
