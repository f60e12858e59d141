"""What field staff keep: photos, records and runs in the database, their files on disk by hash."""
