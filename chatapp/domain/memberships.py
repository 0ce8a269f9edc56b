"""Who is in which room. Coming and going takes a number of the room and stands in its log."""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import case, func, insert, select, update

from chatapp.database import Transaction
from chatapp.domain import drafts, text
from chatapp.domain.among import one_of
from chatapp.domain.commands import Committed, Departure, JoinRoom, LeaveRoom
from chatapp.domain.log import add_event, lock_room
from chatapp.domain.users import Person
from chatapp.errors import Forbidden, Missing
from chatapp.reading import InWords
from chatapp.tables import memberships, rooms, users

PAGE = 100


class Reader(Protocol):
    """The database, or a snapshot of it."""

    async def fetch_all(self, query: Any, /) -> Sequence[Any]: ...

    async def fetch_one(self, query: Any, /) -> Any: ...

    async def fetch_value(self, query: Any, /) -> Any: ...

    async def ask(self, query: InWords, *columns: list[Any]) -> Sequence[Any]: ...


def active(room_id: int, user_id: int) -> Any:
    """The row of a living membership, as a condition."""
    return (
        (memberships.c.room_id == room_id)
        & (memberships.c.user_id == user_id)
        & memberships.c.is_active
    )


async def is_member(reader: Reader, room_id: int, user_id: int) -> bool:
    query = select(memberships.c.room_id).where(active(room_id, user_id))
    return await reader.fetch_value(query) is not None


async def standing(reader: Reader, room_id: int, user_id: int) -> int:
    """The last number of a room, for a member of it. Raises `Missing`, `Forbidden`."""
    found = await standings(reader, [(room_id, user_id)])
    return last_number(found[room_id, user_id])


def last_number(standing: "Standing | None") -> int:
    """What `standing` answers, from an answer of `standings`."""
    if standing is None or standing.last_seq is None:
        raise Missing("room_gone")
    if not standing.is_member:
        raise Forbidden("not_member")
    return standing.last_seq


class Standing(NamedTuple):
    """Somebody in a room. `last_seq`: the room's last number, None when there is no such room."""

    last_seq: int | None
    is_member: bool


_STANDINGS: Final = InWords(
    """
    SELECT rooms.last_seq, memberships.user_id
    FROM json_each(?) AS given
    LEFT JOIN rooms ON rooms.id = json_extract(given.value, '$[0]')
    LEFT JOIN memberships ON memberships.room_id = rooms.id
        AND memberships.user_id = json_extract(given.value, '$[1]') AND memberships.is_active
    ORDER BY given.key""",
    """
    SELECT rooms.last_seq, memberships.user_id
    FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS given (room_id, user_id, n)
    LEFT JOIN rooms ON rooms.id = given.room_id
    LEFT JOIN memberships ON memberships.room_id = rooms.id
        AND memberships.user_id = given.user_id AND memberships.is_active
    ORDER BY given.n""",
)


async def standings(
    reader: Reader, pairs: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Standing]:
    """How each of these (room, user) stands, as of one moment."""
    rows = await reader.ask(_STANDINGS, [room for room, _ in pairs], [user for _, user in pairs])
    return {
        pair: Standing(row[0], row[1] is not None) for pair, row in zip(pairs, rows, strict=True)
    }


async def count(reader: Reader, room_id: int, search: str = "") -> int:
    """How many people are in a room, or how many of them have `search` in their name."""
    query = (
        select(func.count())
        .select_from(memberships.join(users))
        .where(memberships.c.room_id == room_id, memberships.c.is_active)
    )
    if search:
        query = query.where(_named(search))
    return int(await reader.fetch_value(query))


def _named(search: str) -> Any:
    return users.c.name_key.contains(text.search_key(search), autoescape=True)


async def ids(reader: Reader, room_id: int) -> set[int]:
    """Everybody in a room."""
    rows = await reader.fetch_all(
        select(memberships.c.user_id).where(
            memberships.c.room_id == room_id, memberships.c.is_active
        )
    )
    return {row.user_id for row in rows}


_ROOMS_OF: Final = InWords(
    """
    SELECT memberships.user_id, memberships.room_id
    FROM json_each(?) AS given
    CROSS JOIN memberships ON memberships.user_id = given.value AND memberships.is_active""",
    """
    SELECT user_id, room_id FROM memberships WHERE user_id = ANY($1::bigint[]) AND is_active""",
)


