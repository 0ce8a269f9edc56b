"""What those in charge of rooms did, for whoever is in charge: who, when, to whom. No words of messages.

Written in the transaction of what was done. It outlives the room. Of closed rooms, the site's administrator who is in
none of them reads what was done and by whom, and neither the room's name nor its number nor any detail.
"""

from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import and_, insert, select

from chatapp.database import Transaction
from chatapp.tables import audit, memberships, now_ms, rooms, users

PAGE: Final = 50
SITE: Final = (
    0  # in the place of a room: what was done about the site as a whole, for its administrators
)


class Reader(Protocol):
    async def fetch_all(self, query: Any, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """`room_id` None: the reader may not know which room. `person`: to whom it was done, '' for nobody."""

    id: int
    at: int
    action: str
    by: str
    person: str
    detail: str
    room_id: int | None
    room_name: str


@dataclass(frozen=True, slots=True)
class Entries:
    """Newest first. `older`: the number to ask for what is before, None at the end."""

    entries: list[Entry]
    older: int | None


async def note(
    tx: Transaction,
    room_id: int,
    by_id: int,
    action: str,
    user_id: int | None = None,
    detail: str = "",
) -> None:
    """`action` is a code; its words stand in templates/rooms/_audit.html."""
    await tx.execute(
        insert(audit).values(
            room_id=room_id,
            at=now_ms(),
            action=action,
            by_id=by_id,
            user_id=user_id,
            detail=detail,
        )
    )


async def of_room(reader: Reader, room_id: int, before: int | None) -> Entries:
    """For who may read it (`policy`)."""
    return await _entries(reader, 0, before, room_id)


async def of_site(reader: Reader, user_id: int, before: int | None) -> Entries:
    """Of all rooms, for the site's administrator."""
    return await _entries(reader, user_id, before)


async def _entries(
    reader: Reader, user_id: int, before: int | None, room_id: int | None = None
) -> Entries:
    by, person = users.alias("by_user"), users.alias("person")
    query = (
        select(
            audit,
            by.c.name.label("by_name"),
            person.c.name.label("person_name"),
            rooms.c.name.label("room_name"),
            rooms.c.kind,
            memberships.c.user_id.label("member_id"),
        )
        .select_from(
            audit.join(by, by.c.id == audit.c.by_id)
            .outerjoin(person, person.c.id == audit.c.user_id)
            .outerjoin(rooms, rooms.c.id == audit.c.room_id)
            .outerjoin(
                memberships,
                and_(
                    memberships.c.room_id == audit.c.room_id,
                    memberships.c.user_id == user_id,
                    memberships.c.is_active,
                ),
            )
        )
        .order_by(audit.c.id.desc())
        .limit(PAGE + 1)
    )
    if room_id is not None:
        query = query.where(audit.c.room_id == room_id)
    if before is not None:
        query = query.where(audit.c.id < before)
    rows = await reader.fetch_all(query)
    found = [_entry(row, is_open=room_id is not None or _is_open(row)) for row in rows[:PAGE]]
    return Entries(found, found[-1].id if len(rows) > PAGE else None)


def _is_open(row: Any) -> bool:
    return row.room_id == SITE or row.kind == "open" or row.member_id is not None


def _entry(row: Any, *, is_open: bool) -> Entry:
    return Entry(
        row.id,
        row.at,
        row.action,
        row.by_name,
        row.person_name or "",
        row.detail if is_open else "",
        row.room_id if is_open else None,
        (row.room_name or "") if is_open else "",
    )
