"""Supervised decisions of our own invention: what to do on a page, what a photo says."""
