"""Tables of what is known from manuals. The full-text index beside them is made by `fulltext.py`."""

from __future__ import annotations

import sqlalchemy as sa

from llava_agent.database import metadata

#: A document that was read whole. `id` follows from tenant, department, collection and content, so citations
#: stay valid when a document is added again, also on another machine.
documents = sa.Table(
    "knowledge_documents",
    metadata,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("tenant", sa.String(64), nullable=False),
    sa.Column("collection", sa.String(100), nullable=False),
    sa.Column("department", sa.String(100), nullable=False),
    sa.Column("data_class", sa.String(20), nullable=False),
    sa.Column("name", sa.String(300), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("pages", sa.Integer),
    sa.Column("passages", sa.Integer, nullable=False),
    sa.Column("cut", sa.Integer, nullable=False),
    sa.Column("notes", sa.JSON, nullable=False),
    sa.Column("added", sa.DateTime(timezone=True), nullable=False),
    sa.Index("ix_knowledge_documents_tenant", "tenant", "collection"),
)

passages = sa.Table(
    "knowledge_passages",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("document", sa.ForeignKey("knowledge_documents.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("page", sa.Integer),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("heading", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.UniqueConstraint("document", "number", name="uq_knowledge_passages_document"),
)

#: Vectors of a document's passages in their order, as one array of half-precision numbers: a search reads
#: few large values faster than many small ones.
vectors = sa.Table(
    "knowledge_vectors",
    metadata,
    sa.Column("document", sa.ForeignKey("knowledge_documents.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("model", sa.String(100), primary_key=True),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
