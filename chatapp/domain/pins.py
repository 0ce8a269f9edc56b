"""Pinned messages: what a room keeps at hand. Any member may pin and unpin, and everybody sees who pinned.

Pinning is an event of the room. So is unpinning, which shows nothing and only tells windows that the list is another.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select

from chatapp.database import Transaction
from chatapp.domain import markup, messages
from chatapp.domain.commands import Committed, Pin
from chatapp.domain.log import add_event_of, lock_room, lock_user
from chatapp.domain.memberships import Reader
from chatapp.domain.mentions import unpacked
from chatapp.domain.reactions import to_change
from chatapp.domain.text import initials
from chatapp.errors import Invalid
from chatapp.tables import messages as rows
from chatapp.tables import users

PINS_MOST: Final = 100  # in a room
TEXT_CHARACTERS: Final = 400


@dataclass(frozen=True, slots=True)
class Pinned:
    """A pinned message, as it is now. Times in milliseconds since 1970."""

    seq: int
    author_name: str
    author_hue: int
    text: str
    at: int
    pinned_at: int

    @property
    def author_initials(self) -> str:
        return initials(self.author_name)


async def apply_pin(tx: Transaction, command: Pin) -> Committed:
    """What is as asked already takes no number. Raises `Missing`, `Forbidden`, `Refused`, `Invalid`."""
    room = await lock_room(tx, command.room_id)
    message = await to_change(tx, room.id, command.actor_id, command.seq)
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


async def of_room(reader: Reader, room_id: int) -> list[Pinned]:
    """All of a room, what was pinned last first; at most `PINS_MOST`."""
    query = (
        select(
            rows.c.seq,
            rows.c.body,
            rows.c.marks,
            rows.c.at,
            rows.c.pinned_at,
            users.c.name,
            users.c.hue,
        )
        .join_from(rows, users)
        .where(_of_room(room_id))
        .order_by(rows.c.pinned_at.desc(), rows.c.seq.desc())
        .limit(PINS_MOST)
    )
    return [
        Pinned(
            row.seq,
            row.name,
            row.hue,
            markup.to_text(row.body, unpacked(row.marks))[0][:TEXT_CHARACTERS],
            row.at,
            row.pinned_at,
        )
        for row in await reader.fetch_all(query)
    ]
