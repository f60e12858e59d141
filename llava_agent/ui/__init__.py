"""The web page: a tab for each desk, over the same core as the command line."""
