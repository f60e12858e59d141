"""Questions about manuals with known passages: search by words, by meaning, and by both."""
