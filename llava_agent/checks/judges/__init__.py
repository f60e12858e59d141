"""One module for each family of expectations. Exact means first; a model only for `asks`."""
