"""`python -m chatapp.sqlite_backup backup|restore FILE`: what `deploy/backup.sh` and `restore.sh` do with SQLite.

A backup may be taken while people talk: it holds all of one moment. Putting one back needs the server stopped.
"""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from chatapp.settings import SettingError, Settings
from chatapp.sqlite_file import AlreadyOpen, SqliteFile


class Impossible(Exception):
    """Nothing was changed; the text says why."""


def backup(database: Path, file: Path) -> None:
    """A copy as of this moment, in one file without a log beside it. Raises `Impossible`."""
    if not database.is_file():
        raise Impossible(f"There is no database {database}.")
    with closing(sqlite3.connect(database)) as source:
        source.execute("VACUUM INTO ?", (str(file),))
    with file.open("rb") as copy:
        os.fsync(copy.fileno())


def restore(database: Path, file: Path) -> None:
    """All or nothing: the database is written over in one transaction. Raises `Impossible`."""
    held = SqliteFile(database)
    try:
        held.hold()
    except AlreadyOpen:
        raise Impossible(f"chatapp is running on {database}: stop it first.") from None
    try:
        with closing(_opened(file)) as source, closing(sqlite3.connect(held.path)) as target:
            _check(source, file)
            source.backup(target)
    finally:
        held.let_go()


def _opened(file: Path) -> sqlite3.Connection:
    if not file.is_file():
        raise Impossible(f"There is no file {file}.")
    return sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)


def _check(source: sqlite3.Connection, file: Path) -> None:
    """Whether it is whole, and one of ours."""
    try:
        is_whole = source.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        source.execute("SELECT value FROM facts")
    except sqlite3.DatabaseError:
        is_whole = False
    if not is_whole:
        raise Impossible(f"{file} is no whole backup of a chatapp on SQLite.")


def main(arguments: list[str]) -> int:
    try:
        work = {"backup": backup, "restore": restore}[arguments[0]]
        settings = Settings.from_env(os.environ)
        if not settings.is_sqlite:
            raise Impossible("DATABASE_URL names no SQLite database.")
        path = settings.sqlite_path
        work(path, Path(arguments[1]).absolute())
    except (Impossible, SettingError, OSError, sqlite3.Error) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
