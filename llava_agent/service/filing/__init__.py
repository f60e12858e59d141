"""Filing as the service does it: what may be sent, when it is sent, and what became of it."""
