"""Vision towers of open_clip: a built-in architecture with a pretrained tag or weights file, `hf-hub:` id, or
a local folder with `open_clip_config.json`; ViT and timm trunks, convolutional ones included."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.vision.geometry import Grid
from llava_agent.vlm.vision.preprocess import Preprocess, ResizeMode, Triple
from llava_agent.vlm.vision.tower import Layers, TowerIdentity, VisionTower, require_quick_gelu


class OpenClipTower(VisionTower):
    """Patch features of an open_clip image tower.

    Args:
        visual: the image tower of an open_clip model (`model.visual`).
        identity: its name for the fingerprint.
        preprocess: size, resize mode and normalisation.
        layer: index of the block (ViT) or stage (convolutional trunk), -1 is the last; or several.
    """

    def __init__(
        self, visual: nn.Module, identity: TowerIdentity, preprocess: Preprocess, *, layer: Layers = -2
    ) -> None:
        super().__init__(identity, layer, preprocess)
        if not hasattr(visual, "forward_intermediates"):
            raise ConfigError(
                f"the image tower {type(visual).__name__} of {identity.id!r} gives no intermediate features",
                "choose a ViT or a timm trunk",
            )
        self.visual: Any = visual
        self._freeze()
        self._channels, self._grid = self._measure()

    @property
    def hidden_size(self) -> int:
        return self._channels

    @property
    def grid(self) -> Grid:
        return self._grid

    @property
    def quick_gelu(self) -> bool:
        return any(type(module).__name__ == "QuickGELU" for module in self.visual.modules())

    def features(self, pixel_values: Tensor) -> Tensor:
        return self._map(pixel_values).flatten(2).transpose(1, 2)

    def _map(self, pixel_values: Tensor) -> Tensor:
        """`[B, C, rows, cols]`: the one layout that ViT and convolutional trunks both give."""
        result = self.visual.forward_intermediates(
            pixel_values,
            indices=[self.layer] if isinstance(self.layer, int) else list(self.layer),
            stop_early=True,
            normalize_intermediates=False,
            intermediates_only=True,
            output_fmt="NCHW",
        )
        maps = result["image_intermediates"]
        if len(maps) == 1:
            return maps[0]
        if len({tuple(one.shape[2:]) for one in maps}) > 1 or not _rising(self.layer):
            raise ValueError("several layers need grids of one size, and to be named once, lowest first")
        return torch.cat(maps, dim=1)

    def _probe(self) -> Tensor:
        return torch.zeros(1, 3, self.image_size, self.image_size, device=self.device, dtype=self.dtype)

    def _measure(self) -> tuple[int, Grid]:
        """Channels and grid, from the shape of one canvas (on fake tensors: nothing is computed)."""
        from torch._subclasses.fake_tensor import FakeTensorMode

        try:
            with torch.no_grad(), FakeTensorMode(allow_non_fake_inputs=True):
                _, channels, rows, cols = self._map(self._probe()).shape
        except (AssertionError, IndexError, ValueError) as error:
            raise ConfigError(
                f"layer {self.layer} of {self.identity.id!r} does not exist ({error})",
                "choose an existing block, -1 is the last",
            ) from error
        return channels, Grid(rows, cols, self._cell(rows))

    def _cell(self, rows: int) -> float:
        """Side of a cell in canvas pixels: the patch size, or the stride of a convolutional stage."""
        patch = getattr(self.visual, "patch_size", None)
        if patch is None:
            embed = getattr(getattr(self.visual, "trunk", None), "patch_embed", None)
            patch = getattr(embed, "patch_size", None)
        if patch is not None:
            return float(patch[0] if isinstance(patch, tuple | list) else patch)
        stride = 1
        while -(-self.image_size // stride) > rows:
            stride *= 2
        return float(stride)


def load_open_clip_tower(
    model: str,
    *,
    pretrained: str | None = None,
    layer: Layers = -2,
    resize_mode: ResizeMode = "pad",
    image_size: int | None = None,
    quick_gelu: bool | None = None,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> OpenClipTower:
    """Load a tower; everything of the text side is dropped.

    Args:
        model: built-in architecture (`ViT-L-14-336-quickgelu`), `hf-hub:owner/name`, or a folder.
        pretrained: tag (`openai`) or weights file; only with a built-in architecture, and needed there.
        layer: block or stage whose output is used, or several.
        resize_mode: replaces the checkpoint's own, which crops the edges away.
        image_size: replaces the architecture's; position embeddings are resized.
        quick_gelu: what the weights were trained with, where the checkpoint does not say.

    Raises:
        ConfigError: unknown architecture or tag, or another activation than the weights were trained with.
        WeightsError: the weights cannot be had or do not fit.
    """
    import open_clip
    from safetensors import SafetensorError

    name, identity = _identify(model, pretrained)
    if pretrained is not None:
        _check_tag(model, pretrained)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            clip = open_clip.create_model(
                name,
                pretrained=pretrained,
                force_image_size=image_size,
                require_pretrained=True,
                device=device,
                pretrained_text=False,
            )
    except (RuntimeError, ValueError, OSError, UserWarning, SafetensorError) as error:
        raise WeightsError(
            f"the vision tower {model!r} could not be loaded ({_first_line(error)})",
            "check the name and that its weights are on this machine or can be fetched",
        ) from error
    visual = clip.visual.to(dtype)
    tower = OpenClipTower(visual, identity, _preprocess(visual, resize_mode), layer=layer)
    require_quick_gelu(quick_gelu, tower.quick_gelu, model)
    return tower


def _identify(model: str, pretrained: str | None) -> tuple[str, TowerIdentity]:
    """open_clip's own spelling of the source, and the identity for the fingerprint."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        if not (folder / "open_clip_config.json").is_file():
            raise WeightsError(
                f"{folder} holds no open_clip_config.json", "name the folder of an open_clip model"
            )
        return f"local-dir:{folder}", TowerIdentity(folder.resolve().name)
    if model.startswith("hf-hub:"):
        return model, TowerIdentity(model.removeprefix("hf-hub:"))
    if pretrained is None:
        raise ConfigError(f"the tower {model!r} needs a pretrained tag or weights file", "set pretrained")
    tag = Path(pretrained).name if Path(pretrained).is_file() else pretrained
    return model, TowerIdentity(model, tag)


