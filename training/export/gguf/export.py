"""A model as the two files that llama.cpp's multimodal tools load."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.chat import Chat
from llava_agent.vlm.llava import LlavaModel
from llava_agent.vlm.weights.store import Manifest, Progress, quiet, room_for, whole_folder
from training.export.gguf.check import compare
from training.export.gguf.file import Precision
from training.export.gguf.language import require_language, write_language
from training.export.gguf.llama_cpp import require_llama_cpp
from training.export.gguf.vision import require_vision, write_vision
from training.export.template import jinja_template

LANGUAGE = "model.gguf"
VISION = "mmproj.gguf"

#: Largest total variation distance of a next token's distribution that is allowed.
TOLERANCE = {"f32": 0.01, "f16": 0.03, "q8_0": 0.1}

#: Bytes a parameter.
_BYTES = {"f32": 4, "f16": 2, "q8_0": 2}


@dataclass(frozen=True, slots=True)
class ExportedGguf:
    """Attributes:
    folder: what was written.
    difference: largest distance between llama.cpp's next-token distributions and the model's.
    class_token_defect: whether llama.cpp computes the tower wrongly; `difference` is then against the
        model with the same fault.
    """

    folder: Path
    difference: float
    class_token_defect: bool


def export_gguf(
    model: LlavaModel, out: Path, *, template: str | None = None, precision: Precision = "f16",
    allow_class_token_defect: bool = False, progress: Progress = quiet,
) -> ExportedGguf:  # fmt: skip
    """Write `out` whole or not at all, after llama.cpp ran the files and was compared with the model.

    Args:
        template: the preset's prompt template; the tokenizer's own where None.
        precision: of the language model; tower and projector are f32 or f16.
        allow_class_token_defect: write files of a tower with a class token although llama.cpp puts that
            token in the wrong place; they are checked against the model with the same fault.

    Raises:
        ConfigError: llama.cpp has no place for a part, is not installed, or computes the tower wrongly.
        WeightsError: it computes something else.
    """
    if out.exists():
        raise ConfigError(f"{out} exists", "name a folder that does not")
    engine = require_llama_cpp()
    require_language(model.language)
    require_vision(model)
    room_for(out.parent, _BYTES[precision] * sum(one.numel() for one in model.parameters()))
    chat = Chat(model.language.tokenizer, model.placeholder, template)
    with whole_folder(out) as part:
        progress("write the language model", 0, 3)
        jinja = jinja_template(model.language.tokenizer, template)
        write_language(model.language, chat, jinja, part / LANGUAGE, precision)
        progress("write tower and projector", 1, 3)
        write_vision(model, part / VISION, precision)
        progress("compare with llama.cpp", 2, 3)
        found = compare(model, chat, part / LANGUAGE, part / VISION)
        defect = found.class_last is not None and found.class_last < found.difference
        difference = found.class_last if defect and found.class_last is not None else found.difference
        if not difference <= TOLERANCE[precision]:
            raise WeightsError(
                f"llama.cpp's next-token distributions differ from the model's by {difference:.3f} (allowed "
                f"{TOLERANCE[precision]})",
                "export with --precision f32, or use the model through its preset",
            )
        if defect and not allow_class_token_defect:
            raise ConfigError(
                f"this llama.cpp puts the class token of the tower {model.tower.identity.id!r} after the "
                f"patches, and so sees something else than the model (its issue 25814; distance "
                f"{found.difference:.3f})",
                "train with a SigLIP tower, install a mended llama.cpp, or write the files for one with "
                "--allow-class-token-defect",
            )
        notes = {
            "checked_with": f"xllamacpp {engine}",
            "difference": difference,
            "class_token_defect": defect,
        }
        Manifest.of(part, {"precision": precision}, notes).save(part)
    progress("exported", 3, 3)
    return ExportedGguf(out, difference, defect)
