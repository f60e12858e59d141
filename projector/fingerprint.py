"""What a projector was trained for. A projector of another tower or language model fits in shape and is noise
in effect, so everything that changes the meaning of its input or output is recorded and compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from llava_agent.errors import WeightsError

#: Raised when the layout of `projector.json` changes.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class TowerFingerprint:
    """The vision side.

    Attributes:
        id: name of the model; never a path, so that a folder may move.
        tag: pretrained tag (open_clip) or revision; empty where there is none.
        quick_gelu: the activation that the tower really has.
        layer: which block's output is projected, -1 is the last; several where they are joined.
        image_size: side of the tower's input in pixels.
        resize_mode: how an image is brought to that size.
        mean, std: normalisation of RGB in 0 to 1.
        hidden_size: channels of the features.
        weights: `sign_hash` of the tower's parameters and statistics.
    """

    id: str
    tag: str
    quick_gelu: bool
    layer: int | tuple[int, ...]
    image_size: int
    resize_mode: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    hidden_size: int
    weights: str


@dataclass(frozen=True, slots=True)
class LanguageFingerprint:
    """The language side.

    Attributes:
        id: name of the model; never a path.
        revision: commit or version; empty where there is none.
        hidden_size: width of its embeddings.
        tokenizer: hash over vocabulary, added tokens and chat template.
        embeddings: `sign_hash` of the embedding table.
    """

    id: str
    revision: str
    hidden_size: int
    tokenizer: str
    embeddings: str


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Both sides, and where the weights came from.

    Attributes:
        versions: packages that trained it (information only, not compared).
        step: optimizer steps that were taken (information only).
        data_hash: of the training data (information only).
    """

    tower: TowerFingerprint
    language: LanguageFingerprint
    versions: Mapping[str, str] = field(default_factory=dict)
    step: int = 0
    data_hash: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Fingerprint:
        """Inverse of `to_json`; WeightsError names a field that is missing or unknown."""
        tower = dict(_exact(TowerFingerprint, "tower", data.get("tower")))
        for key in ("mean", "std"):
            tower[key] = tuple(tower[key])
        if isinstance(tower["layer"], list):
            tower["layer"] = tuple(tower["layer"])
        language = _exact(LanguageFingerprint, "language", data.get("language"))
        rest = {key: value for key, value in data.items() if key not in ("tower", "language")}
        known = {f.name for f in fields(Fingerprint)}
        if unknown := sorted(set(rest) - known):
            raise WeightsError(f"the projector's fingerprint has an unknown field {unknown[0]!r}")
        return Fingerprint(TowerFingerprint(**tower), LanguageFingerprint(**language), **rest)

    def require(self, tower: TowerFingerprint | None, language: LanguageFingerprint | None) -> None:
        """Raise WeightsError that names each field in which the given parts differ from the recorded ones.

        A part that is None is not compared (for a tool that only has the other side loaded).
        """
        problems = []
        for side, mine, given in (("tower", self.tower, tower), ("language", self.language, language)):
            if given is None:
                continue
            for name, value in asdict(mine).items():
                other = getattr(given, name)
                if value != other:
                    problems.append(f"{side}.{name} was {value!r} in training and is {other!r} now")
        if problems:
            raise WeightsError(
                "the projector does not belong to these models: " + "; ".join(problems),
                "load the models that it was trained with, or train a projector for these",
            )


def sign_hash(tensors: Iterable[Tensor], *, samples: int = 1 << 20) -> str:
    """Hash of the shapes and sign bits of tensors (first 16 hex digits of SHA-256).

    Signs survive rounding, so the same weights loaded in float32, float16 or bfloat16 have the same hash,
    while other weights have another. Of a tensor with more than `samples` numbers an even selection is used.
    """
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(repr(tuple(tensor.shape)).encode())
        flat = tensor.detach().reshape(-1)
        step = max(1, flat.numel() // samples)
        bits = torch.signbit(flat[::step]).to("cpu", torch.uint8)
        digest.update(bits.numpy().tobytes())
    return digest.hexdigest()[:16]


def _exact(kind: type, name: str, data: object) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise WeightsError(f"the projector's fingerprint has no {name!r} part")
    wanted = {f.name for f in fields(kind)}
    for key in sorted(wanted ^ set(data)):
        state = "lacks the field" if key in wanted else "has an unknown field"
        raise WeightsError(f"the projector's fingerprint {state} '{name}.{key}'")
    return data
