"""Photos with the lines of the table framed and numbered, as the table counts them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from llava_agent.inspection.document import InspectionDocument
from tools.geometry import Box
from tools.mark import Mark
from tools.marks.annotate import annotate

if TYPE_CHECKING:
    from PIL import Image


def draw(inspection: InspectionDocument, images: Mapping[str, Image.Image]) -> dict[str, Image.Image]:
    """Each photo, by its hash, with its lines numbered and the regions of faults tinted.

    Args:
        images: the upright photos by the hash of their pixels.
    """
    drawn = {}
    for sha256, image in images.items():
        marks, numbers = [], []
        for number, line in enumerate(inspection.lines, start=1):
            for one in line.evidence:
                if one.photo == sha256 and one.box:
                    role = "dial" if line.kind == "gauge" else "text" if line.kind == "plate" else "region"
                    marks.append(Mark(str(number), role, line.name, Box(*one.box), "pixels"))
                    numbers.append(number)
        faults = [
            Box(*one.box)
            for fault in inspection.faults
            for one in fault.evidence
            if one.photo == sha256 and one.box
        ]
        drawn[sha256] = annotate(image, marks, evidence=faults, numbers=numbers)
    return drawn
