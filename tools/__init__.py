"""What the agent can do to the world: browser, API, OCR, marks, files."""
