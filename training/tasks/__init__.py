"""Supervised decisions of our own invention: what to do on a simulated or rendered page, what a photo says."""
