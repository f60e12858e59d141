"""Endpoints that OpenAI's own clients can use unmodified."""
