"""A record's way into another system: what is sent, the sending, and proof that it arrived."""
