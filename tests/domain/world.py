"""People, rooms and messages put into a database by the rules themselves, without any door."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select

from chatapp.database import Database, Transaction
from chatapp.domain import text
from chatapp.domain.changes import APPLY
from chatapp.domain.commands import (
    Command,
    Committed,
    CreateRoom,
    JoinRoom,
    LeaveRoom,
    Message,
    PostMessage,
)
from chatapp.domain.log import lock_room
from chatapp.domain.messages import change
from chatapp.domain.posts import Outcome, apply_posts
from chatapp.domain.users import User, any_account, from_row
from chatapp.errors import Refused
from chatapp.settings import Settings
from chatapp.tables import messages, now_ms, rooms, users


@asynccontextmanager
async def opened(url: str, **given: str) -> AsyncIterator[Database]:
    """A connection to a database that has its tables."""
    database = Database(Settings.from_env({"DATABASE_URL": url, **given}))
    await database.connect()
    try:
        yield database
    finally:
        await database.disconnect()


async def person(database: Database, name: str) -> User:
    """Somebody with an account; the first is the administrator."""
    first = not await any_account(database)
    address = f"{name.lower().replace(' ', '.')}@people.example"
    async with database.transaction() as tx:
        row = await tx.fetch_one(
            insert(users)
            .values(
                name=name,
                name_key=text.name_key(name),
                name_skeleton=text.name_skeleton(name),
                email=address,
                email_key=address,
                password_hash="",
                hue=3,
                is_admin=first,
                created_at=now_ms(),
            )
            .returning(users)
        )
    return from_row(row)


async def carry_out(database: Database, command: Command) -> Committed:
    """One command in a transaction of its own."""
    async with database.transaction() as tx:
        return await APPLY[type(command)](tx, command)


async def opens(database: Database, owner: User, name: str = "Lab", *guests: User) -> int:
    """A room, and who else is in it."""
    room_id = (await carry_out(database, CreateRoom(owner.id, name, ""))).value
    for guest in guests:
        await carry_out(database, JoinRoom(guest.id, room_id))
    return room_id


async def leaves(database: Database, who: User, room_id: int) -> Committed:
    return await carry_out(database, LeaveRoom(who.id, room_id))


def a_post(
    who: User | int, room_id: int, body: str = "hello", key: str = "", reply: int = 0
) -> PostMessage:
    actor_id = who if isinstance(who, int) else who.id
    hashed = text.body_hash(body, reply)
    return PostMessage(actor_id, room_id, key or str(uuid4()), body, hashed, reply=reply)


async def store(database: Database, posts: Sequence[PostMessage]) -> list[Outcome]:
    """A batch, as the writer stores it."""
    async with database.transaction() as tx:
        return (await apply_posts(tx, posts))[0]


def codes(outcomes: Sequence[Outcome]) -> list[str]:
    """Why each post was refused, or 'stored'."""
    return [each.code if isinstance(each, Refused) else "stored" for each in outcomes]


async def says(database: Database, who: User, room_id: int, *bodies: str) -> list[Message]:
    outcomes = await store(database, [a_post(who, room_id, body) for body in bodies])
    assert all(isinstance(outcome, Message) for outcome in outcomes), outcomes
    return [outcome for outcome in outcomes if isinstance(outcome, Message)]


async def answers(
    database: Database, who: User, room_id: int, reply: int, body: str = "an answer"
) -> Message:
    """Somebody answers the message of this number."""
    (outcome,) = await store(database, [a_post(who, room_id, body, reply=reply)])
    assert isinstance(outcome, Message), outcome
    return outcome


async def changes(database: Database, room_id: int, seq: int, **values: object) -> Message:
    """A message is another one from now on."""
    async with database.transaction() as tx:
        return await change(tx, await lock_room(tx, room_id), seq, **values)


@dataclass(frozen=True, slots=True)
class Revise:
    """Stands for whatever command changes a message: other words, or (None) no words any more."""

    actor_id: int
    room_id: int
    seq: int
    body: str | None

    @staticmethod
    async def apply(tx: Transaction, command: "Revise") -> Committed:
        room = await lock_room(tx, command.room_id)
        values = (
            {"kind": "deleted", "body": "", "marks": None}
            if command.body is None
            else {"body": command.body, "edited_at": 1}
        )
        return Committed(messages=[await change(tx, room, command.seq, **values)])


async def log_of(database: Database, room_id: int) -> list[Any]:
    """All rows of a room's log, in order."""
    query = select(messages).where(messages.c.room_id == room_id).order_by(messages.c.seq)
    return list(await database.fetch_all(query))


async def assert_no_gaps(database: Database, room_id: int) -> int:
    """The numbers of a log are 1, 2, 3 … up to what its room remembers as the last, which is returned."""
    last: int = await database.fetch_value(select(rooms.c.last_seq).where(rooms.c.id == room_id))
    assert [row.seq for row in await log_of(database, room_id)] == list(range(1, last + 1))
    return last
