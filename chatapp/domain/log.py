"""The room log: how a change gets its number.

A room's row holds `last_seq`. Whoever changes something that members can see locks that row, takes the next
number and stores the change, all in one transaction; so numbers have one order and no gaps.
"""

from typing import Any

from sqlalchemy import insert, select, update

from chatapp.database import Transaction
from chatapp.domain.commands import Message
from chatapp.errors import Missing, SignedOut
from chatapp.tables import messages, now_ms, rooms, users


async def lock_room(tx: Transaction, room_id: int) -> Any:
    """The room's row, held until the transaction ends. Raises `Missing`.

    `FOR NO KEY UPDATE`: a plain `FOR UPDATE` would make every insert that refers to the room wait.
    """
    row = await tx.fetch_one(
        select(rooms).where(rooms.c.id == room_id).with_for_update(key_share=True)
    )
    if row is None:
        raise Missing("room_gone")
    return row


async def add_event(
    tx: Transaction, room: Any, actor_id: int, kind: str, body: str = ""
) -> Message:
    """Writes an event into the log of a locked room. Call once per lock, or pass the row read anew."""
    actor = await tx.fetch_one(
        select(users.c.name, users.c.hue, now_ms().label("now")).where(
            users.c.id == actor_id, users.c.deleted_at.is_(None)
        )
    )
    if actor is None:  # the account ended while the command waited
        raise SignedOut("signed_out")
    seq = room.last_seq + 1
    await tx.execute(
        insert(messages).values(
            room_id=room.id,
            seq=seq,
            changed_seq=seq,
            kind=kind,
            author_id=actor_id,
            body=body,
            at=actor.now,
        )
    )
    await tx.execute(
        update(rooms).where(rooms.c.id == room.id).values(last_seq=seq, last_at=actor.now)
    )
    return Message(room.id, seq, seq, kind, actor_id, actor.name, actor.hue, None, body, actor.now)
