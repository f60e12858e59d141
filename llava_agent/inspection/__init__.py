"""Photos of equipment to a record: quality, plate fields and readings, likely faults, what to look at next.

Nothing is claimed without a region that shows it. The command line, the HTTP API and the photo desk call
`inspect_photos`.
"""
