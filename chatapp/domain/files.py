"""Files of messages: a row for each, from before its content comes until after it has gone.

    uploading   its content is on the way
    ready       it may be put into a message by who sent it; an hour later it goes
    attached    it is in message `seq`, and who may read that may have it
    gone        nobody may have it; the sweeper takes its content away, and then this row

Whoever may have a file is asked each time, by what its message and their membership are at that moment.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import exists, func, insert, or_, select, tuple_, update

from chatapp.database import Transaction
from chatapp.domain import policy
from chatapp.domain.attached import File, packed
from chatapp.domain.kept import Kept
from chatapp.domain.log import lock_user
from chatapp.domain.memberships import Reader
from chatapp.errors import Missing, TooLarge
from chatapp.reading import InWords
from chatapp.tables import deletions, files, memberships, messages, now_ms

LOOSE_MS: Final = 3600 * 1000  # that a file may wait to be sent


# -- uploading ----------------------------------------------------------------------


async def apply_begin(
    tx: Transaction, id_: str, user_id: int, room_id: int, name: str, size: int, quota: int
) -> None:
    """A row for a file that is about to come, of at most `size` bytes. `quota`: bytes that one person may have, 0 for
    any number. Raises `Missing`, `Forbidden`, `TooLarge`."""
    # two uploads of one person are counted one after another
    await lock_user(tx, user_id, alone=True)
    await policy.require(tx, room_id, user_id, "post")
    if quota and await used(tx, user_id) + size > quota:
        raise TooLarge("quota_full", most=quota // 2**20)
    await tx.execute(
        insert(files).values(
            id=id_,
            user_id=user_id,
            room_id=room_id,
            name=name,
            type="",
            size=size,
            state="uploading",
            created_at=now_ms(),
        )
    )


async def used(reader: Reader, user_id: int) -> int:
    """Bytes of somebody's files."""
    query = select(func.coalesce(func.sum(files.c.size), 0)).where(files.c.user_id == user_id)
    return int(await reader.fetch_value(query))


async def apply_ready(
    tx: Transaction, user_id: int, room_id: int, file: File, digest: bytes
) -> None:
    """Its content is stored. Raises `Missing`, `Forbidden` when they may not any more, or it took too long."""
    await policy.require(tx, room_id, user_id, "post")
    stored = await tx.execute(
        update(files)
        .where(files.c.id == file.id, files.c.state == "uploading", files.c.room_id == room_id)
        .values(
            state="ready",
            type=file.type,
            size=file.size,
            width=file.width,
            height=file.height,
            sha256=digest,
        )
    )
    if not stored.rowcount:
        raise Missing("file_gone")


async def apply_discard(tx: Transaction, user_id: int, id_: str) -> None:
    """One's own file, while it is in no message. Raises `Missing`."""
    changed = await tx.execute(
        update(files)
        .where(
            files.c.id == id_,
            files.c.user_id == user_id,
            files.c.state.in_(("uploading", "ready")),
        )
        .values(state="gone")
    )
    if not changed.rowcount:
        raise Missing("not_found")


# -- in messages --------------------------------------------------------------------

_LOOSE: Final = InWords(
    """
    SELECT id, user_id, room_id, name, type, size, width, height FROM files
    WHERE id IN (SELECT value FROM json_each(?)) AND state = 'ready' ORDER BY id""",
    """
    SELECT id, user_id, room_id, name, type, size, width, height FROM files
    WHERE id = ANY($1::text[]) AND state = 'ready' ORDER BY id FOR UPDATE""",
)
_ATTACH_SQLITE: Final = "UPDATE files SET state = 'attached', seq = ?2 WHERE id = ?1"
_ATTACH_POSTGRESQL: Final = """
    UPDATE files SET state = 'attached', seq = given.seq
    FROM unnest($1::text[], $2::bigint[]) AS given (id, seq) WHERE files.id = given.id"""


