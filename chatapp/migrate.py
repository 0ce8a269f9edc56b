"""Brings the schema up to date at start. Processes that start together take turns.

A database that a later version has migrated is taken as it is, so that a failed update can be taken back and old and
new processes can run side by side for a while. Hence the rule: a migration leaves the version before it working.
"""

import logging
from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from chatapp.database import Database

log = logging.getLogger(__name__)

FOLDER: Final = Path(__file__).parent.parent / "migrations"
_LOCK: Final = 7_203_518_441  # any number that nobody else locks


def configuration(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


async def migrate(database: Database) -> None:
    """Runs the missing migrations. On PostgreSQL one process at a time, by an advisory lock of the session."""
    async with database.engine.connect() as connection:
        if not database.is_sqlite:
            await connection.execute(text("SET lock_timeout = '60s'"))
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            await connection.commit()
        try:
            await connection.run_sync(_upgrade)
            await connection.commit()
        finally:
            if not database.is_sqlite:
                await connection.rollback()
                await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
                await connection.commit()
                await connection.invalidate()


def _upgrade(connection: Connection) -> None:
    config = configuration(connection)
    revision = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()  # what only reads would else count as a transaction of ours around the migrations
    scripts = _scripts()
    if revision == scripts.get_current_head():
        return
    if revision is None or revision in {each.revision for each in scripts.walk_revisions()}:
        command.upgrade(config, "head")
    else:
        log.warning("the database is of a later version: %s", revision)


@cache
def _scripts() -> ScriptDirectory:
    """What there is in `migrations/`; reading it takes longer than the rest of a start on an up-to-date database."""
    return ScriptDirectory.from_config(configuration())
