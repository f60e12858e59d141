"""A multimodal vision-language agent: it looks at photos and screenshots, acts, and verifies."""

__version__ = "0.2.0"
