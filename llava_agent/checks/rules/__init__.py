"""Rule files: what a folder of photos or product images must and must not show."""
