"""The prompt on which a copy is compared with the model."""

from __future__ import annotations

from PIL import Image


def prompt(placeholder: int) -> list[int]:
    """A few token ids that every vocabulary has, with one image among them."""
    others = [token for token in range(3, 40) if token != placeholder][:12]
    return [*others[:3], placeholder, *others[3:]]


def picture(size: int) -> Image.Image:
    """A picture with content at every place and in every channel."""
    image = Image.linear_gradient("L").resize((size, size))
    return Image.merge("RGB", (image, image.rotate(90), image.rotate(180)))
