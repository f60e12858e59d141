"""The photo desk on the page: photos in, a table linked to its regions, a record out."""
