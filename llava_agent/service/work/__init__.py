"""Background work: runs are taken from the database by workers, and survive the process that began them."""
