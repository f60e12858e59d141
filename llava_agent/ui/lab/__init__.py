"""The model lab on the page: what drove an answer, two models side by side, training runs."""
