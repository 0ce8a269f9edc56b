"""Deleting a message: what it said goes, its place in the room stays.

For `UNDO_SECONDS` by the database's clock its deleter may take it back: what comes back lies in `deletions`; former
texts, files, and who reacted, stay in their tables, where nobody can read them. `wipe` ends that. A message that was
deleted counts for nobody as unread and names nobody.
"""

from typing import Any, Final

import msgspec
from sqlalchemy import delete, insert, select, tuple_

from chatapp.database import Transaction
from chatapp.domain import (
    audit,
    files,
    messages,
    policy,
    previews,
    quotes,
    search_index,
    threads,
)
from chatapp.domain.commands import Committed, DeleteMessage, Message, RestoreMessage
from chatapp.domain.log import lock_room, lock_user
from chatapp.domain.memberships import Reader
from chatapp.errors import Conflict, Missing
from chatapp.tables import deletions, mentions, now_ms, reactions, revisions

UNDO_SECONDS: Final = 10
_TOGETHER: Final = 400  # rows in one statement


class _Kept(msgspec.Struct):
    """What a restored message gets back. `mentions`: users, and whether they had cleared it."""

    body: str
    marks: str | None
    edited_at: int | None
    reactions: str | None
    pinned_at: int | None
    mentions: list[tuple[int, bool]]
    files: str | None = None
    preview: str | None = None


async def _asked(
    tx: Transaction, command: DeleteMessage | RestoreMessage
) -> tuple[Any, Any, policy.Stand, Message]:
    """The room and the actor, locked, how they stand, and the message, there or deleted. Raises `Missing`,
    `Forbidden`."""
    room = await lock_room(tx, command.room_id)
    me = await lock_user(tx, command.actor_id)
    stand = await policy.require(tx, room.id, me.id, "read")
    message = await messages.find(tx, room.id, command.seq)
    if message is None or message.kind not in quotes.ANSWERABLE:
        raise Missing("message_gone")
    return room, me, stand, message


async def _committed(tx: Transaction, changed: Message) -> Committed:
    """What a message that went or came back changes: itself, and the thread that it stands in."""
    shown = [changed]
    if changed.thread_seq is not None:
        room = await lock_room(tx, changed.room_id)
        shown.append(await threads.count_again(tx, room, changed.thread_seq))
    return Committed(changed.room_id, messages=shown, recounted={changed.room_id})


async def apply_delete(tx: Transaction, command: DeleteMessage) -> Committed:
    """Deleting twice is deleting once. Raises `Missing`, `Forbidden`."""
    room, me, stand, message = await _asked(tx, command)
    stand.require("change" if message.author_id == me.id else "delete")
    if message.kind == "deleted":
        mine = await may_restore(tx, room.id, message.seq, me.id)  # nobody may have heard of it
        return Committed(room.id, recounted={room.id} if mine else set())
    if message.author_id != me.id:
        author, seq = message.author_id, str(message.seq)
        await audit.note(tx, room.id, me.id, "delete", author, seq)
    return await take_away(tx, room, message, me.id, me.now + UNDO_SECONDS * 1000)


async def take_away(
    tx: Transaction, room: Any, message: Message, by_id: int, until: int
) -> Committed:
    """What a message says goes, and can be brought back until a time. `room` as it is now, locked."""
    named = (mentions.c.room_id == room.id) & (mentions.c.seq == message.seq)
    rows = await tx.fetch_all(select(mentions.c.user_id, mentions.c.is_cleared).where(named))
    kept = _Kept(
        message.body,
        message.marks,
        message.edited_at,
        message.reactions,
        message.pinned_at,
        [(row.user_id, bool(row.is_cleared)) for row in rows],
        message.files,
        message.preview,
    )
    await previews.forget(tx, message)
    await tx.execute(delete(mentions).where(named))
    await tx.execute(
        insert(deletions).values(
            room_id=room.id,
            seq=message.seq,
            by_id=by_id,
            until=until,
            kept=msgspec.json.encode(kept).decode(),
        )
    )
    changed = await messages.change(
        tx,
        room,
        message.seq,
        kind="deleted",
        body="",
        marks=None,
        edited_at=None,
        reactions=None,
        pinned_at=None,
        files=None,
        preview=None,
    )
    return await _committed(tx, changed)


async def apply_restore(tx: Transaction, command: RestoreMessage) -> Committed:
    """Restoring twice is restoring once. Raises `Missing`, `Forbidden`, and `Conflict` when it is too late."""
    room, me, _, message = await _asked(tx, command)
    if message.kind == "message":
        return Committed(room.id)
    row = (
        await tx.execute(  # whoever wipes at this moment has it, or we do
            delete(deletions)
            .where(
                deletions.c.room_id == room.id,
                deletions.c.seq == message.seq,
                deletions.c.by_id == me.id,
                deletions.c.until > now_ms(),
            )
            .returning(deletions.c.kept)
        )
    ).fetchone()
    if row is None:
        raise Conflict("restore_over")
    return await bring_back(tx, room, message.seq, row.kept)


async def bring_back(tx: Transaction, room: Any, seq: int, text: str) -> Committed:
    """`text`: what was `kept`. `room` as it is now, locked."""
    kept = msgspec.json.decode(text, type=_Kept)
    await search_index.note_return(tx, room.id, seq)
    if kept.mentions:
        await tx.execute(
            insert(mentions),
            [
                {"room_id": room.id, "seq": seq, "user_id": who, "is_cleared": cleared}
                for who, cleared in kept.mentions
            ],
        )
    changed = await messages.change(
        tx,
        room,
        seq,
        kind="message",
        body=kept.body,
        marks=kept.marks,
        edited_at=kept.edited_at,
        reactions=kept.reactions,
        pinned_at=kept.pinned_at,
        files=kept.files,
        preview=kept.preview,
    )
    return await _committed(tx, changed)


async def may_restore(reader: Reader, room_id: int, seq: int, actor_id: int) -> bool:
    """Whether somebody deleted a message a moment ago."""
    query = select(deletions.c.seq).where(
        deletions.c.room_id == room_id,
        deletions.c.seq == seq,
        deletions.c.by_id == actor_id,
        deletions.c.until > now_ms(),
    )
    return await reader.fetch_value(query) is not None


# -- the end of it ------------------------------------------------------------------


async def have_lapsed(reader: Reader) -> bool:
    """Whether there is anything to wipe."""
    query = select(deletions.c.seq).where(deletions.c.until <= now_ms()).limit(1)
    return await reader.fetch_value(query) is not None


async def wipe(tx: Transaction) -> set[int]:
    """Everything there was of messages whose time is over. Returns the rooms they were in."""
    lapsed = delete(deletions).where(deletions.c.until <= now_ms())
    rows = (await tx.execute(lapsed.returning(deletions.c.room_id, deletions.c.seq))).fetchall()
    gone = [(row.room_id, row.seq) for row in rows]
    for start in range(0, len(gone), _TOGETHER):
        some = gone[start : start + _TOGETHER]
        for table in (revisions, reactions):
            of_messages = tuple_(table.c.room_id, table.c.seq).in_(some)
            await tx.execute(delete(table).where(of_messages))
        await files.wipe(tx, some)
    return {room_id for room_id, _ in gone}
