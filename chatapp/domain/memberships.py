"""Who is in which room. Coming and going takes a number of the room and stands in its log."""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import case, func, insert, or_, select, update

from chatapp.database import Transaction
from chatapp.domain import audit, drafts, policy, text
from chatapp.domain.among import one_of
from chatapp.domain.commands import (
    AddMember,
    Committed,
    Departure,
    JoinRoom,
    LeaveRoom,
    Message,
)
from chatapp.domain.log import add_event, add_event_of, lock_room, lock_user
from chatapp.domain.users import Person, Status, status_columns
from chatapp.errors import Conflict, Forbidden, Invalid, Missing, Refused
from chatapp.reading import InWords
from chatapp.tables import bans, memberships, now_ms, rooms, users

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
        raise outside(standing)
    return standing.last_seq


def outside(standing: "Standing") -> Refused:
    """What somebody hears who is no member."""
    if standing.last_seq is None or not standing.is_known:
        return Missing("room_gone")
    return Forbidden("not_member")


class Standing(NamedTuple):
    """Somebody in a room. `last_seq`: the room's last number, None when there is no such room. `is_known`: they may
    know that there is one."""

    last_seq: int | None
    is_member: bool
    is_known: bool


_STANDINGS: Final = InWords(
    f"""
    SELECT rooms.last_seq, memberships.user_id,
        CASE WHEN memberships.user_id IS NULL
            THEN {policy.KNOWN.format(user="json_extract(given.value, '$[1]')")} ELSE TRUE END
    FROM json_each(?) AS given
    LEFT JOIN rooms ON rooms.id = json_extract(given.value, '$[0]')
    LEFT JOIN memberships ON memberships.room_id = rooms.id
        AND memberships.user_id = json_extract(given.value, '$[1]') AND memberships.is_active
    ORDER BY given.key""",  # noqa: S608  only constants of ours
    f"""
    SELECT rooms.last_seq, memberships.user_id,
        CASE WHEN memberships.user_id IS NULL
            THEN {policy.KNOWN.format(user="given.user_id")} ELSE TRUE END
    FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS given (room_id, user_id, n)
    LEFT JOIN rooms ON rooms.id = given.room_id
    LEFT JOIN memberships ON memberships.room_id = rooms.id
        AND memberships.user_id = given.user_id AND memberships.is_active
    ORDER BY given.n""",  # noqa: S608  only constants of ours
)


