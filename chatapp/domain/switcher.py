"""Where somebody may want to go: their rooms, rooms to join, and people who share a room with them, by what they type.

Nothing typed: their rooms, those that mention them first, then the unread, then those in which something came last.
A '#' before the name asks for rooms only, an '@' for people only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, case, func, or_, select

from chatapp.domain import policy, text, unread
from chatapp.domain.among import one_of
from chatapp.domain.fuzzy import Fit, fit, parts, pattern, typed_key, word_pattern
from chatapp.domain.memberships import Reader
from chatapp.tables import memberships, rooms, users

ROOMS_MOST: Final = 8
PEOPLE_MOST: Final = 6
LOOKED_AT: Final = (
    200  # names that the database offers, of rooms to join and of people, before they are judged
)

Parts = list[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class RoomChoice:
    id: int
    name: str
    parts: Parts
    topic: str
    unread: int
    mentions: int
    notify: str
    is_member: bool
    kind: str = "open"


@dataclass(frozen=True, slots=True)
class PersonChoice:
    """`room_id`, `room_name`: the one of the rooms shared with them in which something came last; `rooms`: how many,
    without direct ones."""

    id: int
    name: str
    parts: Parts
    hue: int
    room_id: int
    room_name: str
    rooms: int
    avatar: str | None = None

    @property
    def initials(self) -> str:
        return text.initials(self.name)


@dataclass(frozen=True, slots=True)
class Found:
    rooms: list[RoomChoice]
    people: list[PersonChoice]


async def find(reader: Reader, user_id: int, typed: str, here: int = 0) -> Found:
    """`here`: the room that is open, where nobody wants to go; 0 for none."""
    wanted = typed.strip()
    sign, rest = (wanted[0], wanted[1:]) if wanted[:1] in {"#", "@"} else ("", wanted)
    key = typed_key(rest)
    found = Found([], [])
    if sign != "@":
        found.rooms.extend(await _rooms(reader, user_id, key, here))
    if sign == "@" or (key and not sign):
        found.people.extend(await _people(reader, user_id, key))
    return found


async def _rooms(reader: Reader, user_id: int, key: str, here: int) -> list[RoomChoice]:
    """Of equal names' fits, rooms somebody is in come first, and of those the ones that call for them."""
    mine = await unread.of_user(reader, user_id)
    joined = and_(
        memberships.c.room_id == rooms.c.id,
        memberships.c.user_id == user_id,
        memberships.c.is_active,
    )
    rows = await reader.fetch_all(
        select(rooms.c.id, rooms.c.topic, rooms.c.last_at).select_from(
            rooms.join(memberships, joined)
        )
    )
    about = {row.id: row for row in rows}
    ranked: list[tuple[Any, RoomChoice]] = []
    for room in mine:
        found = fit(key, room.name)
        hidden = room.notify == "hidden" and not room.mentions and not key
        if found is None or hidden or room.id not in about:
            continue
        calls = (not room.mentions, not (room.unread and room.notify == "all"))
        order = (room.id == here, found.rank, False, *calls, found.spread, -about[room.id].last_at)
        choice = RoomChoice(
            id=room.id,
            name=room.name,
            parts=parts(room.name, found.marks),
            topic=about[room.id].topic,
            unread=room.unread,
            mentions=room.mentions,
            notify=room.notify,
            is_member=True,
            kind=room.kind,
        )
        ranked.append(((*order, room.id), choice))
    if key:
        ranked += await _others(
            reader,
            key,
            ~select(memberships.c.room_id).where(joined).exists() & policy.findable(user_id),
        )
    return [choice for _, choice in sorted(ranked, key=lambda each: each[0])[:ROOMS_MOST]]


async def _others(reader: Reader, key: str, condition: Any) -> list[tuple[Any, RoomChoice]]:
    query = _named(
        select(rooms.c.id, rooms.c.name, rooms.c.topic, rooms.c.last_at).where(condition),
        rooms.c.name_key,
        key,
    )
    ranked: list[tuple[Any, RoomChoice]] = []
    for row, found in _judged(key, await reader.fetch_all(query)):
        order = (False, found.rank, True, True, True, found.spread, -row.last_at, row.id)
        shown = parts(row.name, found.marks)
        ranked.append((order, RoomChoice(row.id, row.name, shown, row.topic, 0, 0, "all", False)))
    return ranked


async def _people(reader: Reader, user_id: int, key: str) -> list[PersonChoice]:
    mine, theirs = memberships.alias("mine"), memberships.alias("theirs")
    shared = and_(
        theirs.c.room_id == mine.c.room_id,
        theirs.c.is_active,
        mine.c.user_id == user_id,
        mine.c.is_active,
    )
    query = _named(
        select(users.c.id, users.c.name, users.c.hue, users.c.avatar).where(
            users.c.id != user_id,
            select(theirs.c.user_id).where(shared, theirs.c.user_id == users.c.id).exists(),
        ),
        users.c.name_key,
        key,
    )
    judged = sorted(
        _judged(key, await reader.fetch_all(query)),
        key=lambda each: (each[1].rank, each[1].spread, text.name_key(each[0].name), each[0].id),
    )[:PEOPLE_MOST]
    together = await reader.fetch_all(
        select(theirs.c.user_id, rooms.c.id, rooms.c.name, rooms.c.kind)
        .select_from(theirs.join(mine, shared).join(rooms, rooms.c.id == theirs.c.room_id))
        .where(one_of(theirs.c.user_id, [row.id for row, _ in judged]))
        .order_by(case((rooms.c.kind == "direct", 1), else_=0), rooms.c.last_at.desc(), rooms.c.id)
    )
    choices = []
    for row, found in judged:
        common = [each for each in together if each.user_id == row.id]
        if common:
            first = common[0]
            shown = parts(row.name, found.marks)
            rooms_of = sum(each.kind != "direct" for each in common)
            choices.append(
                PersonChoice(
                    row.id, row.name, shown, row.hue, first.id, first.name, rooms_of, row.avatar
                )
            )
    return choices


def _named(query: Any, column: Any, key: str) -> Any:
    """Those whose name may fit, the likeliest first."""
    likely = or_(
        column.like(pattern(key), escape="\\"), column.like(word_pattern(key), escape="\\")
    )
    return (
        query.where(likely)
        .order_by(
            case(
                (column.startswith(key, autoescape=True), 0),
                (column.contains(key, autoescape=True), 1),
                else_=2,
            ),
            func.length(column),
            column,
        )
        .limit(LOOKED_AT)
    )


def _judged(key: str, rows: Sequence[Any]) -> list[tuple[Any, Fit]]:
    judged = ((row, fit(key, row.name)) for row in rows)
    return [(row, found) for row, found in judged if found is not None]
