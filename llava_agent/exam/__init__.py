"""Exams: benchmarks that other people made, which the product is measured on and never trained on."""
