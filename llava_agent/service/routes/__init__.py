"""The HTTP API of the photo desk: photos, inspections, records, runs."""
