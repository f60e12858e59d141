"""Stages of training, in the order in which they run: contrast, align, point."""
