"""What a fault test says in the end: the six counts and the screens, from journals and database; and how long it is."""

import contextlib
import json
import sqlite3
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg
import pytest

from tests.faults.driver import Crowd
from tests.support.run_folder import ROOT


def short_and_long(name: str, short: int, long: int) -> pytest.MarkDecorator:
    """The short one runs in `make test`, the long one by `make faults`."""
    cases = [
        pytest.param(short, id="short"),
        pytest.param(long, id="long", marks=pytest.mark.faults),
    ]
    return pytest.mark.parametrize(name, cases)


def tell(line: str) -> None:
    """A figure, for whoever runs pytest with -rP or -s."""
    sys.stderr.write(line + "\n")


@dataclass(frozen=True)
class Stored:
    """What the database holds of the room."""

    last_seq: int
    rows: int
    messages: dict[int, tuple[str, str]]

    def since(self, first: int) -> dict[int, tuple[str, str]]:
        return {seq: message for seq, message in self.messages.items() if seq >= first}


async def stored(database_url: str, room: int) -> Stored:
    """Read behind the server's back, by another driver than its own."""
    last = "SELECT last_seq FROM rooms WHERE id = {}"
    rows = "SELECT seq, kind, key, body FROM messages WHERE room_id = {} ORDER BY seq"
    if database_url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(unquote(urlsplit(database_url).path))) as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            number = file.execute(last.format(room)).fetchone()[0]
            found: Any = file.execute(rows.format(room)).fetchall()
    else:
        line = await asyncpg.connect(database_url.replace("+asyncpg", ""))
        try:
            number = await line.fetchval(last.format(room))
            found = [tuple(row) for row in await line.fetch(rows.format(room))]
        finally:
            await line.close()
    messages = {seq: (key, body) for seq, kind, key, body in found if kind == "message"}
    return Stored(number, len(found), messages)


@dataclass(frozen=True)
class Faults:
    """The six counts, and screens that differ from the room. All must be 0."""

    lost: int
    duplicated: int
    out_of_order: int
    gaps: int
    ghosts: int
    false_refusals: int
    wrong_screens: int


def check(crowd: Crowd, room: Stored) -> Faults:
    by_key = Counter(key for key, _ in room.messages.values())
    known = {key for key, _ in room.messages.values()}
    lost = sum(key not in known for client in crowd.clients for key in client.acked)
    out_of_order = 0
    newest: dict[str, int] = {}
    for _, (_, words) in sorted(room.messages.items()):
        sender, _, number = words.rpartition("-")
        if number.isdigit():
            out_of_order += int(number) <= newest.get(sender, -1)
            newest[sender] = int(number)
    return Faults(
        lost=lost,
        duplicated=sum(times - 1 for times in by_key.values())
        + sum(client.doubled for client in crowd.clients),
        out_of_order=out_of_order,
        gaps=room.last_seq - room.rows,
        ghosts=sum(
            room.messages.get(seq) != shown
            for client in crowd.clients
            for seq, shown in client.screen.items()
        ),
        false_refusals=sum(key in known for client in crowd.clients for key in client.refused),
        wrong_screens=sum(client.screen != room.since(client.first) for client in crowd.clients),
    )


NONE = Faults(0, 0, 0, 0, 0, 0, 0)


def keep(crowd: Crowd, folder: Path) -> None:
    """The journals as files, for whoever must find out what happened."""
    folder.mkdir(parents=True, exist_ok=True)
    for client in crowd.clients:
        lines = "\n".join(json.dumps(line) for line in client.journal)
        (folder / f"{client.name}.jsonl").write_text(lines)


async def verify(crowd: Crowd, database_url: str, strangers: int = 0) -> None:
    """Everybody comes back once more and sees exactly what is stored: their own and `strangers` other messages."""
    room = await stored(database_url, crowd.room)
    async with crowd.here():
        await crowd.settle(room.last_seq)
    found = check(crowd, room)
    if found != NONE:
        keep(crowd, ROOT / ".cache" / "journals")
    assert found == NONE
    assert len(room.messages) == strangers + sum(len(client.sent) for client in crowd.clients)
