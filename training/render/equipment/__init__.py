"""Photos of equipment whose every reading is known: dials, meters, nameplates, lamps, switches, labels."""

from training.render.equipment.compose import render_equipment
from training.render.equipment.crops import DialCrop, render_dial, render_dial_crop, render_not_dial
from training.render.equipment.dialspec import DialSpec
from training.render.equipment.part import Item, Scene

__all__ = [
    "DialCrop",
    "DialSpec",
    "Item",
    "Scene",
    "render_dial",
    "render_dial_crop",
    "render_equipment",
    "render_not_dial",
]
