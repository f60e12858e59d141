"""A researcher's own data: conversations about images, read, checked and shown."""
