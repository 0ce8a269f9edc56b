"""Calls: a room has one or none, and people are in it one tab each, for as long as their tab is heard of.

The database says who is in a call, for every process alike. A participant's place lapses `LEASE_MS` after it was last
put off, so whoever died is out of the call by then, and who is no member of the room is in none. The first to come
starts a call, the last to leave ends it, and both stand in the room's log. No media comes near this.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import func, insert, select, update

from chatapp.database import Database, Transaction
from chatapp.domain import direct, naming, policy
from chatapp.domain.commands import Committed, JoinCall, LeaveCall, Message, SettleCall
from chatapp.domain.log import add_event_of, lock_room, lock_user
from chatapp.domain.memberships import Reader, active
from chatapp.errors import Busy, Conflict
from chatapp.tables import calls, memberships, now_ms, participants, rooms, users

LEASE_MS: Final = 45_000
CALLS_MOST: Final = 500  # at a time, on one site; beyond that none can be started
NAMED_MOST: Final = 3  # in the line that says that a call has ended

_ON: Final = calls.c.ended_at.is_(None)
_IN: Final = participants.c.left_at.is_(None)


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody's tab in a call. Signals are addressed to the `token`, which outlives the tab's line; `holder` is that
    line."""

    token: str
    holder: str
    user_id: int
    name: str
    hue: int
    avatar: str | None = None


@dataclass(slots=True)
class Call:
    """A call that goes on. `started_at` in milliseconds since 1970; people in the order in which they came. A large
    one goes through the media server."""

    id: int
    room_id: int
    started_at: int
    is_large: bool = False
    people: list[Participant] = field(default_factory=list)

    def held_by(self, holder: str) -> Participant | None:
        return next((person for person in self.people if person.holder == holder), None)

    def of(self, user_id: int) -> Participant | None:
        return next((person for person in self.people if person.user_id == user_id), None)


@dataclass(frozen=True, slots=True)
class Picture:
    """All calls that go on, by room, and rooms in whose calls somebody is who is not there any more."""

    calls: dict[int, Call]
    stale: frozenset[int]


@dataclass(frozen=True, slots=True)
class Ended:
    """What the line about a call that ended tells: how long it was, and some of the people who were in it."""

    seconds: int
    people: tuple[str, ...]
    count: int

    @property
    def others(self) -> int:
        """How many are not named."""
        return max(0, self.count - len(self.people))


def ended(body: str) -> Ended:
    """From the body of a `call_ended` event."""
    found = json.loads(body)
    return Ended(found["seconds"], tuple(found["people"]), found["count"])


def _is_there() -> Any:
    """Whether a participant is still heard of, and a member of the room, and has an account."""
    return (
        (participants.c.until > now_ms())
        & memberships.c.is_active.is_(True)
        & users.c.deleted_at.is_(None)
    )


def _places() -> Any:
    return (
        calls.join(participants, (participants.c.call_id == calls.c.id) & _IN)
        .join(users, users.c.id == participants.c.user_id)
        .outerjoin(
            memberships,
            (memberships.c.room_id == calls.c.room_id)
            & (memberships.c.user_id == participants.c.user_id),
        )
    )


async def picture(reader: Reader) -> Picture:
    """Who is in which call, as of one moment."""
    rows = await reader.fetch_all(
        select(
            calls.c.id,
            calls.c.room_id,
            calls.c.started_at,
            calls.c.is_large,
            participants.c.token,
            participants.c.holder,
            participants.c.user_id,
            users.c.name,
            users.c.hue,
            users.c.avatar,
            _is_there().label("is_there"),
        )
        .select_from(_places())
        .where(_ON)
        .order_by(calls.c.id, participants.c.joined_at, participants.c.user_id)
    )
    found: dict[int, Call] = {}
    stale = set()
    for row in rows:
        if not row.is_there:
            stale.add(row.room_id)
            continue
        call = found.setdefault(row.room_id, _call_of(row))
        who = row.user_id, row.name, row.hue, row.avatar
        call.people.append(Participant(row.token, row.holder, *who))
    return Picture(found, frozenset(stale))


def _call_of(row: Any) -> Call:
    return Call(row.id, row.room_id, row.started_at, row.is_large)


async def ringing_room(reader: Reader, room_id: int, user_id: int) -> str | None:
    """The name of a room, for a member of it who wants to hear of it; None for all others."""
    found = await reader.fetch_value(
        select(naming.of_room(user_id))
        .select_from(rooms.join(memberships))
        .where(active(room_id, user_id), memberships.c.notify.in_(("all", "mentions")))
    )
    return None if found is None else str(found)


async def put_off(database: Database, holders: Sequence[str]) -> None:
    """These lines are heard of: their places lapse later. Raises what the database raises."""
    async with database.transaction() as tx:
        await tx.execute(
            update(participants)
            .where(participants.c.holder.in_(holders), _IN)
            .values(until=now_ms() + LEASE_MS)
        )


