"""The plan of a run: the goal's parts in their order, what each names on the page, and which are verified."""
