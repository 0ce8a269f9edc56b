"""Links that let people in: into the site, and into rooms. Of each only the hash is stored.

An invitation is worth what its maker may do at that moment: who is no administrator, or no moderator of a room any
more, has no good links there any more either. Unknown, used up, expired and revoked are the same `Missing`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, or_, select, true, update

from chatapp.database import Database, Transaction
from chatapp.domain import audit, text, users
from chatapp.domain import memberships as members
from chatapp.domain.commands import AcceptInvitation, Committed
from chatapp.domain.users import Person, User
from chatapp.errors import Checks, Forbidden, Invalid, Missing, Refused
from chatapp.security import new_token, token_hash
from chatapp.tables import invitation_rooms, invitations, memberships, now_ms, rooms
from chatapp.tables import users as people

DAY_MS: Final = 24 * 60 * 60 * 1000
DAYS: Final = (1, 7, 30, 90)
USES_MOST: Final = 1000
ROOMS_MOST: Final = 40
OPEN_MOST: Final = 100  # that somebody has at once
KEPT_MS: Final = 30 * DAY_MS  # what is over is listed for so long, until its maker makes another
LISTED_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A room that an invitation leads to."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants an invitation to be."""

    note: str
    is_guest: bool
    days: int
    uses: int
    room_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Offer:
    """A good invitation, as whoever has its link sees it."""

    maker: Person
    places: tuple[Place, ...]
    is_guest: bool
    expires_at: int


@dataclass(frozen=True, slots=True)
class Listed:
    """An invitation in the list of who may revoke it. `state`: open, used, expired or revoked."""

    id: int
    note: str
    maker: Person
    is_guest: bool
    places: tuple[str, ...]
    uses: int
    uses_most: int
    expires_at: int
    state: str


# -- what is good -----------------------------------------------------------------


def _is_open() -> ColumnElement[bool]:
    return and_(
        invitations.c.revoked_at.is_(None),
        invitations.c.expires_at > now_ms(),
        invitations.c.uses < invitations.c.uses_most,
    )


def _may_lead_to(user: Any) -> ColumnElement[bool]:
    """Whether `user` (a row of `people`) may invite into a room: as `policy` has it for bringing somebody in."""
    mine = memberships.alias()
    leads = or_(rooms.c.owner_id == user.c.id, mine.c.role == "moderator", user.c.is_admin)
    return and_(
        rooms.c.kind != "direct",
        rooms.c.archived_at.is_(None),
        or_(
            and_(user.c.is_admin, rooms.c.kind == "open"),
            exists().where(
                mine.c.room_id == rooms.c.id, mine.c.user_id == user.c.id, mine.c.is_active, leads
            ),
        ),
    )


def _is_active(user: Any) -> ColumnElement[bool]:
    return and_(user.c.deleted_at.is_(None), user.c.deactivated_at.is_(None), ~user.c.is_guest)


async def places_of(
    reader: members.Reader, user_id: int, also: Collection[int] = (), most: int = LISTED_MOST
) -> list[Place]:
    """The rooms that somebody may invite into, by name: those in `also` in any case, and up to `most`."""
    rows = await reader.fetch_all(
        select(rooms.c.id, rooms.c.name)
        .join(people, people.c.id == user_id)
        .where(_may_lead_to(people), _is_active(people))
        .order_by(rooms.c.id.in_(sorted(also)).desc(), rooms.c.name_key)
        .limit(most)
    )
    return [Place(row.id, row.name) for row in rows]


