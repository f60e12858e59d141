"""The embedded preset, built from the language model's source file and the weights that are shipped."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from llava_agent.errors import WeightsError
from llava_agent.vlm.build.decoder import Precision, export_decoder
from llava_agent.vlm.build.probe import compare
from llava_agent.vlm.build.shipped import ADAPTER, SHIPPED, TOWER, shipped_file
from llava_agent.vlm.build.step import run_step
from llava_agent.vlm.weights.store import Manifest, Progress, quiet, room_for, sha256_of, whole_folder

#: Raised when the files of a built folder change, so that older folders are built again.
FORMAT = "1"

#: fp32 folder and both copies of the exported decoder, at their largest.
BUILD_BYTES = 1_500_000_000

#: Least mean cosine of the hidden states with the fp32 model's on the probe: bounds for a broken build, not
#: measures of quality. SmolLM2 reaches 0.9996 in int8 and 0.970 in int4.
LEAST_COSINE: Mapping[str, float] = {"fp32": 0.9999, "int8": 0.99, "int4": 0.9}


def identity(source_sha256: str, shipped_dir: Path | None, precision: Precision) -> dict[str, str]:
    """What a build depends on; a built folder with another identity is stale."""
    shipped = {name: shipped_file(shipped_dir, name) for name in SHIPPED}
    return {
        "format": FORMAT,
        "source": source_sha256,
        "precision": precision,
        **{name: sha256_of(path) if path else "none" for name, path in shipped.items()},
    }


def source_sha256(source: Path) -> str:
    """Of a GGUF file, or of the weights inside a transformers folder."""
    file = source if source.is_file() else source / "model.safetensors"
    if not file.is_file():
        raise WeightsError(
            f"{source} is neither a GGUF file nor a folder with model.safetensors", "check the path"
        )
    return sha256_of(file)


def build_embedded(
    out_dir: Path,
    source: Path,
    shipped_dir: Path | None,
    precision: Precision = "int8",
    progress: Progress = quiet,
) -> Manifest:
    """Source -> fp32 folder -> adapter merged -> ONNX decoder, checked against fp32, and the tower beside it.

    `out_dir` appears whole or not at all.

    Args:
        source: a GGUF file, or a transformers folder.
        shipped_dir: may hold an adapter (else the base model is built) and a tower (else no eyes are built).

    Raises:
        WeightsError: a damaged source, a full disk, or a result that does not compute what fp32 computes.
    """
    room_for(out_dir.parent, BUILD_BYTES)
    log = out_dir.parent / f"{out_dir.name}.build.log"
    log.unlink(missing_ok=True)
    wanted = identity(source_sha256(source), shipped_dir, precision)
    scratch = tempfile.TemporaryDirectory(dir=out_dir.parent, prefix=".merged-")
    with scratch as work, whole_folder(out_dir) as part:
        progress("read the language model and merge its adapter", 0, 5)
        merged = merged_folder(Path(work) / "hf", source, shipped_dir, log)
        progress(f"export the {precision} decoder", 1, 5)
        export_decoder(merged, part, precision, log)
        progress("compare it with fp32", 2, 5)
        cosine = _checked(part, merged, precision, log)
        progress("export the vision tower", 3, 5)
        if shipped_dir is not None and shipped_file(shipped_dir, TOWER):
            run_step("llava_agent.vlm.build.eyes", [shipped_dir, part], log)
        progress("write checksums", 4, 5)
        made_with = f"onnxruntime-genai {version('onnxruntime-genai')}"
        manifest = Manifest.of(part, wanted, {"made_with": made_with, "cosine": cosine})
        manifest.save(part)
    log.unlink(missing_ok=True)
    progress("built", 5, 5)
    return manifest


def merged_folder(out: Path, source: Path, shipped_dir: Path | None, log: Path) -> Path:
    """The fp32 transformers folder with the adapter merged, written by a process of its own."""
    adapter = shipped_file(shipped_dir, ADAPTER)
    run_step("llava_agent.vlm.build.merge", [source, out, *([adapter] if adapter else [])], log)
    return out


def _checked(built: Path, merged: Path, precision: Precision, log: Path) -> dict[str, float]:
    cosine = compare(built, merged)
    if not cosine["hidden"] >= LEAST_COSINE[precision]:
        raise WeightsError(
            f"the {precision} decoder differs from the fp32 model (cosine {cosine['hidden']:.3f})",
            f"install the locked package versions and build again; the output is in {log}",
        )
    return cosine
