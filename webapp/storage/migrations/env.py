"""Alembic's entry: runs on the connection it is handed, inside that connection's transaction."""

from alembic import context

from webapp.storage.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