async def _good(reader: members.Reader, hashed: str) -> tuple[Any, list[Place]]:
    """An invitation that lets somebody in now, with its maker, and the rooms. Raises `Missing`."""
    row = await reader.fetch_one(
        select(invitations, people.c.name, people.c.hue, people.c.is_admin)
        .join(people, people.c.id == invitations.c.made_by)
        .where(invitations.c.token_hash == hashed, _is_open(), _is_active(people))
    )
    if row is None:
        raise Missing("invitation_over")
    found = await reader.fetch_all(
        select(rooms.c.id, rooms.c.name)
        .join(invitation_rooms, invitation_rooms.c.room_id == rooms.c.id)
        .join(people, people.c.id == row.made_by)
        .where(invitation_rooms.c.invitation_id == row.id, _may_lead_to(people))
        .order_by(rooms.c.id)
    )
    if not (found or row.is_admin):  # only administrators invite into the site as such
        raise Missing("invitation_over")
    return row, [Place(each.id, each.name) for each in found]


async def offer(reader: members.Reader, token: str) -> Offer:
    """Looking at a link uses nothing up. Raises `Missing`."""
    row, places = await _good(reader, token_hash(token))
    maker = Person(row.made_by, row.name, row.hue)
    return Offer(maker, tuple(places), row.is_guest, row.expires_at)


# -- using one ----------------------------------------------------------------------


async def apply_accept(tx: Transaction, command: AcceptInvitation) -> Committed:
    """Into all rooms of an invitation but those that somebody is banned from, by one use of it; who is in all of them
    already uses none.

    `value` is who came. Raises `Missing`, and for newcomers `Invalid`.
    """
    row, places = await _good(tx, command.token_hash)
    user_id = command.actor_id
    if command.newcomer is not None:
        user_id = (
            await users.register(tx, command.newcomer, is_invited=True, is_guest=row.is_guest)
        ).id
    else:
        others = [each for each in places if not await members.is_member(tx, each.id, user_id)]
        if not others:
            return Committed(user_id)
        places = [each for each in others if not await members.is_banned(tx, each.id, user_id)]
        if not places:
            raise Missing("invitation_over")
    used = await tx.execute(
        update(invitations)
        .where(invitations.c.id == row.id, _is_open())
        .values(uses=invitations.c.uses + 1)
    )
    if not used.rowcount:
        raise Missing("invitation_over")
    done = Committed(user_id)
    for each in places:  # by number: one order for everybody
        joined = await members.let_in(tx, each.id, user_id)
        done.messages += joined.messages
        done.sidebars |= joined.sidebars
    return done


# -- making, listing, revoking ------------------------------------------------------


def wanted(*, note: str, role: str, days: str, uses: str, room_ids: Sequence[str]) -> Wanted:
    """What was typed. Raises `Invalid`."""
    shown = ""
    with Checks() as checks:
        with checks.next():
            shown = _note(note)
        with checks.next():
            if role not in {"member", "guest"}:
                raise Invalid({"role": "role_unknown"})
        with checks.next():
            if days not in map(str, DAYS):
                raise Invalid({"days": "days_unknown"})
        with checks.next():
            is_number = uses.isascii() and uses.isdigit() and len(uses) < 10
            if not (is_number and 0 < int(uses) <= USES_MOST):
                raise Invalid({"uses": "uses_invalid"})
        with checks.next():
            if len(room_ids) > ROOMS_MOST:
                raise Invalid({"rooms": "rooms_many"})
        with checks.next():
            if not all(each.isascii() and each.isdigit() and len(each) < 16 for each in room_ids):
                raise Invalid({"rooms": "room_gone"})
    return Wanted(shown, role == "guest", int(days), int(uses), frozenset(map(int, room_ids)))


def _note(typed: str) -> str:
    try:
        return text.topic(typed)
    except Invalid:
        raise Invalid({"note": "note_invalid"}) from None


