"""Alembic runs this file: the revisions go over the connection that `upgrade` opened."""

from __future__ import annotations

from alembic import context

from llava_agent.database.tables import whole_metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=whole_metadata(),
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
