"""The model lab: what drove an answer, two models side by side, training runs and their curves."""
