"""UI checks: what a page or a picture must show, with a verdict and its evidence for each expectation."""
