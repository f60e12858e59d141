"""Marks: candidate regions from a page's own structure, or from pixels alone."""
