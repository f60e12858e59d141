"""Turn trained weights into what the CPU runs: merge, export, quantise, check."""

from llava_agent.vlm.build.decoder import Precision
from llava_agent.vlm.build.embedded import build_embedded
from llava_agent.vlm.build.tower import export_tower

__all__ = ["Precision", "build_embedded", "export_tower"]
