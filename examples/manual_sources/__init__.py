"""Texts of the manuals in `examples/manuals/`, all invented, and what makes real formats of them."""
