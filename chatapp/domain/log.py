"""The room log: how a change gets its number.

A room's row holds `last_seq`. Whoever changes something that members can see locks that row, takes the next
number and stores the change, all in one transaction; so numbers have one order and no gaps.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import insert, select, update

from chatapp.database import Transaction
from chatapp.domain.commands import Message
from chatapp.errors import Missing, SignedOut
from chatapp.tables import facts, messages, now_ms, rooms, users


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


async def lock_site(tx: Transaction) -> None:
    """Whoever decides something about all accounts together, such as who is an administrator, takes turns."""
    await tx.fetch_all(select(facts.c.name).where(facts.c.name == "epoch").with_for_update())


async def lock_user(tx: Transaction, user_id: int, *, alone: bool = False) -> Any:
    """The row of a living account, with the database's time as `now`. Raises `SignedOut` when it has ended.

    It can neither end nor get another name until the transaction ends. `alone`: for whoever is about to do that.
    """
    row = await tx.fetch_one(
        select(users.c.id, users.c.name, users.c.hue, users.c.avatar, now_ms().label("now"))
        .where(users.c.id == user_id, users.c.deleted_at.is_(None))
        .with_for_update(read=not alone, key_share=alone, of=users)
    )
    if row is None:
        raise SignedOut("signed_out")
    return row


async def add_event(
    tx: Transaction, room: Any, actor_id: int, kind: str, body: str = ""
) -> Message:
    """Writes an event into the log of a locked room. Call once per lock, or pass the row read anew."""
    return await add_event_of(tx, room, await lock_user(tx, actor_id), kind, body)


async def add_event_of(
    tx: Transaction, room: Any, actor: Any, kind: str, body: str = ""
) -> Message:
    """The same where the actor's row (of `lock_user`, or like it) is known."""
    event = _next(room, actor, kind, body)
    await tx.execute(insert(messages), _row(event))
    await tx.execute(
        update(rooms).where(rooms.c.id == room.id).values(last_seq=event.seq, last_at=event.at)
    )
    return event


async def add_to_each(
    tx: Transaction, room_ids: Iterable[int], actor: Any, kind: str, body: str
) -> list[Message]:
    """One event in the log of each of these rooms, with three statements however many there are.

    `actor` is a row of `lock_user`. Rooms that are gone are left out. `last_at` stays: nothing happened there.
    """
    rows = await tx.fetch_all(
        select(rooms.c.id, rooms.c.last_seq)
        .where(rooms.c.id.in_(sorted(room_ids)))
        .order_by(rooms.c.id)
        .with_for_update(key_share=True)
    )
    events = [_next(row, actor, kind, body) for row in rows]
    if events:
        await tx.execute(insert(messages), list(map(_row, events)))
        await tx.execute(
            update(rooms)
            .where(rooms.c.id.in_([event.room_id for event in events]))
            .values(last_seq=rooms.c.last_seq + 1)
        )
    return events


def _next(room: Any, actor: Any, kind: str, body: str) -> Message:
    """An event under the next number of a locked room."""
    seq = room.last_seq + 1
    return Message(
        room.id,
        seq,
        seq,
        kind,
        actor.id,
        actor.name,
        actor.hue,
        None,
        body,
        actor.now,
        author_avatar=actor.avatar,
    )


def _row(event: Message) -> dict[str, Any]:
    return {
        "room_id": event.room_id,
        "seq": event.seq,
        "changed_seq": event.seq,
        "kind": event.kind,
        "author_id": event.author_id,
        "body": event.body,
        "at": event.at,
    }
