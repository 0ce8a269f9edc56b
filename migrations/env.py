"""Alembic's entry. Called by `chatapp.migrate` with an open connection; `alembic` itself is for writing revisions."""

from alembic import context

from chatapp.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
