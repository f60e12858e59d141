"""Looks at pages and pictures: what stands where, and whether a person sees it."""
