"""The web page: three sections over the same core as the command line."""
