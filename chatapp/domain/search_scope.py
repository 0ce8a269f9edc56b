"""Where a search looks and whose words it looks for: the names in its filters, as rooms and accounts."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from chatapp.domain import naming, text
from chatapp.domain.memberships import Reader
from chatapp.domain.search_query import Query
from chatapp.tables import memberships, rooms, search_rooms, users

AUTHORS_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Room:
    name: str
    last: int
    known: int  # up to this number its messages have ids


async def rooms_of(reader: Reader, user_id: int, query: Query) -> dict[int, Room]:
    """The asker's rooms, or those of them that were named: of exactly this name, or else with it in theirs."""
    rows = await reader.fetch_all(
        select(
            rooms.c.id,
            naming.of_room(user_id).label("name"),
            rooms.c.last_seq,
            search_rooms.c.seq,
        )
        .select_from(
            memberships.join(rooms, rooms.c.id == memberships.c.room_id).outerjoin(
                search_rooms, search_rooms.c.room_id == rooms.c.id
            )
        )
        .where(memberships.c.user_id == user_id, memberships.c.is_active)
    )
    chosen = rows
    if query.rooms:
        keys = {row.id: text.name_key(row.name) for row in rows}
        chosen = [row for row in rows if keys[row.id] in query.rooms] or [
            row for row in rows if any(name in keys[row.id] for name in query.rooms)
        ]
    return {row.id: Room(row.name, row.last_seq, row.seq or 0) for row in chosen}


async def authors_of(reader: Reader, user_id: int, query: Query) -> list[int]:
    """Accounts with one of the names, or else with a word of theirs that begins so."""
    chosen: set[int] = set()
    for name in query.authors:
        if name == "me":
            chosen.add(user_id)
            continue
        begins = users.c.name_key.startswith(name, autoescape=True)
        later = users.c.name_key.contains(f" {name}", autoescape=True)
        for condition in (users.c.name_key == name, begins | later):
            some = select(users.c.id).where(condition).order_by(users.c.id).limit(AUTHORS_MOST)
            if ids := [row.id for row in await reader.fetch_all(some)]:
                chosen.update(ids)
                break
    return sorted(chosen)
