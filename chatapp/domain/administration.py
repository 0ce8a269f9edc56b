"""What administrators see of all accounts and may change about them."""

from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from sqlalchemy import ColumnElement, case, delete, exists, func, or_, select, update

from chatapp.database import Database, Transaction
from chatapp.domain import audit, entry, recovery, text
from chatapp.domain.entry import Entry
from chatapp.domain.log import lock_site, lock_user
from chatapp.errors import Conflict, Forbidden, Missing, SignedOut
from chatapp.tables import invitations, now_ms, recoveries, sessions, users

PAGE: Final = 50
SHOWS: Final = ("all", "administrators", "guests", "deactivated")
ROLES: Final = ("administrator", "member", "guest")
_HERE: Final = users.c.deleted_at.is_(None)
_ACTIVE: Final = _HERE & users.c.deactivated_at.is_(None)


@dataclass(frozen=True, slots=True)
class Account:
    """`seen_at`: when a device of theirs last was here, None when none is signed in; to within ten minutes."""

    id: int
    name: str
    email: str
    hue: int
    role: str
    is_active: bool
    created_at: int
    seen_at: int | None

    @property
    def initials(self) -> str:
        return text.initials(self.name)


@dataclass(frozen=True, slots=True)
class Counts:
    active: int
    administrators: int
    deactivated: int
    invitations: int


async def counts(database: Database) -> Counts:
    def number(condition: Any) -> Any:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    row = await database.fetch_one(
        select(
            number(_ACTIVE).label("active"),
            number(_ACTIVE & users.c.is_admin).label("administrators"),
            number(users.c.deactivated_at.is_not(None)).label("deactivated"),
        ).where(_HERE)
    )
    open_ones = await database.fetch_value(
        select(func.count())
        .select_from(invitations)
        .where(
            invitations.c.revoked_at.is_(None),
            invitations.c.expires_at > now_ms(),
            invitations.c.uses < invitations.c.uses_most,
        )
    )
    return Counts(int(row.active), int(row.administrators), int(row.deactivated), int(open_ones))


def _wanted(search: str, show: str) -> ColumnElement[bool]:
    conditions = {
        "all": _HERE,
        "administrators": _HERE & users.c.is_admin,
        "guests": _HERE & users.c.is_guest,
        "deactivated": _HERE & users.c.deactivated_at.is_not(None),
    }
    wanted = conditions[show]
    if search:
        key = text.search_key(search)
        wanted &= or_(
            users.c.name_key.contains(key, autoescape=True),
            users.c.email_key.contains(search.strip().casefold(), autoescape=True),
        )
    return wanted


def _accounts() -> Any:
    seen = (
        select(func.max(sessions.c.seen_at))
        .where(sessions.c.user_id == users.c.id)
        .scalar_subquery()
    )
    return select(users, seen.label("seen_at"))


def _account(row: Any) -> Account:
    role = "administrator" if row.is_admin else "guest" if row.is_guest else "member"
    return Account(
        row.id,
        row.name,
        row.email,
        row.hue,
        role,
        row.deactivated_at is None,
        row.created_at,
        row.seen_at,
    )


async def listing(
    database: Database, *, search: str, show: str, page: int
) -> tuple[list[Account], int, int]:
    """People by name, `PAGE` at a time; the number of this page, and of all."""
    wanted = _wanted(search, show)
    count = await database.fetch_value(select(func.count()).select_from(users).where(wanted))
    pages = max(1, ceil(count / PAGE))
    page = min(page, pages)
    rows = await database.fetch_all(
        _accounts()
        .where(wanted)
        .order_by(users.c.name_key, users.c.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return [_account(row) for row in rows], page, pages


async def account(database: Database, user_id: int) -> Account:
    """Raises `Missing`."""
    row = await database.fetch_one(_accounts().where(users.c.id == user_id, _HERE))
    if row is None:
        raise Missing("person_gone")
    return _account(row)


async def set_role(database: Database, actor_id: int, user_id: int, role: str) -> None:
    """Raises `Forbidden`, `Missing`, and `Conflict` for the last administrator."""
    async with database.transaction() as tx:
        await _take_turn(tx, actor_id, user_id)
        where = users.c.id == user_id
        if role != "administrator":
            where &= _not_the_last(user_id)
        done = await tx.execute(
            update(users)
            .where(where)
            .values(is_admin=role == "administrator", is_guest=role == "guest")
        )
        if not done.rowcount:
            raise Conflict("last_administrator")
        await audit.note(tx, audit.SITE, actor_id, "role", user_id, role)


async def deactivate(database: Database, actor_id: int, user_id: int) -> None:
    """Signs somebody out everywhere, and in no more. Raises as `set_role` does."""
    async with database.transaction() as tx:
        await _take_turn(tx, actor_id, user_id)
        done = await tx.execute(
            update(users)
            .where(users.c.id == user_id, _not_the_last(user_id))
            .values(deactivated_at=func.coalesce(users.c.deactivated_at, now_ms()))
        )
        if not done.rowcount:
            raise Conflict("last_administrator")
        await tx.execute(delete(sessions).where(sessions.c.user_id == user_id))
        await tx.execute(delete(recoveries).where(recoveries.c.user_id == user_id))
        await audit.note(tx, audit.SITE, actor_id, "deactivate", user_id)


async def reactivate(database: Database, actor_id: int, user_id: int) -> None:
    async with database.transaction() as tx:
        await _take_turn(tx, actor_id, user_id)
        await tx.execute(update(users).where(users.c.id == user_id).values(deactivated_at=None))
        await audit.note(tx, audit.SITE, actor_id, "reactivate", user_id)


async def issue_recovery(database: Database, actor_id: int, user_id: int) -> str:
    """The token of a link that gives somebody a new password. Raises `Forbidden`, `Missing`."""
    async with database.transaction() as tx:
        await _take_turn(tx, actor_id, user_id)
        if not await tx.fetch_value(select(users.c.id).where(users.c.id == user_id, _ACTIVE)):
            raise Conflict("person_deactivated")
        await audit.note(tx, audit.SITE, actor_id, "recovery", user_id)
        return await recovery.issue(tx, user_id)


async def set_entry(database: Database, actor_id: int, chosen: Entry) -> None:
    """Who may sign up from now on. Raises `Forbidden`."""
    async with database.transaction() as tx:
        await _take_turn(tx, actor_id)
        await entry.save(tx, chosen)
        await audit.note(tx, audit.SITE, actor_id, "entry", detail=chosen.way)


async def _take_turn(tx: Transaction, actor_id: int, user_id: int | None = None) -> None:
    """Whoever changes what accounts may do does so one after another, and is an administrator at that moment."""
    if user_id is not None:
        try:
            await lock_user(tx, user_id, alone=True)
        except SignedOut:
            raise Missing("person_gone") from None
    await lock_site(tx)
    actor = select(users.c.id).where(users.c.id == actor_id, _ACTIVE, users.c.is_admin)
    if await tx.fetch_value(actor) is None:
        raise Forbidden("not_administrator")


def _not_the_last(user_id: int) -> ColumnElement[bool]:
    """Whether somebody else could look after the site, or this person does not."""
    other = users.alias()
    another = exists().where(
        other.c.is_admin,
        other.c.id != user_id,
        other.c.deleted_at.is_(None),
        other.c.deactivated_at.is_(None),
    )
    return or_(~users.c.is_admin, users.c.deactivated_at.is_not(None), another)
