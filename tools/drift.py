"""Say what the models have that the migrations do not make; exit code 1 when there is anything."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def differences() -> list[str]:
    """The differences between the models and what the migrations make of an empty database, a line each."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from flask_migrate import upgrade

    from app.factory import create_app
    from config import Config

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Config({"STEWARD_HOME": folder}))
        with app.app_context():
            database = app.extensions["sqlalchemy"]
            upgrade(directory=str(ROOT / "migrations"))
            with database.engine.connect() as connection:
                context = MigrationContext.configure(connection, opts={"compare_type": True})
                found = compare_metadata(context, database.metadata)
            database.engine.dispose()
    return [_sentence(difference) for difference in found]


def _sentence(difference: object) -> str:
    if isinstance(difference, list):  # several changes of one column
        return "; ".join(_sentence(part) for part in difference)
    assert isinstance(difference, tuple)
    return " ".join(str(part) for part in difference if part is not None)


def main() -> int:
    """Print the differences; 0 when there are none."""
    lines = differences()
    print("\n".join(lines) if lines else "Migrations match the models")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
