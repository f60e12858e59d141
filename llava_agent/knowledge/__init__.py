"""Manuals that the agent can look things up in: ingest, index, search, and answers with citations.

library = Library(database, embedder)          # embedder may be None: then full text alone
library.add(paths, Placed(collection="plant"))
found = Search(database, embedder).find("what does E14 mean", LOCAL)
"""
