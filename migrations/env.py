"""Alembic's entry: runs migrations on the connection that app.migrate opened."""

from alembic import context

from app.models import MODULES
from chain.sql import Base

assert MODULES  # noqa: S101 - importing them declared the tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
    # SQLite too: app.migrate opens the transaction before any statement.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