async def apply_join(tx: Transaction, command: JoinCall) -> Committed:
    """Into the room's call, or into a new one. A person's tab that was in it before gives way to this one.

    The tab that has `before` keeps it. Raises `Missing`, `Forbidden`, `Conflict` when the call is full, `Busy`.
    """
    room = await lock_room(tx, command.room_id)
    actor = await lock_user(tx, command.actor_id)
    await policy.require(tx, room.id, actor.id, "call")
    call = await _call(tx, room.id)
    messages = await _settle(tx, room, call, but=actor.id) if call else []
    if messages:  # nobody was left in it
        room, call = await lock_room(tx, room.id), None
    again: set[int] = set()
    if call is None:
        started, call_id = await _start(tx, room, actor)
        messages.append(started)
        if room.kind == "direct":  # it rings there by itself, so it must be seen
            again = await direct.show_again(tx, {room.id})
    else:
        call_id = call.id
        if await _count(tx, call_id, but=actor.id) >= command.most:
            raise Conflict("call_full", most=command.most)
    await _sit(tx, call_id, command)
    if await _count(tx, call_id) > command.direct:
        await tx.execute(update(calls).where(calls.c.id == call_id).values(is_large=True))
    return Committed(room.id, messages=messages, sidebars=again)


async def apply_leave(tx: Transaction, command: LeaveCall) -> Committed:
    """Leaving twice is leaving once. The last one ends the call. Raises `Missing`."""
    room = await lock_room(tx, command.room_id)
    call = await _call(tx, room.id)
    if call is None:
        return Committed(room.id)
    await tx.execute(
        update(participants)
        .where(
            participants.c.call_id == call.id,
            participants.c.user_id == command.actor_id,
            participants.c.holder == command.holder,
            _IN,
        )
        .values(left_at=now_ms())
    )
    return Committed(room.id, messages=await _settle(tx, room, call))


async def apply_settle(tx: Transaction, command: SettleCall) -> Committed:
    """Takes out of a room's call who is not there any more, and ends it if nobody is left. Raises `Missing`."""
    room = await lock_room(tx, command.room_id)
    call = await _call(tx, room.id)
    return Committed(room.id, messages=await _settle(tx, room, call) if call else [])


# -- steps, with the room locked ------------------------------------------------------


async def _call(tx: Transaction, room_id: int) -> Any:
    return await tx.fetch_one(select(calls).where(calls.c.room_id == room_id, _ON))


async def _count(tx: Transaction, call_id: int, but: int = 0) -> int:
    query = (
        select(func.count())
        .select_from(participants)
        .where(participants.c.call_id == call_id, participants.c.user_id != but, _IN)
    )
    return int(await tx.fetch_value(query))


async def _start(tx: Transaction, room: Any, actor: Any) -> tuple[Message, int]:
    if await tx.fetch_value(select(func.count()).select_from(calls).where(_ON)) >= CALLS_MOST:
        raise Busy("busy", 30)
    row = await tx.fetch_one(
        insert(calls).values(room_id=room.id, started_at=now_ms()).returning(calls.c.id)
    )
    return await add_event_of(tx, room, actor, "call"), int(row.id)


async def _sit(tx: Transaction, call_id: int, command: JoinCall) -> None:
    theirs = (participants.c.call_id == call_id) & (participants.c.user_id == command.actor_id)
    row = await tx.fetch_one(select(participants.c.token, participants.c.left_at).where(theirs))
    values: dict[str, Any] = {
        "holder": command.fresh,
        "until": now_ms() + LEASE_MS,
        "left_at": None,
    }
    if row is None:
        await tx.execute(
            insert(participants).values(
                call_id=call_id,
                user_id=command.actor_id,
                token=command.fresh,
                joined_at=now_ms(),
                **values,
            )
        )
        return
    if row.token != command.before or row.left_at is not None:
        values["token"] = command.fresh
    await tx.execute(update(participants).where(theirs).values(**values))


async def _settle(tx: Transaction, room: Any, call: Any, but: int = 0) -> list[Message]:
    """Takes out who is not there, except `but`, who is just coming; ends the call when nobody is left. Returns the
    line that says so."""
    gone = select(participants.c.user_id).select_from(_places()).where(calls.c.id == call.id)
    rows = await tx.fetch_all(gone.where(~func.coalesce(_is_there(), False)))
    lapsed = [row.user_id for row in rows if row.user_id != but]
    if lapsed:
        await tx.execute(
            update(participants)
            .where(participants.c.call_id == call.id, participants.c.user_id.in_(lapsed))
            .values(left_at=now_ms())
        )
    if await _count(tx, call.id):
        return []
    return [await _end(tx, room, call)]


async def _end(tx: Transaction, room: Any, call: Any) -> Message:
    """The line names who ended it: the last to go, whether they still have an account or not."""
    everybody = await tx.fetch_all(
        select(
            users.c.id,
            users.c.name,
            users.c.hue,
            users.c.avatar,
            users.c.deleted_at,
            participants.c.left_at,
            now_ms().label("now"),
        )
        .select_from(participants.join(users))
        .where(participants.c.call_id == call.id)
        .order_by(participants.c.joined_at, users.c.id)
    )
    last = max(everybody, key=lambda row: row.left_at)
    await tx.execute(update(calls).where(calls.c.id == call.id).values(ended_at=last.now))
    detail = {
        "seconds": max(0, last.left_at - call.started_at) // 1000,
        "count": len(everybody),
        "people": [row.name for row in everybody if row.deleted_at is None][:NAMED_MOST],
    }
    return await add_event_of(
        tx, room, last, "call_ended", json.dumps(detail, ensure_ascii=False, separators=(",", ":"))
    )
