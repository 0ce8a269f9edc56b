"""Rooms: finding, making, changing and deleting them."""

from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from sqlalchemy import and_, case, delete, func, insert, or_, select, update

from chatapp.database import Database, Transaction
from chatapp.domain import memberships as members
from chatapp.domain import text
from chatapp.domain.commands import (
    Committed,
    CreateRoom,
    DeleteRoom,
    Departure,
    EditRoom,
    Message,
)
from chatapp.domain.log import add_event, lock_room
from chatapp.errors import Forbidden, Invalid, Missing
from chatapp.tables import memberships, now_ms, rooms, users
from chatapp.trouble import is_conflict

PAGE: Final = 30
SHOWS: Final = ("all", "joined", "others")


@dataclass(frozen=True, slots=True)
class Room:
    """A room as its members see it. `created_at` in milliseconds since 1970."""

    id: int
    name: str
    topic: str
    owner_id: int
    created_at: int
    last_seq: int
    member_count: int


@dataclass(frozen=True, slots=True)
class BrowseRoom:
    """A line of the list of all rooms."""

    id: int
    name: str
    topic: str
    member_count: int
    last_at: int
    joined: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of rooms, and how many there are in each of `SHOWS` for the same search."""

    rooms: list[BrowseRoom]
    page: int
    pages: int
    counts: dict[str, int]


async def find(reader: members.Reader, room_id: int) -> Room:
    """Raises `Missing`."""
    row = await reader.fetch_one(select(rooms).where(rooms.c.id == room_id))
    if row is None:
        raise Missing("room_gone")
    return Room(
        row.id,
        row.name,
        row.topic,
        row.owner_id,
        row.created_at,
        row.last_seq,
        await members.count(reader, room_id),
    )


async def newest_of_user(database: Database, user_id: int) -> int | None:
    """The room of a person where something happened last."""
    found = await database.fetch_value(
        select(rooms.c.id)
        .join_from(rooms, memberships)
        .where(memberships.c.user_id == user_id, memberships.c.is_active)
        .order_by(rooms.c.last_at.desc(), rooms.c.id.desc())
        .limit(1)
    )
    return None if found is None else int(found)


async def browse(database: Database, user_id: int, *, search: str, show: str, page: int) -> Listing:
    """Rooms whose name or topic holds `search`, those whose name begins with it first."""
    key = text.search_key(search)
    mine = and_(
        memberships.c.room_id == rooms.c.id,
        memberships.c.user_id == user_id,
        memberships.c.is_active,
    )
    joined = select(memberships.c.room_id).where(mine).exists()
    wanted = (
        or_(
            rooms.c.name_key.contains(key, autoescape=True),
            rooms.c.topic_key.contains(key, autoescape=True),
        )
        if key
        else rooms.c.id > 0
    )
    row = await database.fetch_one(
        select(
            func.count().label("everything"),
            func.coalesce(func.sum(case((joined, 1), else_=0)), 0).label("joined"),
        )
        .select_from(rooms)
        .where(wanted)
    )
    counts = {
        "all": int(row.everything),
        "joined": int(row.joined),
        "others": int(row.everything) - int(row.joined),
    }
    pages = max(1, ceil(counts[show] / PAGE))
    page = min(page, pages)
    people = (
        select(func.count())
        .select_from(memberships)
        .where(memberships.c.room_id == rooms.c.id, memberships.c.is_active)
        .scalar_subquery()
    )
    query = (
        select(
            rooms.c.id,
            rooms.c.name,
            rooms.c.topic,
            rooms.c.last_at,
            people.label("member_count"),
            case((joined, 1), else_=0).label("joined"),
        )
        .where(wanted)
        .order_by(
            case((rooms.c.name_key.startswith(key, autoescape=True), 0), else_=1),
            rooms.c.name_key,
        )
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    if show != "all":
        query = query.where(joined if show == "joined" else ~joined)
    found = [
        BrowseRoom(row.id, row.name, row.topic, row.member_count, row.last_at, bool(row.joined))
        for row in await database.fetch_all(query)
    ]
    return Listing(found, page, pages, counts)


async def _name_is_free(tx: Transaction, name: str, but: int = 0) -> None:
    found = await tx.fetch_value(
        select(rooms.c.id).where(rooms.c.name_key == text.name_key(name), rooms.c.id != but)
    )
    if found is not None:
        raise Invalid({"name": "room_name_taken"})


async def apply_create(tx: Transaction, command: CreateRoom) -> Committed:
    """Makes a room with its maker as owner and first member. Raises `Invalid` for a taken name."""
    await _name_is_free(tx, command.name)
    try:
        row = await tx.fetch_one(
            insert(rooms)
            .values(
                name=command.name,
                name_key=text.name_key(command.name),
                topic=command.topic,
                topic_key=text.search_key(command.topic),
                owner_id=command.actor_id,
                created_at=now_ms(),
                last_at=now_ms(),
                last_seq=0,
                changed_seq=0,
            )
            .returning(rooms)
        )
    except Exception as error:
        if is_conflict(error):  # another process was quicker
            raise Invalid({"name": "room_name_taken"}) from None
        raise
    event = await add_event(tx, row, command.actor_id, "created")
    await tx.execute(
        insert(memberships).values(
            room_id=row.id,
            user_id=command.actor_id,
            is_active=True,
            joined_at=event.at,
            joined_seq=event.seq,
            changed_seq=event.seq,
        )
    )
    return Committed(row.id, messages=[event], sidebars={command.actor_id})


async def check_manager(reader: Any, owner_id: int, actor_id: int) -> None:
    """Owner or administrator. Raises `Forbidden`."""
    if owner_id == actor_id:
        return
    if await reader.fetch_value(select(users.c.id).where(users.c.id == actor_id, users.c.is_admin)):
        return
    raise Forbidden("not_manager")


async def apply_edit(tx: Transaction, command: EditRoom) -> Committed:
    """A new name, a new topic, or both: an event for each. Raises `Missing`, `Forbidden`, `Invalid`."""
    room = await lock_room(tx, command.room_id)
    await check_manager(tx, room.owner_id, command.actor_id)
    events: list[Message] = []
    if command.name != room.name:
        await _name_is_free(tx, command.name, but=room.id)
        events.append(await add_event(tx, room, command.actor_id, "renamed", command.name))
    if command.topic != room.topic:
        room = await lock_room(tx, room.id)
        events.append(await add_event(tx, room, command.actor_id, "topic", command.topic))
    if not events:
        return Committed(room.id)
    try:
        await tx.execute(
            update(rooms)
            .where(rooms.c.id == room.id)
            .values(
                name=command.name,
                name_key=text.name_key(command.name),
                topic=command.topic,
                topic_key=text.search_key(command.topic),
                changed_seq=events[-1].seq,
            )
        )
    except Exception as error:
        if is_conflict(error):
            raise Invalid({"name": "room_name_taken"}) from None
        raise
    return Committed(room.id, messages=events, sidebars=await members.ids(tx, room.id))


async def apply_delete(tx: Transaction, command: DeleteRoom) -> Committed:
    """The room and all in it are gone. Raises `Missing`, `Forbidden`."""
    room = await lock_room(tx, command.room_id)
    await check_manager(tx, room.owner_id, command.actor_id)
    return await erase(tx, room.id)


async def erase(tx: Transaction, room_id: int) -> Committed:
    everybody = await members.ids(tx, room_id)
    await tx.execute(delete(rooms).where(rooms.c.id == room_id))
    return Committed(
        room_id,
        departures=[Departure(room_id, None, "deleted")],
        sidebars=everybody,
    )
