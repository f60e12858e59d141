"""`projector.safetensors` (weights) and `projector.json` (shape and fingerprint), written together."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from llava_agent.errors import ConfigError, WeightsError
from projector.fingerprint import FORMAT, Fingerprint, LanguageFingerprint, TowerFingerprint
from projector.modules import Projector, ProjectorConfig

WEIGHTS_NAME = "projector.safetensors"
CONFIG_NAME = "projector.json"


@dataclass(frozen=True, slots=True)
class SavedProjector:
    """A projector as it was loaded, with what it was trained for."""

    projector: Projector
    fingerprint: Fingerprint


def save_projector(folder: Path, projector: Projector, fingerprint: Fingerprint) -> None:
    """Write both files into `folder` (created if needed), each atomically.

    `projector.json` is written last and holds the hash of the weights, so a crash between the two is noticed
    on load instead of pairing new weights with an old fingerprint.
    """
    from safetensors.torch import save

    sides = ((projector.config.in_dim, fingerprint.tower), (projector.config.out_dim, fingerprint.language))
    for width, side in sides:
        if width != side.hidden_size:
            raise WeightsError(
                f"projector width {width} differs from hidden_size {side.hidden_size} of {side.id!r}"
            )
    weights = save({key: value.detach().cpu().contiguous() for key, value in projector.state_dict().items()})
    document = {
        "format": FORMAT,
        "projector": asdict(projector.config),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "fingerprint": fingerprint.to_json(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / WEIGHTS_NAME, weights)
    _write(folder / CONFIG_NAME, (json.dumps(document, indent=2, sort_keys=True) + "\n").encode())


def load_projector(
    folder: Path,
    *,
    tower: TowerFingerprint | None,
    language: LanguageFingerprint | None,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> SavedProjector:
    """Load strictly, after comparing the fingerprint with the models at hand.

    Args:
        folder: holds `projector.json` and `projector.safetensors`.
        tower, language: what the loaded models are; None skips the comparison of that side.

    Raises:
        WeightsError: a file is missing or damaged, or a field of the fingerprint differs (it is named).
    """
    from safetensors.torch import load

    document = _read(folder)
    fingerprint = Fingerprint.from_json(document["fingerprint"])
    fingerprint.require(tower, language)
    weights_path = folder / WEIGHTS_NAME
    try:
        raw = weights_path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"cannot read {weights_path} ({error.strerror})", "save the projector again"
        ) from error
    if hashlib.sha256(raw).hexdigest() != document["weights_sha256"]:
        raise WeightsError(
            f"{weights_path} is not the file that {CONFIG_NAME} describes",
            "save the projector again or fetch both",
        )
    try:
        projector = Projector(ProjectorConfig(**document["projector"]))
        projector.load_state_dict(load(raw), strict=True)
    except (TypeError, RuntimeError, ConfigError) as error:
        raise WeightsError(f"the projector in {folder} does not fit its own description: {error}") from error
    return SavedProjector(projector.to(device=device, dtype=dtype), fingerprint)


def read_fingerprint(folder: Path) -> Fingerprint:
    """The fingerprint alone, without reading the weights."""
    return Fingerprint.from_json(_read(folder)["fingerprint"])


def _read(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG_NAME
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsError(
            f"cannot read {path} ({error.strerror})", "name the folder of a saved projector"
        ) from error
    except ValueError as error:
        raise WeightsError(f"{path} is not JSON ({error})", "save the projector again") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        found = document.get("format") if isinstance(document, dict) else None
        raise WeightsError(f"{path} has format {found!r}, this version reads {FORMAT}")
    for key in ("projector", "weights_sha256", "fingerprint"):
        if key not in document:
            raise WeightsError(f"{path} lacks the field {key!r}", "save the projector again")
    return document


def _write(path: Path, data: bytes) -> None:
    """Write through a temporary file in the same folder, so that readers see the old file or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
