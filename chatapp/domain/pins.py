"""Pinned messages: what a room keeps at hand. Any member may pin and unpin, and everybody sees who pinned.

Pinning is an event of the room. So is unpinning, which shows nothing and only tells windows that the list is another.
"""

from typing import Any, Final

from sqlalchemy import func, select

from chatapp.database import Transaction
from chatapp.domain import messages
from chatapp.domain.commands import Committed, Pin
from chatapp.domain.listed import Listed, columns, listed
from chatapp.domain.log import add_event_of, lock_room, lock_user
from chatapp.domain.memberships import Reader
from chatapp.domain.reactions import to_change
from chatapp.errors import Invalid
from chatapp.tables import messages as rows
from chatapp.tables import rooms, users

PINS_MOST: Final = 100  # in a room


async def apply_pin(tx: Transaction, command: Pin) -> Committed:
    """What is as asked already takes no number. Raises `Missing`, `Forbidden`, `Refused`, `Invalid`."""
    room = await lock_room(tx, command.room_id)
    message = await to_change(tx, room.id, command.actor_id, command.seq, "pin")
    if (message.pinned_at is not None) == command.on:
        return Committed(room.id)
    if command.on and await count(tx, room.id) >= PINS_MOST:
        raise Invalid({"": "pins_full"}, most=PINS_MOST)
    me = await lock_user(tx, command.actor_id)
    pinned_at = me.now if command.on else None
    row = await messages.change(tx, room, command.seq, pinned_at=pinned_at)
    kind = "pinned" if command.on else "unpinned"
    event = await add_event_of(tx, await lock_room(tx, room.id), me, kind, str(command.seq))
    return Committed(room.id, messages=[row, event])


def _of_room(room_id: int) -> Any:
    return (rows.c.room_id == room_id) & rows.c.pinned_at.is_not(None)


async def count(reader: Reader, room_id: int) -> int:
    query = select(func.count()).select_from(rows).where(_of_room(room_id))
    return int(await reader.fetch_value(query))


async def of_room(reader: Reader, room_id: int) -> list[Listed]:
    """All of a room, what was pinned last first; at most `PINS_MOST`."""
    query = (
        select(*columns(0))
        .select_from(rows.join(users).join(rooms, rooms.c.id == rows.c.room_id))
        .where(_of_room(room_id))
        .order_by(rows.c.pinned_at.desc(), rows.c.seq.desc())
        .limit(PINS_MOST)
    )
    return [listed(row) for row in await reader.fetch_all(query)]
