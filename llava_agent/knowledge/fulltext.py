"""Full-text search in the database: FTS5 with BM25 in SQLite, `tsvector` in PostgreSQL, one interface.

The index is derived: it is made at the first use, and kept by the database itself (triggers in SQLite, an
index on an expression in PostgreSQL), so a passage that goes by any way also leaves the index.
"""

from __future__ import annotations

import re

import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.errors import ToolError
from llava_agent.knowledge.tables import documents, passages

_INDEX = "knowledge_words"
_VECTOR = "setweight(to_tsvector('english', heading), 'B') || setweight(to_tsvector('english', text), 'A')"
_SQLITE = (
    f"CREATE VIRTUAL TABLE {_INDEX} USING fts5(heading, text, content='knowledge_passages',"
    " content_rowid='id', tokenize='porter unicode61 remove_diacritics 2')",
    f"CREATE TRIGGER {_INDEX}_add AFTER INSERT ON knowledge_passages BEGIN"
    f" INSERT INTO {_INDEX}(rowid, heading, text) VALUES (new.id, new.heading, new.text); END",
    f"CREATE TRIGGER {_INDEX}_remove AFTER DELETE ON knowledge_passages BEGIN"
    f" INSERT INTO {_INDEX}({_INDEX}, rowid, heading, text)"
    " VALUES ('delete', old.id, old.heading, old.text); END",
    f"INSERT INTO {_INDEX}({_INDEX}) VALUES ('rebuild')",
)
_POSTGRESQL = (f"CREATE INDEX IF NOT EXISTS {_INDEX} ON knowledge_passages USING gin (({_VECTOR}))",)

_TERM = re.compile(r"[^\W_]+(?:[-./][^\W_]+)*")
_LETTERS_DIGITS = re.compile(r"^([^\W\d_]+)[-./]?(\d+)$")
#: Words that tell nothing about what is asked.
_EMPTY = frozenset((
    "a", "an", "and", "any", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "has",
    "have", "how", "i", "if", "in", "is", "it", "its", "many", "may", "me", "much", "must", "my", "of",
    "on", "or", "our", "should", "so", "that", "the", "their", "them", "there", "this", "to", "was",
    "we", "what", "when", "where", "which", "while", "who", "why", "will", "with", "you", "your",
))  # fmt: skip


def prepare(database: Database) -> None:
    """Make the index where it is not there.

    Raises:
        ToolError: the database cannot be used, or its SQLite has no full-text search.
    """
    with database.reading() as connection:
        if _made(connection):
            return
    try:
        with database.writing() as connection:
            if not _made(connection):
                for statement in _SQLITE if database.sqlite else _POSTGRESQL:
                    connection.exec_driver_sql(statement)
    except ToolError as error:
        if "fts5" in error.what:
            raise ToolError("this SQLite has no full-text search", "use a Python built with FTS5") from error
        raise


def _made(connection: sa.Connection) -> bool:
    if connection.dialect.name == "sqlite":
        sql = "SELECT count(*) FROM sqlite_master WHERE name = :name"
    else:
        sql = "SELECT count(*) FROM pg_class WHERE relname = :name"
    return bool(connection.execute(sa.text(sql), {"name": _INDEX}).scalar_one())


def terms(words: str) -> list[str]:
    """What is looked for: the words that tell something, in small letters, each once."""
    found = [term.lower() for term in _TERM.findall(words)]
    telling = [term for term in found if term not in _EMPTY]
    return list(dict.fromkeys(telling or found))


def ranked(connection: sa.Connection, words: str, permitted: sa.ColumnElement[bool], count: int) -> list[int]:
    """Ids of the best passages among the permitted ones, the best first."""
    asked = [variant for term in terms(words) for variant in variants(term)]
    if not asked:
        return []
    if connection.dialect.name == "sqlite":
        match = " OR ".join('"' + variant.replace('"', "") + '"' for variant in asked)
        source = sa.table(_INDEX, sa.column("rowid"))
        query = (
            sa.select(passages.c.id)
            .join(documents, documents.c.id == passages.c.document)
            .join(source, source.c.rowid == passages.c.id)
            .where(sa.text(f"{_INDEX} MATCH :match"), permitted)
            .order_by(sa.text(f"bm25({_INDEX}, 0.7, 1.0)"), passages.c.id)
        )
    else:
        match = " or ".join('"' + variant.replace('"', "") + '"' for variant in asked)
        query = (
            sa.select(passages.c.id)
            .join(documents, documents.c.id == passages.c.document)
            .where(sa.text(f"({_VECTOR}) @@ websearch_to_tsquery('english', :match)"), permitted)
            .order_by(
                sa.text(f"ts_rank_cd({_VECTOR}, websearch_to_tsquery('english', :match), 1) DESC"),
                passages.c.id,
            )
        )
    return list(connection.execute(query.limit(count), {"match": match}).scalars())


def variants(term: str) -> list[str]:
    """A code is written in several ways: E14, E-14, E 14."""
    code = _LETTERS_DIGITS.match(term)
    if not code:
        return [term]
    return list(dict.fromkeys([term, f"{code[1]}{code[2]}", f"{code[1]} {code[2]}", f"{code[1]}-{code[2]}"]))
