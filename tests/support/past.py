"""A past that nobody has to live through: messages written straight into SQLite, said whenever a test likes."""

import contextlib
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urlsplit
from uuid import uuid4

FIRST = datetime(2025, 5, 5, 9, tzinfo=UTC)


def say_long_ago(database_url: str, room: str, texts: Iterable[str]) -> None:
    """The owner of the room with this path said all this long ago, a second apart."""
    said = [(FIRST + timedelta(seconds=n), words) for n, words in enumerate(texts)]
    remember(database_url, int(room.rsplit("/", 1)[1]), said)


def remember(database_url: str, room: int, said: Iterable[tuple[datetime, str]]) -> None:
    """The room's owner said all this, in this order; what the room knows already was not later. Whoever has the page
    open learns of it by the next change."""
    with contextlib.closing(sqlite3.connect(unquote(urlsplit(database_url).path))) as file, file:
        find = "SELECT owner_id, last_seq FROM rooms WHERE id = ?"
        author, last = file.execute(find, (room,)).fetchone()
        rows = [
            (room, seq, seq, author, str(uuid4()), words, round(at.timestamp() * 1000))
            for seq, (at, words) in enumerate(said, last + 1)
        ]
        file.execute("UPDATE messages SET at = min(at, ?) WHERE room_id = ?", (rows[0][-1], room))
        file.executemany(
            "INSERT INTO messages (room_id, seq, changed_seq, kind, author_id, key, body, at)"
            " VALUES (?, ?, ?, 'message', ?, ?, ?, ?)",
            rows,
        )
        update = "UPDATE rooms SET last_seq = ?, last_at = ? WHERE id = ?"
        file.execute(update, (last + len(rows), rows[-1][-1], room))
