"""Runs migrations on the application's database, SQLite and PostgreSQL alike."""

import sqlalchemy as sa
from alembic import context
from flask import current_app

db = current_app.extensions["migrate"].db


def include_object(item, name, kind, reflected, compare_to):
    """Leave alone what the application does not declare, such as the tables of a search extension."""
    return not (kind == "table" and reflected and compare_to is None)


def render_item(kind, item, autogen_context):
    """Write plain types into migrations, so that old ones keep running when our own types change."""
    if kind == "type" and isinstance(item, sa.types.TypeDecorator) and isinstance(item.impl, sa.DateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.Enum):
        return f"sa.String({item.length})"
    return False


def run() -> None:
    """Each migration in its own transaction, so that a failed one leaves the database as it was."""
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            compare_type=True,
            transaction_per_migration=True,
            include_object=include_object,
            render_item=render_item,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
