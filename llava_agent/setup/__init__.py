"""What the Makefile needs beyond pip: a browser, and the list of exact package versions."""
