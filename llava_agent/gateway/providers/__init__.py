"""Models outside this process."""
