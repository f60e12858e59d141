"""Taking a model elsewhere: other layouts of the same weights, each verified by loading it back."""