class Loose:
    """The files that posts under way name, locked; each can be put into one message."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._places: list[tuple[str, int]] = []
        self._files = {row[0]: (row[1], row[2], File(row[0], *row[3:])) for row in rows}

    def take(self, user_id: int, room_id: int, ids: Sequence[str]) -> list[File] | None:
        """None: they are not all there, theirs, and sent to this room."""
        if not ids:
            return []
        known = [self._files.get(id_) for id_ in ids]
        found = [each[2] for each in known if each is not None and each[:2] == (user_id, room_id)]
        if len(found) < len(ids):
            return None
        for file in found:
            del self._files[file.id]
        return found

    def put(self, found: Sequence[File], seq: int) -> str | None:
        """Into the message of this number. What it shows of them."""
        if not found:
            return None
        self._places += [(file.id, seq) for file in found]
        return packed(found)

    async def store(self, tx: Transaction) -> None:
        if not self._places:
            return
        if tx.is_sqlite:
            await tx.change(_ATTACH_SQLITE, self._places)
        else:
            columns = tuple(map(list, zip(*self._places, strict=True)))
            await tx.change(_ATTACH_POSTGRESQL, [columns])


async def loose(tx: Transaction, ids: Collection[str]) -> Loose:
    return Loose(await tx.ask(_LOOSE, sorted(ids)) if ids else [])


# -- serving ------------------------------------------------------------------------


async def find(reader: Reader, id_: str, user_id: int) -> tuple[File, bytes] | None:
    """A file that somebody may have at this moment, and the SHA-256 of its content."""
    row = await reader.fetch_one(
        select(files)
        .select_from(
            files.join(memberships, memberships.c.room_id == files.c.room_id).outerjoin(
                messages,
                (messages.c.room_id == files.c.room_id) & (messages.c.seq == files.c.seq),
            )
        )
        .where(
            files.c.id == id_,
            memberships.c.user_id == user_id,
            memberships.c.is_active,
            or_(
                (files.c.state == "attached") & (messages.c.kind == "message"),
                (files.c.state == "ready") & (files.c.user_id == user_id),
            ),
        )
    )
    if row is None:
        return None
    file = File(row.id, row.name, row.type, row.size, row.width, row.height)
    return file, bytes(row.sha256 or b"")


# -- the end ------------------------------------------------------------------------


async def wipe(tx: Transaction, places: Sequence[tuple[int, int]]) -> None:
    """Files of messages (room, number) that cannot come back."""
    here = tuple_(files.c.room_id, files.c.seq).in_(places)
    await tx.execute(update(files).where(here).values(state="gone"))


async def wipe_loose(tx: Transaction, user_id: int) -> None:
    """Files of somebody that are in no message."""
    await tx.execute(
        update(files)
        .where(files.c.user_id == user_id, files.c.state.in_(("uploading", "ready")))
        .values(state="gone")
    )


# What nobody may have any more, or nobody has sent.
KEPT: Final = Kept(
    files,
    or_(
        files.c.state == "gone",
        files.c.state.in_(("uploading", "ready")) & (files.c.created_at < now_ms() - LOOSE_MS),
        files.c.room_id.is_(None),
    ),
)


async def apply_settle(tx: Transaction, alone_since: int | None) -> None:
    """At a start: files of messages that were deleted by a version which knew of none. `alone_since` (milliseconds): no
    other process is there, so what was on its way before that has stopped with the process before."""
    undone = exists().where(deletions.c.room_id == files.c.room_id, deletions.c.seq == files.c.seq)
    wiped = exists().where(
        messages.c.room_id == files.c.room_id,
        messages.c.seq == files.c.seq,
        messages.c.kind == "deleted",
    )
    await tx.execute(update(files).where(wiped, ~undone).values(state="gone"))
    if alone_since is not None:
        stopped = (files.c.state == "uploading") & (files.c.created_at < alone_since)
        await tx.execute(update(files).where(stopped).values(state="gone"))
