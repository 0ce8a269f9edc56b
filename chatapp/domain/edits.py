"""Editing a message: one's own, for a while. What it said before stays, and members can read it.

A message's version is the number of its former texts, 0 as it was posted. Whoever edits says which version they had
before them, so that of two windows none overwrites what it has not seen.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, insert, select

from chatapp.database import Transaction
from chatapp.domain import mentioned, mentions, messages, policy, previews
from chatapp.domain.commands import Committed, EditMessage, Message
from chatapp.domain.log import lock_room, lock_user
from chatapp.domain.memberships import Reader
from chatapp.domain.mentioned import Named
from chatapp.domain.mentions import Mark
from chatapp.errors import Conflict, Forbidden
from chatapp.tables import now_ms, revisions

VERSIONS_MOST: Final = 100  # former texts of one message


@dataclass(frozen=True, slots=True)
class Version:
    """What a message said. `n`: 0 as it was posted; `at`: since when, in milliseconds since 1970."""

    n: int
    body: str
    at: int


def check_edit(message: Message, actor_id: int, now: int, within: int) -> None:
    """`within`: seconds after posting. Raises `Forbidden`."""
    if message.author_id != actor_id:
        raise Forbidden("not_author")
    if now - message.at >= within * 1000:
        raise Forbidden("edit_late")


async def may_edit(reader: Reader, message: Message, actor_id: int, within: int) -> bool:
    """Whether a member may edit a message now, by the database's clock."""
    try:
        check_edit(message, actor_id, await reader.fetch_value(select(now_ms())), within)
    except Forbidden:
        return False
    return True


async def version(reader: Reader, room_id: int, seq: int) -> int:
    """Which version a message has."""
    query = select(func.count()).where(revisions.c.room_id == room_id, revisions.c.seq == seq)
    return int(await reader.fetch_value(query))


async def versions(reader: Reader, message: Message) -> list[Version]:
    """All that a message said, newest first. MUST be asked for members only."""
    rows = await reader.fetch_all(
        select(revisions.c.n, revisions.c.body, revisions.c.at)
        .where(revisions.c.room_id == message.room_id, revisions.c.seq == message.seq)
        .order_by(revisions.c.n.desc())
    )
    former = [Version(row.n - 1, row.body, row.at) for row in rows]
    return [Version(len(former), message.body, message.edited_at or message.at), *former]


async def apply_edit(tx: Transaction, command: EditMessage) -> Committed:
    """A new text under the room's next number. The text that is there already is no edit.

    Raises `Missing`, `Forbidden`, and `Conflict` when the message has changed since or was edited too often.
    """
    room = await lock_room(tx, command.room_id)
    me = await lock_user(tx, command.actor_id)
    stand = await policy.require(tx, room.id, me.id, "change")
    if stand.is_blocked:  # new words in an old message would be a way around
        raise Forbidden("undeliverable")
    message = await messages.living(tx, room.id, command.seq)
    check_edit(message, me.id, me.now, command.within)
    if command.body == message.body:  # it may be stored, and nobody has heard of it
        told = [(room.id, message.seq)] if message.edited_at is not None else []
        return Committed(room.id, mentioned=await mentioned.store(tx, [], told))
    known = await version(tx, room.id, message.seq)
    if known != command.base:
        raise Conflict("message_changed")
    if known >= VERSIONS_MOST:
        raise Conflict("edited_often", most=VERSIONS_MOST)
    await tx.execute(
        insert(revisions).values(
            room_id=room.id,
            seq=message.seq,
            n=known + 1,
            body=message.body,
            at=message.edited_at or message.at,
        )
    )
    named, marks = await _named(tx, command, stand)
    before = mentions.unpacked(message.marks)
    whom = (
        await mentioned.renew(tx, named, message.seq, before, marks) if before or marks else set()
    )
    changed = await messages.change(
        tx,
        room,
        message.seq,
        body=command.body,
        marks=mentions.packed(marks),
        edited_at=me.now,
        preview=await previews.after_edit(tx, message, command.body, marks),
    )
    return Committed(
        room.id,
        messages=[changed],
        mentioned={room.id: whom} if whom else {},
        linked=[changed] if changed.preview is None else [],
    )


async def _named(
    tx: Transaction, command: EditMessage, stand: policy.Stand
) -> tuple[Named, list[Mark]]:
    """Whom the new text names. Whether its author may call everybody is asked again."""
    signs = mentions.signs(command.body) if "@" in command.body else []
    may_call_all = stand.may("call_all")
    named = Named(command.room_id, command.actor_id, signs, may_call_all, command.here)
    return named, (await mentioned.find(tx, [named]))[0] if signs else []