async def rooms_of(reader: Reader, user_ids: Sequence[int], most: int) -> dict[int, frozenset[int]]:
    """The rooms of each of these people, at most `most` for each."""
    found: dict[int, list[int]] = {user_id: [] for user_id in user_ids}
    for user_id, room_id in await reader.ask(_ROOMS_OF, sorted(found)):
        if len(found[user_id]) < most:
            found[user_id].append(room_id)
    return {user_id: frozenset(room_ids) for user_id, room_ids in found.items()}


async def members(
    reader: Reader,
    room_id: int,
    search: str = "",
    page: int = 1,
    ranks: Sequence[Collection[int]] = (),
) -> list[Person]:
    """The people of a room, `PAGE` at a time: those of each rank by name, then all others. `search` is part of a
    name."""
    order: list[Any] = [users.c.name_key, users.c.id]
    whens = [(one_of(users.c.id, rank), place) for place, rank in enumerate(ranks) if rank]
    if whens:
        order.insert(0, case(*whens, else_=len(ranks)))
    query = (
        select(users.c.id, users.c.name, users.c.hue, rooms.c.owner_id)
        .select_from(memberships.join(users).join(rooms, rooms.c.id == memberships.c.room_id))
        .where(memberships.c.room_id == room_id, memberships.c.is_active)
        .order_by(*order)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    if search:
        query = query.where(_named(search))
    return [
        Person(row.id, row.name, row.hue, row.id == row.owner_id)
        for row in await reader.fetch_all(query)
    ]


async def apply_join(tx: Transaction, command: JoinRoom) -> Committed:
    """Joining twice is joining once. Raises `Missing`."""
    return await let_in(tx, command.room_id, command.actor_id)


async def let_in(tx: Transaction, room_id: int, user_id: int) -> Committed:
    """Makes somebody a member, whoever may have said so. Raises `Missing`."""
    room = await lock_room(tx, room_id)
    row = await tx.fetch_one(
        select(memberships.c.is_active).where(
            memberships.c.room_id == room.id, memberships.c.user_id == user_id
        )
    )
    if row is not None and row.is_active:
        return Committed(room.id)
    event = await add_event(tx, room, user_id, "joined")
    values = {
        "is_active": True,
        "joined_at": event.at,
        "joined_seq": event.seq,
        "changed_seq": event.seq,
        "read_seq": None,
        "place_seq": None,
        "notify": "all",
    }
    if row is None:
        await tx.execute(insert(memberships).values(room_id=room.id, user_id=user_id, **values))
    else:
        await tx.execute(
            update(memberships)
            .where(memberships.c.room_id == room.id, memberships.c.user_id == user_id)
            .values(**values)
        )
    if not await is_member(tx, room.id, room.owner_id):
        # Everybody had left; whoever comes first takes it over.
        await tx.execute(update(rooms).where(rooms.c.id == room.id).values(owner_id=user_id))
    return Committed(room.id, messages=[event], sidebars={user_id})


async def apply_leave(tx: Transaction, command: LeaveRoom) -> Committed:
    """Leaving twice is leaving once. An owner's room passes to the member who joined first.

    The last member may leave: the room and its history stay, and pass to whoever joins next.
    """
    room = await lock_room(tx, command.room_id)
    departures = [Departure(room.id, command.actor_id, "left")]
    if not await is_member(tx, room.id, command.actor_id):
        return Committed(room.id, departures=departures)  # the first time may have gone unnoticed
    event = await add_event(tx, room, command.actor_id, "left")
    await tx.execute(
        update(memberships)
        .where(active(room.id, command.actor_id))
        .values(is_active=False, changed_seq=event.seq)
    )
    await drafts.forget(tx, room.id, command.actor_id)
    if room.owner_id == command.actor_id:
        heir = await oldest_member(tx, room.id)
        if heir is not None:
            await tx.execute(update(rooms).where(rooms.c.id == room.id).values(owner_id=heir))
    return Committed(
        room.id,
        messages=[event],
        departures=departures,
        sidebars={command.actor_id},
    )


async def oldest_member(reader: Reader, room_id: int) -> int | None:
    """Who joined first of those still there."""
    found = await reader.fetch_value(
        select(memberships.c.user_id)
        .where(memberships.c.room_id == room_id, memberships.c.is_active)
        .order_by(memberships.c.joined_seq)
        .limit(1)
    )
    return None if found is None else int(found)
