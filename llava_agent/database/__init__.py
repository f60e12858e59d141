"""The product's one database: SQLite in a file by default, PostgreSQL by URL.

Rooms that keep something define their tables on `metadata`; nothing else opens a database of the product.
"""

from llava_agent.database.engine import Database, metadata
from llava_agent.database.place import default_url, open_database

__all__ = ["Database", "default_url", "metadata", "open_database"]
