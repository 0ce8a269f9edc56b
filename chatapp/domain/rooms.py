"""Rooms: finding, making, changing and deleting them."""

from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from sqlalchemy import and_, case, delete, func, insert, or_, select, update

from chatapp.database import Database, Transaction
from chatapp.domain import audit, naming, policy, text
from chatapp.domain import memberships as members
from chatapp.domain.commands import (
    Committed,
    CreateRoom,
    DeleteRoom,
    Departure,
    EditRoom,
    Message,
    ShapeRoom,
)
from chatapp.domain.log import add_event, lock_room
from chatapp.errors import Forbidden, Invalid, Missing
from chatapp.tables import memberships, now_ms, rooms, users
from chatapp.trouble import is_conflict

PAGE: Final = 30
KINDS: Final = ("open", "closed")
SHOWS: Final = ("all", "joined", "others", "archived")
SLOWEST: Final = 60 * 60  # seconds between posts


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
    kind: str
    archived_at: int | None
    is_announcement: bool
    slow_seconds: int


@dataclass(frozen=True, slots=True)
class BrowseRoom:
    """A line of the list of all rooms."""

    id: int
    name: str
    topic: str
    member_count: int
    last_at: int
    joined: bool
    kind: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of rooms, and how many there are in each of `SHOWS` for the same search."""

    rooms: list[BrowseRoom]
    page: int
    pages: int
    counts: dict[str, int]


async def find(reader: members.Reader, room_id: int, user_id: int = 0) -> Room:
    """As it is called for a reader, who MUST be allowed to know of it (`policy`). Raises `Missing`."""
    row = await reader.fetch_one(
        select(rooms, naming.of_room(user_id).label("shown")).where(rooms.c.id == room_id)
    )
    if row is None:
        raise Missing("room_gone")
    return Room(
        row.id,
        row.shown,
        row.topic,
        row.owner_id,
        row.created_at,
        row.last_seq,
        await members.count(reader, room_id),
        row.kind,
        row.archived_at,
        bool(row.is_announcement),
        row.slow_seconds,
    )


async def newest_of_user(database: Database, user_id: int) -> int | None:
    """The room of a person where something happened last."""
    found = await database.fetch_value(
        select(rooms.c.id)
        .join_from(rooms, memberships)
        .where(
            memberships.c.user_id == user_id,
            memberships.c.is_active,
            rooms.c.archived_at.is_(None),
        )
        .order_by(rooms.c.last_at.desc(), rooms.c.id.desc())
        .limit(1)
    )
    return None if found is None else int(found)


async def browse(database: Database, user_id: int, *, search: str, show: str, page: int) -> Listing:
    """Rooms that somebody may find, whose name or topic holds `search`, those whose name begins with it first."""
    key = text.search_key(search)
    mine = and_(
        memberships.c.room_id == rooms.c.id,
        memberships.c.user_id == user_id,
        memberships.c.is_active,
    )
    joined = select(memberships.c.room_id).where(mine).exists()
    wanted = policy.listed(user_id, joined)
    if key:
        wanted &= or_(
            rooms.c.name_key.contains(key, autoescape=True),
            rooms.c.topic_key.contains(key, autoescape=True),
        )
    is_archived = rooms.c.archived_at.is_not(None)
    shown = {
        "all": ~is_archived,
        "joined": joined & ~is_archived,
        "others": ~joined & ~is_archived,
        "archived": is_archived,
    }
    row = await database.fetch_one(
        select(*(func.sum(case((shown[each], 1), else_=0)).label(each) for each in SHOWS))
        .select_from(rooms)
        .where(wanted)
    )
    counts = {each: int(getattr(row, each) or 0) for each in SHOWS}
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
            rooms.c.kind,
            people.label("member_count"),
            case((joined, 1), else_=0).label("joined"),
        )
        .where(wanted, shown[show])
        .order_by(
            case((rooms.c.name_key.startswith(key, autoescape=True), 0), else_=1),
            rooms.c.name_key,
        )
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    found = [
        BrowseRoom(
            *(row.id, row.name, row.topic, row.member_count, row.last_at),
            joined=bool(row.joined),
            kind=row.kind,
        )
        for row in await database.fetch_all(query)
    ]
    return Listing(found, page, pages, counts)


async def _free_key(tx: Transaction, kind: str, name: str, but: int = 0) -> str:
    """The key of a room's name. Of open rooms, each has a name of its own; nobody learns from a name whether there is
    a closed room. Raises `Invalid`."""
    if kind != "open":
        return text.hidden_key(name)
    found = await tx.fetch_value(
        select(rooms.c.id).where(rooms.c.name_key == text.name_key(name), rooms.c.id != but)
    )
    if found is not None:
        raise Invalid({"name": "room_name_taken"})
    return text.name_key(name)


async def apply_create(tx: Transaction, command: CreateRoom) -> Committed:
    """Makes a room with its maker as owner and first member. Raises `Invalid` for a taken name, `Forbidden`."""
    if await tx.fetch_value(
        select(users.c.id).where(users.c.id == command.actor_id, users.c.is_guest)
    ):
        raise Forbidden("guest")
    key = await _free_key(tx, command.kind, command.name)
    try:
        row = await tx.fetch_one(
            insert(rooms)
            .values(
                name=command.name,
                name_key=key,
                topic=command.topic,
                topic_key=text.search_key(command.topic),
                kind=command.kind,
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
    await members.enter(tx, row.id, command.actor_id, event)
    return Committed(row.id, messages=[event], sidebars={command.actor_id})


async def apply_edit(tx: Transaction, command: EditRoom) -> Committed:
    """A new name, a new topic, or both: an event for each. Raises `Missing`, `Forbidden`, `Invalid`."""
    room = await lock_room(tx, command.room_id)
    await policy.require(tx, room.id, command.actor_id, "edit_room")
    events: list[Message] = []
    key = room.name_key
    if command.name != room.name:
        key = await _free_key(tx, room.kind, command.name, but=room.id)
        events.append(await add_event(tx, room, command.actor_id, "renamed", command.name))
        await audit.note(tx, room.id, command.actor_id, "rename", detail=command.name)
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
                name_key=key,
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


async def apply_shape(tx: Transaction, command: ShapeRoom) -> Committed:
    """Who finds a room, who may post in it and how often, whether it is only read: an event for each that changes.

    Raises `Missing`, `Forbidden`, and `Invalid` when an open room has the name already.
    """
    room = await lock_room(tx, command.room_id)
    stand = await policy.require(tx, room.id, command.actor_id, "archive")
    changes: dict[str, Any] = {}
    words: list[str] = []
    if command.is_archived is not None and command.is_archived != stand.is_archived:
        changes["archived_at"] = now_ms() if command.is_archived else None
        words.append("archived" if command.is_archived else "restored")
    if command.kind is not None and command.kind != room.kind:
        stand.require("shape")
        changes["kind"] = command.kind
        changes["name_key"] = await _free_key(tx, command.kind, room.name, but=room.id)
        words.append(command.kind)
    if command.is_announcement is not None and command.is_announcement != room.is_announcement:
        stand.require("shape")
        changes["is_announcement"] = command.is_announcement
        words.append("announcement" if command.is_announcement else "discussion")
    if command.slow_seconds is not None and command.slow_seconds != room.slow_seconds:
        stand.require("shape")
        changes["slow_seconds"] = command.slow_seconds
        words.append(f"slow {command.slow_seconds}")
    if not changes:
        return Committed(room.id)
    events = []
    for word in words:
        room = await lock_room(tx, room.id)
        events.append(await add_event(tx, room, command.actor_id, "rules", word))
        await audit.note(tx, room.id, command.actor_id, "rules", detail=word)
    changes["changed_seq"] = events[-1].seq
    try:
        await tx.execute(update(rooms).where(rooms.c.id == room.id).values(**changes))
    except Exception as error:
        if is_conflict(error):
            raise Invalid({"kind": "room_name_taken"}) from None
        raise
    return Committed(room.id, messages=events, sidebars=await members.ids(tx, room.id))


async def apply_delete(tx: Transaction, command: DeleteRoom) -> Committed:
    """The room and all in it are gone. Raises `Missing`, `Forbidden`."""
    room = await lock_room(tx, command.room_id)
    await policy.require(tx, room.id, command.actor_id, "delete_room")
    await audit.note(tx, room.id, command.actor_id, "delete_room")
    return await erase(tx, room.id)


async def erase(tx: Transaction, room_id: int) -> Committed:
    everybody = await members.ids(tx, room_id)
    await tx.execute(delete(rooms).where(rooms.c.id == room_id))
    return Committed(
        room_id,
        departures=[Departure(room_id, None, "deleted")],
        sidebars=everybody,
    )
