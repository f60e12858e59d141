"""The web page: two sections over the same core as the command line."""
