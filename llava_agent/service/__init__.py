"""The web service: what is kept, what runs in the background, and the HTTP API over it."""