def _check_tag(model: str, pretrained: str) -> None:
    """Refuse an unknown tag, and a tag whose weights want the other activation (open_clip only warns)."""
    import open_clip
    from open_clip.pretrained import get_pretrained_cfg

    config = open_clip.get_model_config(model)
    if config is None:
        raise ConfigError(f"open_clip has no architecture {model!r}", "see open_clip.list_models()")
    if Path(pretrained).is_file():
        return
    tag = get_pretrained_cfg(model, pretrained)
    if not tag:
        known = ", ".join(open_clip.list_pretrained_tags_by_model(model)) or "none"
        raise ConfigError(f"open_clip has no weights {pretrained!r} for {model!r}", f"known tags: {known}")
    require_quick_gelu(bool(tag.get("quick_gelu", False)), bool(config.get("quick_gelu", False)), model)


def _preprocess(visual: Any, mode: ResizeMode) -> Preprocess:
    settings: dict[str, Any] = visual.preprocess_cfg
    size = settings["size"]
    height, width = (size, size) if isinstance(size, int) else size
    if height != width:
        raise ConfigError(f"the tower's input is {width} x {height} pixels, only square towers are supported")
    mean, std = (tuple(float(v) for v in settings[key]) for key in ("mean", "std"))
    return Preprocess(int(height), mode, _triple(mean), _triple(std), settings["interpolation"])


def _triple(values: tuple[float, ...]) -> Triple:
    red, green, blue = values
    return red, green, blue


def _rising(layer: Layers) -> bool:
    """Whether several layers are named once each, lowest first, all from the same end."""
    wanted = [layer] if isinstance(layer, int) else list(layer)
    return wanted == sorted(set(wanted)) and len({one < 0 for one in wanted}) == 1


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
