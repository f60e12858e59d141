"""From rendered data to the embedded weights: corpora, stages, trainer, evaluation, export."""