async def standings(
    reader: Reader, pairs: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Standing]:
    """How each of these (room, user) stands, as of one moment."""
    rows = await reader.ask(_STANDINGS, [room for room, _ in pairs], [user for _, user in pairs])
    return {
        pair: Standing(row[0], row[1] is not None, bool(row[2]))
        for pair, row in zip(pairs, rows, strict=True)
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


def _people(room_id: int) -> Any:
    return (
        select(
            users.c.id,
            users.c.name,
            users.c.hue,
            users.c.avatar,
            users.c.is_guest,
            memberships.c.role,
            rooms.c.owner_id,
            rooms.c.kind,
            *status_columns(),
        )
        .select_from(memberships.join(users).join(rooms, rooms.c.id == memberships.c.room_id))
        .where(memberships.c.room_id == room_id, memberships.c.is_active)
    )


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
    query = _people(room_id).order_by(*order).limit(PAGE).offset((page - 1) * PAGE)
    if search:
        query = query.where(_named(search))
    return list(map(_person, await reader.fetch_all(query)))


def _person(row: Any) -> Person:
    status = Status(row.status_emoji, row.status)
    return Person(row.id, row.name, row.hue, _role(row), status, row.avatar)


def _role(row: Any) -> str:
    """What stands beside a member's name: as `policy` has it."""
    if row.kind == "direct":
        return "member"
    if row.id == row.owner_id:
        return "owner"
    return "guest" if row.is_guest else str(row.role)


async def apply_join(tx: Transaction, command: JoinRoom) -> Committed:
    """Joining twice is joining once. Raises `Missing`, `Forbidden`."""
    room = await lock_room(tx, command.room_id)
    stand = await policy.of(tx, room.id, command.actor_id)
    if stand.is_member:
        return Committed(room.id)
    stand.require("join")
    if await is_banned(tx, room.id, command.actor_id):
        raise Forbidden("banned")
    return await _come(tx, room, command.actor_id)


async def let_in(tx: Transaction, room_id: int, user_id: int) -> Committed:
    """Makes somebody a member who has been invited; whoever is banned stays outside. Raises `Missing`."""
    room = await lock_room(tx, room_id)
    if await is_member(tx, room.id, user_id) or await is_banned(tx, room.id, user_id):
        return Committed(room.id)
    return await _come(tx, room, user_id)


async def _come(tx: Transaction, room: Any, user_id: int) -> Committed:
    event = await add_event(tx, room, user_id, "joined")
    await enter(tx, room.id, user_id, event)
    if not await is_member(tx, room.id, room.owner_id):
        # Everybody had left; whoever comes first takes it over.
        await tx.execute(update(rooms).where(rooms.c.id == room.id).values(owner_id=user_id))
    return Committed(room.id, messages=[event], sidebars={user_id})


async def is_banned(reader: Reader, room_id: int, user_id: int) -> bool:
    query = select(bans.c.user_id).where(
        bans.c.room_id == room_id,
        bans.c.user_id == user_id,
        or_(bans.c.until.is_(None), bans.c.until > now_ms()),
    )
    return await reader.fetch_value(query) is not None


async def find_member(reader: Reader, room_id: int, user_id: int) -> Person | None:
    """One person of a room."""
    row = await reader.fetch_one(_people(room_id).where(users.c.id == user_id))
    return row and _person(row)


async def apply_add(tx: Transaction, command: AddMember) -> Committed:
    """Somebody is brought in by who may do that. Adding twice is adding once. Raises `Missing`, `Forbidden`,
    `Invalid`."""
    room = await lock_room(tx, command.room_id)
    await policy.require(tx, room.id, command.actor_id, "add")
    person_id = await tx.fetch_value(
        select(users.c.id).where(
            users.c.name_key == text.search_key(command.name),
            users.c.deleted_at.is_(None),
            users.c.deactivated_at.is_(None),
        )
    )
    if person_id is None:
        raise Invalid({"name": "nobody_named"})
    if await is_member(tx, room.id, person_id):
        return Committed(room.id)
    if await is_banned(tx, room.id, person_id):
        raise Invalid({"name": "banned_person"})
    await audit.note(tx, room.id, command.actor_id, "add", person_id)
    person, actor = await lock_user(tx, person_id), await lock_user(tx, command.actor_id)
    event = await add_event_of(tx, room, person, "added", actor.name)
    await enter(tx, room.id, person_id, event)
    return Committed(room.id, messages=[event], sidebars={person_id})


async def enter(tx: Transaction, room_id: int, user_id: int, event: Message) -> None:
    """Somebody who is in no membership of this room is in it from this event on."""
    values: dict[str, Any] = {
        "is_active": True,
        "joined_at": event.at,
        "joined_seq": event.seq,
        "changed_seq": event.seq,
        "read_seq": None,
        "place_seq": None,
        "notify": "all",
        "role": "member",
    }
    again = await tx.execute(
        update(memberships)
        .where(memberships.c.room_id == room_id, memberships.c.user_id == user_id)
        .values(**values)
    )
    if not again.rowcount:
        await tx.execute(insert(memberships).values(room_id=room_id, user_id=user_id, **values))


async def apply_leave(tx: Transaction, command: LeaveRoom) -> Committed:
    """Leaving twice is leaving once. An owner's room passes to a moderator, or to the member who joined first.

    The last member may leave: the room and its history stay, and pass to whoever joins next.
    """
    stand = await policy.of(tx, command.room_id, command.actor_id)
    if stand.is_member:
        stand.require("leave")
    return await leaves(tx, command.room_id, command.actor_id, command.heir_id)


async def leaves(tx: Transaction, room_id: int, user_id: int, heir_id: int = 0) -> Committed:
    """The same, whatever the room. Raises `Missing`, and `Conflict` when the heir has gone."""
    room = await lock_room(tx, room_id)
    if not await is_member(tx, room.id, user_id):  # the first time may have gone unnoticed
        return Committed(room.id, departures=[Departure(room.id, user_id, "left")])
    if heir_id and (heir_id == user_id or not await is_member(tx, room.id, heir_id)):
        raise Conflict("heir_gone")
    event = await add_event(tx, room, user_id, "left")
    return await depart(tx, room, user_id, event, heir_id)


async def depart(
    tx: Transaction, room: Any, user_id: int, event: Message, heir_id: int = 0
) -> Committed:
    """Somebody is no member any more from this event on."""
    await tx.execute(
        update(memberships)
        .where(active(room.id, user_id))
        .values(is_active=False, changed_seq=event.seq)
    )
    await drafts.forget(tx, room.id, user_id)
    if room.owner_id == user_id:
        heir = heir_id or await heir_of(tx, room.id)
        if heir is not None:
            await tx.execute(update(rooms).where(rooms.c.id == room.id).values(owner_id=heir))
    return Committed(
        room.id,
        messages=[event],
        departures=[Departure(room.id, user_id, event.kind)],
        sidebars={user_id},
    )


async def heir_of(reader: Reader, room_id: int, but: int = 0) -> int | None:
    """Whose a room will be when its owner goes: of those still there a moderator, or else who joined first; who may not
    sign in, and a guest, only if nobody else is there."""
    found = await reader.fetch_value(
        select(memberships.c.user_id)
        .join(users, users.c.id == memberships.c.user_id)
        .where(
            memberships.c.room_id == room_id,
            memberships.c.is_active,
            memberships.c.user_id != but,
        )
        .order_by(
            case((users.c.deactivated_at.is_not(None), 2), (users.c.is_guest, 1), else_=0),
            case((memberships.c.role == "moderator", 0), else_=1),
            memberships.c.joined_seq,
        )
        .limit(1)
    )
    return None if found is None else int(found)
