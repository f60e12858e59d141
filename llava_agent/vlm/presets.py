"""Model presets: one YAML file each in `configs/models/`, or anywhere by path. Imports no torch."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from llava_agent.errors import ConfigError
from llava_agent.strict_yaml import read_yaml

#: `llava_agent/configs` is a link to `configs/` in a checkout and a plain folder in an installed package.
FOLDER = Path(__file__).parent.parent / "configs" / "models"

_Quantisation = Literal["none", "8-bit", "4-bit"]
_ResizeMode = Literal["pad", "stretch", "crop", "tiles"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Need(_Strict):
    """One thing that must be on the machine.

    Attributes:
        what: in words.
        source: where it comes from: `package` (shipped), a wheel, a hub repository, or a server.
        size_mb: about how much is fetched; 0 for what ships with the package.
        licence: SPDX name, or the name of the licence.
    """

    what: str
    source: str
    size_mb: int = Field(default=0, ge=0)
    licence: str


class Decoding(_Strict):
    """How text is generated. `temperature` 0 is greedy."""

    max_tokens: int = Field(default=256, ge=1, le=8192)
    temperature: float = Field(default=0.0, ge=0, le=5, strict=False)
    top_p: float = Field(default=1.0, gt=0, le=1, strict=False)


class TowerSpec(_Strict):
    """A vision tower.

    Attributes:
        library: `open_clip` (built-in architecture, `hf-hub:` id or folder) or `transformers` (CLIP, SigLIP).
        model: name, id or folder.
        pretrained: tag or weights file of a built-in open_clip architecture.
        layer: block whose output is projected, -1 is the last; a list joins several, lowest first.
        resize_mode: how an image is brought to the tower's size.
        image_size: other than the architecture's own (open_clip only).
        quick_gelu: what the weights were trained with; another activation is an error.
    """

    library: Literal["open_clip", "transformers"]
    model: str
    pretrained: str | None = None
    layer: int | Annotated[tuple[int, ...], Field(strict=False)] = -2
    resize_mode: _ResizeMode = "pad"
    image_size: int | None = Field(default=None, ge=16)
    quick_gelu: bool | None = None

    @model_validator(mode="after")
    def _fits_library(self) -> TowerSpec:
        if self.library == "transformers" and (self.pretrained is not None or self.image_size is not None):
            raise ValueError("pretrained and image_size go with library open_clip only")
        return self


class ProjectorSpec(_Strict):
    """A projector.

    Attributes:
        kind: `linear`, `mlp2x_gelu` (any depth) or `pixel_shuffle_mlp`; for training a new one.
        shuffle: side of the block of cells that becomes one token.
        folder: where the trained one is, `~` is allowed; None for a preset that is still to be trained.
    """

    kind: str = "mlp2x_gelu"
    shuffle: int = Field(default=1, ge=1)
    folder: str | None = None


class LanguageSpec(_Strict):
    """A language model.

    Attributes:
        model: hub id, folder or GGUF file.
        image_token: token of its vocabulary that stands for an image.
        quantisation: `8-bit` and `4-bit` through bitsandbytes.
        revision: commit, tag or branch on the hub.
    """

    model: str
    image_token: str
    quantisation: _Quantisation = "none"
    revision: str | None = None


class _Preset(_Strict):
    name: str
    summary: str
    needs: tuple[Need, ...] = Field(strict=False)
    decoding: Decoding = Decoding()

    @property
    def size_mb(self) -> int:
        """About how much is fetched, in MB."""
        return sum(need.size_mb for need in self.needs)


class EmbeddedPreset(_Preset):
    """The model of our own, on ONNX Runtime.

    Attributes:
        weights: name for `llava-agent models pull`.
        pixels: whether it is used with its eyes; without, marks are read by their words alone.
    """

    kind: Literal["embedded"] = "embedded"
    engine: Literal["onnx"] = "onnx"
    weights: str
    pixels: bool = True


class ComposedPreset(_Preset):
    """Tower, projector and language model of any origin, on torch.

    Attributes:
        adapter: folder of a LoRA adapter (peft) for the language model.
        template: prompt with `{prompt}` in it; None uses the tokenizer's chat template.
        device: `auto` takes a GPU where there is one.
    """

    kind: Literal["composed"] = "composed"
    engine: Literal["torch"] = "torch"
    tower: TowerSpec
    projector: ProjectorSpec = ProjectorSpec()
    language: LanguageSpec
    adapter: str | None = None
    template: str | None = None
    device: str = "auto"

    @model_validator(mode="after")
    def _template_has_a_place(self) -> ComposedPreset:
        _require_place(self.template)
        return self


class LlavaPreset(_Preset):
    """A LLaVA checkpoint of transformers.

    Attributes:
        model: hub id or folder of a `LlavaForConditionalGeneration`.
        projector: folder of a projector that replaces the checkpoint's own.
        adapter: folder of a LoRA adapter (peft) for the language model.
        template: prompt with `{prompt}` in it; None uses the tokenizer's chat template.
    """

    kind: Literal["llava"] = "llava"
    engine: Literal["torch"] = "torch"
    model: str
    revision: str | None = None
    quantisation: _Quantisation = "none"
    resize_mode: _ResizeMode = "pad"
    projector: str | None = None
    adapter: str | None = None
    template: str | None = None
    device: str = "auto"

    @model_validator(mode="after")
    def _template_has_a_place(self) -> LlavaPreset:
        _require_place(self.template)
        return self


class ServerPreset(_Preset):
    """A server with an OpenAI-compatible API (vLLM, Ollama, llama.cpp).

    Attributes:
        base_url: up to and including `/v1`.
        model: the name that the server knows.
        api_key_env: environment variable that holds the key; None for a server without.
        vision: whether the model takes images.
        leaves_machine: photos and page text may be sent to a host that is not this machine.
        seconds: longest wait for an answer.
    """

    kind: Literal["server"] = "server"
    base_url: str = Field(pattern=r"^https?://")
    model: str
    api_key_env: str | None = None
    vision: bool = True
    leaves_machine: bool = False
    seconds: float = Field(default=120.0, gt=0, strict=False)


ModelPreset = Annotated[
    EmbeddedPreset | ComposedPreset | LlavaPreset | ServerPreset, Field(discriminator="kind")
]


def _require_place(template: str | None) -> None:
    if template is not None and "{prompt}" not in template:
        raise ValueError("template needs {prompt} where the prompt goes")


def load_preset(name_or_path: str) -> ModelPreset:
    """A preset by name, or from a YAML file of the user's.

    Raises:
        ConfigError: there is none of that name, or the file has an unknown key or a bad value.
    """
    path = Path(name_or_path).expanduser()
    if path.suffix not in (".yaml", ".yml"):
        names = _names()
        if name_or_path not in names:
            close = difflib.get_close_matches(name_or_path, names, n=1)
            mend = f"did you mean {close[0]!r}?" if close else f"presets: {', '.join(names)}"
            raise ConfigError(f"there is no preset {name_or_path!r}", mend)
        path = FOLDER / f"{name_or_path}.yaml"
    preset: ModelPreset = read_yaml(path, ModelPreset, name=path.stem)
    return _beside(preset, path.resolve().parent)


def _beside(preset: ModelPreset, folder: Path) -> ModelPreset:
    """The preset with paths that begin with `./` made whole: they lie beside its file."""

    def whole(path: str | None) -> str | None:
        return str(folder / path) if path is not None and path.startswith("./") else path

    if isinstance(preset, LlavaPreset):
        paths = {name: whole(getattr(preset, name)) for name in ("model", "projector", "adapter")}
        return preset.model_copy(update=paths)
    if isinstance(preset, ComposedPreset):
        parts = {
            "tower": preset.tower.model_copy(update={"model": whole(preset.tower.model)}),
            "projector": preset.projector.model_copy(update={"folder": whole(preset.projector.folder)}),
            "language": preset.language.model_copy(update={"model": whole(preset.language.model)}),
            "adapter": whole(preset.adapter),
        }
        return preset.model_copy(update=parts)
    return preset


def list_presets() -> list[ModelPreset]:
    """All presets that ship, by name."""
    return [load_preset(name) for name in _names()]


def _names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))
