"""Weights on disk: where they are, whether they are whole, and how they get there."""

from llava_agent.vlm.weights.bar import progress_bar
from llava_agent.vlm.weights.install import (
    EMBEDDED,
    EMBEDDED_INT4,
    IMAGENET_TOWER,
    KNOWLEDGE,
    NAMES,
    Source,
    language_source,
    paths,
    present,
    pull,
    shipped_dir,
)
from llava_agent.vlm.weights.store import Progress, home, model_dir

__all__ = [
    "EMBEDDED",
    "EMBEDDED_INT4",
    "IMAGENET_TOWER",
    "KNOWLEDGE",
    "NAMES",
    "Progress",
    "Source",
    "home",
    "language_source",
    "model_dir",
    "paths",
    "present",
    "progress_bar",
    "pull",
    "shipped_dir",
]