async def make(database: Database, maker: User, what: Wanted) -> str:
    """A new invitation's token, which is told to nobody again. Raises `Forbidden`, `Missing`, `Invalid`."""
    token = new_token()
    async with database.transaction() as tx:
        may = await tx.fetch_one(
            select(people.c.is_admin)
            .where(people.c.id == maker.id, _is_active(people))
            .with_for_update()
        )
        if may is None:
            raise Forbidden("may_not_invite")
        if not what.room_ids and not may.is_admin:
            raise Invalid({"rooms": "rooms_none"})
        allowed = await places_of(tx, maker.id, what.room_ids, len(what.room_ids))
        if {each.id for each in allowed} != what.room_ids:
            raise Missing("room_gone")
        await _tidy(tx, maker.id)
        row = await tx.fetch_one(
            insert(invitations)
            .values(
                token_hash=token_hash(token),
                made_by=maker.id,
                note=what.note,
                is_guest=what.is_guest,
                created_at=now_ms(),
                expires_at=now_ms() + what.days * DAY_MS,
                uses_most=what.uses,
            )
            .returning(invitations.c.id)
        )
        for each in sorted(what.room_ids) or [audit.SITE]:
            await audit.note(tx, each, maker.id, "invite", detail=str(what.uses))
        if what.room_ids:
            await tx.execute(
                insert(invitation_rooms),
                [{"invitation_id": row.id, "room_id": each} for each in sorted(what.room_ids)],
            )
    return token


async def _tidy(tx: Transaction, user_id: int) -> None:
    """Forgets what was over long ago. Raises `Refused` when too many are open."""
    mine = invitations.c.made_by == user_id
    await tx.execute(delete(invitations).where(mine, invitations.c.expires_at < now_ms() - KEPT_MS))
    count = select(func.count()).select_from(invitations).where(mine, _is_open())
    if await tx.fetch_value(count) >= OPEN_MOST:
        raise Refused("invitations_full", most=OPEN_MOST)


async def listing(database: Database, user: User) -> list[Listed]:
    """Those that somebody made, or all for an administrator: the open ones first, then the newest."""
    rows = await database.fetch_all(
        select(
            invitations,
            people.c.name,
            people.c.hue,
            _is_open().label("is_open"),
            (invitations.c.expires_at <= now_ms()).label("is_over"),
        )
        .join(people, people.c.id == invitations.c.made_by)
        .where(true() if user.is_admin else invitations.c.made_by == user.id)
        .order_by(_is_open().desc(), invitations.c.id.desc())
        .limit(LISTED_MOST)
    )
    names = await _names(database, [row.id for row in rows], user)
    return [_listed(row, names.get(row.id, [])) for row in rows]


async def _names(database: Database, ids: list[int], user: User) -> dict[int, list[str]]:
    """The rooms of some invitations by name, as far as `user` may invite there too."""
    found: dict[int, list[str]] = {}
    for row in await database.fetch_all(
        select(invitation_rooms.c.invitation_id, rooms.c.name)
        .join(rooms, rooms.c.id == invitation_rooms.c.room_id)
        .join(people, people.c.id == user.id)
        .where(invitation_rooms.c.invitation_id.in_(ids), _may_lead_to(people))
        .order_by(rooms.c.name_key)
    ):
        found.setdefault(row.invitation_id, []).append(row.name)
    return found


def _listed(row: Any, places: list[str]) -> Listed:
    if row.is_open:
        state = "open"
    elif row.revoked_at is not None:
        state = "revoked"
    else:
        state = "expired" if row.is_over else "used"
    maker = Person(row.made_by, row.name, row.hue)
    return Listed(
        row.id,
        row.note,
        maker,
        row.is_guest,
        tuple(places),
        row.uses,
        row.uses_most,
        row.expires_at,
        state,
    )


async def revoke(database: Database, user: User, invitation_id: int) -> None:
    """From now on nobody comes in by it. Twice is once. Raises `Missing` for one that is not theirs."""
    async with database.transaction() as tx:
        mine = true() if user.is_admin else invitations.c.made_by == user.id
        done = await tx.execute(
            update(invitations)
            .where(invitations.c.id == invitation_id, mine)
            .values(revoked_at=func.coalesce(invitations.c.revoked_at, now_ms()))
        )
        if not done.rowcount:
            raise Missing("invitation_gone")
