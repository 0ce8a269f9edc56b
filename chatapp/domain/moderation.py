"""Keeping order in a room: roles, removing, muting and banning people, and undoing it. All of it is noted (`audit`).

Nobody does anything to the owner, moderators nothing to each other, and nobody anything to themselves.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, delete, insert, or_, select, update

from chatapp.database import Transaction
from chatapp.domain import audit, hiding, policy
from chatapp.domain import memberships as members
from chatapp.domain.commands import Committed, Message, Moderate
from chatapp.domain.log import add_event, add_event_of, lock_room, lock_user
from chatapp.domain.memberships import Reader, active
from chatapp.domain.users import Person
from chatapp.errors import Forbidden, Missing, SignedOut
from chatapp.tables import bans, memberships, now_ms, rooms, users

REASON_CHARACTERS: Final = 250
MINUTES_MOST: Final = 366 * 24 * 60
BANS_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Ban:
    """`until` in milliseconds since 1970; None: for good."""

    person: Person
    by: str
    reason: str
    at: int
    until: int | None


async def apply_moderate(tx: Transaction, command: Moderate) -> Committed:
    """Doing it twice is doing it once. Raises `Missing`, `Forbidden`."""
    room = await lock_room(tx, command.room_id)
    stand = await policy.of(tx, room.id, command.actor_id)
    stand.require("appoint" if command.action in _OF_OWNERS else "moderate")
    try:
        theirs = await policy.of(tx, room.id, command.user_id)
    except SignedOut:
        raise Missing("person_gone") from None
    if command.user_id == command.actor_id:
        raise Forbidden("not_yourself")
    if command.action not in _OF_OWNERS:
        _check_order(stand, theirs)
    return await _ACTIONS[command.action](tx, room, theirs, command)


def _check_order(stand: policy.Stand, theirs: policy.Stand) -> None:
    """Raises `Forbidden`."""
    if theirs.role == "owner":
        raise Forbidden("not_the_owner")
    if theirs.role == "moderator" and not stand.may("appoint"):
        raise Forbidden("not_each_other")


def _check_member(theirs: policy.Stand) -> None:
    """Raises `Missing`."""
    if not theirs.is_member:
        raise Missing("person_gone")


# -- roles ------------------------------------------------------------------------


async def _promote(
    tx: Transaction, room: Any, theirs: policy.Stand, command: Moderate
) -> Committed:
    _check_member(theirs)
    if theirs.role == "guest":
        raise Forbidden("guest_role")
    if theirs.role != "member":
        return Committed(room.id)
    return await _has_role(tx, room, command, "moderator")


async def _demote(tx: Transaction, room: Any, theirs: policy.Stand, command: Moderate) -> Committed:
    _check_member(theirs)
    if theirs.role != "moderator":
        return Committed(room.id)
    return await _has_role(tx, room, command, "member")


async def _has_role(tx: Transaction, room: Any, command: Moderate, role: str) -> Committed:
    await tx.execute(update(memberships).where(active(room.id, command.user_id)).values(role=role))
    return await _told(tx, room, command, role)


async def _hand_over(
    tx: Transaction, room: Any, theirs: policy.Stand, command: Moderate
) -> Committed:
    """The owner before stays as a moderator."""
    _check_member(theirs)
    if theirs.role == "owner":
        return Committed(room.id)
    if theirs.role == "guest":
        raise Forbidden("guest_role")
    await tx.execute(update(rooms).where(rooms.c.id == room.id).values(owner_id=command.user_id))
    await tx.execute(
        update(memberships).where(active(room.id, room.owner_id)).values(role="moderator")
    )
    return await _told(tx, room, command, "owner")


async def _told(tx: Transaction, room: Any, command: Moderate, role: str) -> Committed:
    """The room hears of a role."""
    await audit.note(tx, room.id, command.actor_id, command.action, command.user_id)
    event = await add_event(tx, room, command.user_id, "role", role)
    return Committed(room.id, messages=[event])


# -- silence ----------------------------------------------------------------------


async def _mute(tx: Transaction, room: Any, theirs: policy.Stand, command: Moderate) -> Committed:
    _check_member(theirs)
    until = theirs.now + 60_000 * max(1, command.minutes)
    return await _silence(tx, room, command, until, str(command.minutes))


async def _unmute(tx: Transaction, room: Any, theirs: policy.Stand, command: Moderate) -> Committed:
    if not theirs.is_member or not theirs.is_muted:
        return Committed(room.id)
    return await _silence(tx, room, command, None, "")


async def _silence(
    tx: Transaction, room: Any, command: Moderate, until: int | None, detail: str
) -> Committed:
    """Only the person and those in charge learn of it; windows hear that something is other than before."""
    await tx.execute(
        update(memberships).where(active(room.id, command.user_id)).values(muted_until=until)
    )
    await audit.note(tx, room.id, command.actor_id, command.action, command.user_id, detail)
    return Committed(room.id, messages=[await add_event(tx, room, command.actor_id, "order")])


# -- out of the room --------------------------------------------------------------


async def _remove(tx: Transaction, room: Any, theirs: policy.Stand, command: Moderate) -> Committed:
    if not theirs.is_member:
        return Committed(room.id)
    await audit.note(tx, room.id, command.actor_id, "remove", command.user_id, command.reason)
    return await members.depart(tx, room, command.user_id, await _removed(tx, room, command))


async def _removed(tx: Transaction, room: Any, command: Moderate) -> Message:
    person, actor = await lock_user(tx, command.user_id), await lock_user(tx, command.actor_id)
    return await add_event_of(tx, room, person, "removed", actor.name)


async def _ban(tx: Transaction, room: Any, theirs: policy.Stand, command: Moderate) -> Committed:
    until = theirs.now + 60_000 * command.minutes if command.minutes else None
    if theirs is policy.NOBODY:  # of a closed room: the time is not in it
        now = (await lock_user(tx, command.user_id)).now
        until = now + 60_000 * command.minutes if command.minutes else None
    await tx.execute(delete(bans).where(_of(room.id, command.user_id)))
    await tx.execute(
        insert(bans).values(
            room_id=room.id,
            user_id=command.user_id,
            by_id=command.actor_id,
            reason=command.reason,
            at=now_ms(),
            until=until,
        )
    )
    length = f"{command.minutes} {command.reason}".strip()
    await audit.note(tx, room.id, command.actor_id, "ban", command.user_id, length)
    if not theirs.is_member:
        return Committed(room.id)
    return await members.depart(tx, room, command.user_id, await _removed(tx, room, command))


async def _unban(tx: Transaction, room: Any, _theirs: policy.Stand, command: Moderate) -> Committed:
    gone = await tx.execute(delete(bans).where(_of(room.id, command.user_id)))
    if gone.rowcount:
        await audit.note(tx, room.id, command.actor_id, "unban", command.user_id)
    return Committed(room.id)


# -- what was said ----------------------------------------------------------------


async def _hide(tx: Transaction, room: Any, _theirs: policy.Stand, command: Moderate) -> Committed:
    done = await hiding.hide(tx, room, command.user_id, command.actor_id)
    return await _noted(tx, room, command, done)


async def _unhide(
    tx: Transaction, room: Any, _theirs: policy.Stand, command: Moderate
) -> Committed:
    return await _noted(tx, room, command, await hiding.bring_back(tx, room, command.user_id))


async def _noted(tx: Transaction, room: Any, command: Moderate, done: Committed) -> Committed:
    if done.messages:
        await audit.note(tx, room.id, command.actor_id, command.action, command.user_id)
    return done


_OF_OWNERS: Final = frozenset({"promote", "demote", "hand_over"})
_ACTIONS: Final[
    dict[str, Callable[[Transaction, Any, policy.Stand, Moderate], Awaitable[Committed]]]
] = {
    "promote": _promote,
    "demote": _demote,
    "hand_over": _hand_over,
    "mute": _mute,
    "unmute": _unmute,
    "remove": _remove,
    "ban": _ban,
    "unban": _unban,
    "hide": _hide,
    "unhide": _unhide,
}
ACTIONS: Final = frozenset(_ACTIONS)


# -- asking -----------------------------------------------------------------------


def _of(room_id: int, user_id: int) -> Any:
    return and_(bans.c.room_id == room_id, bans.c.user_id == user_id)


def _in_force() -> Any:
    return or_(bans.c.until.is_(None), bans.c.until > now_ms())


async def bans_of(reader: Reader, room_id: int, user_id: int | None = None) -> list[Ban]:
    """Bans of a room that are in force, the last first; all, or that of one person."""
    by = users.alias("by_user")
    query = (
        select(bans, users.c.name, users.c.hue, users.c.avatar, by.c.name.label("by_name"))
        .select_from(
            bans.join(users, users.c.id == bans.c.user_id).join(by, by.c.id == bans.c.by_id)
        )
        .where(bans.c.room_id == room_id, _in_force())
        .order_by(bans.c.at.desc(), bans.c.user_id)
        .limit(BANS_SHOWN)
    )
    if user_id is not None:
        query = query.where(bans.c.user_id == user_id)
    return [
        Ban(
            Person(row.user_id, row.name, row.hue, avatar=row.avatar),
            row.by_name,
            row.reason,
            row.at,
            row.until,
        )
        for row in await reader.fetch_all(query)
    ]
