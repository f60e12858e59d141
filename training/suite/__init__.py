"""Measuring a model on questions with known answers, and two models against each other."""
