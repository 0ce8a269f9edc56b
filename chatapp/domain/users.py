"""Accounts: who people are, how they come in, what they may change about themselves."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import case, delete, insert, or_, select, update

from chatapp.database import Database, Transaction
from chatapp.domain import entry, text
from chatapp.domain.commands import Newcomer
from chatapp.domain.emails import email_address
from chatapp.domain.log import lock_site
from chatapp.errors import Checks, Invalid, Missing, SignedOut
from chatapp.security import Passwords, normal_password
from chatapp.tables import now_ms, recoveries, users
from chatapp.trouble import is_conflict
from chatapp.words import DELETED_ACCOUNT

HUES: Final = 12


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account. `hue` (0 to 11) colours the avatar."""

    id: int
    name: str
    email: str
    hue: int
    is_admin: bool
    is_invisible: bool = False
    enter_sends: bool = True
    is_guest: bool = False
    avatar: str | None = None

    @property
    def initials(self) -> str:
        return text.initials(self.name)


class Status(NamedTuple):
    """What somebody is doing, behind their name: an emoji, words, or both; '' where there is none, or not any more."""

    emoji: str = ""
    words: str = ""


NO_STATUS: Final = Status()


@dataclass(frozen=True, slots=True)
class Person:
    """What other people see of somebody."""

    id: int
    name: str
    hue: int
    role: str = "member"
    status: Status = NO_STATUS
    avatar: str | None = None

    @property
    def initials(self) -> str:
        return text.initials(self.name)


def status_columns() -> tuple[Any, Any]:
    """Of `users`: `status_emoji` and `status` while it lasts, by the database's clock."""
    lasts = or_(users.c.status_until.is_(None), users.c.status_until > now_ms())
    return (
        case((lasts, users.c.status_emoji), else_="").label("status_emoji"),
        case((lasts, users.c.status), else_="").label("status"),
    )


async def newcomer(passwords: Passwords, *, name: str, email: str, password: str) -> Newcomer:
    """What somebody typed who wants an account. Raises `Invalid`, `Busy`."""
    with Checks() as checks:
        with checks.next():
            shown = free_name(name)
        with checks.next():
            address, key = email_address(email)
        with checks.next():
            secret = normal_password(password)
    return Newcomer(shown, address, key, await passwords.hash(secret))


async def sign_up(
    database: Database, passwords: Passwords, *, name: str, email: str, password: str
) -> User:
    """Makes an account without an invitation. Raises `Invalid`, `Forbidden`, `Busy`."""
    if await any_account(database):
        (await entry.read(database)).check_way()  # before a hash is made in vain
    one = await newcomer(passwords, name=name, email=email, password=password)
    async with database.transaction() as tx:
        return await register(tx, one)


async def sign_up_first(database: Database, one: Newcomer) -> User:
    """Makes the first account. Raises `Missing` when there is one already."""
    async with database.transaction() as tx:
        if not await _is_first(tx):
            raise Missing("not_found")
        return await register(tx, one)


async def register(
    tx: Transaction, one: Newcomer, *, is_invited: bool = False, is_guest: bool = False
) -> User:
    """Makes an account; the first one of a site is its administrator. Raises `Invalid`, `Forbidden`."""
    first = await _is_first(tx)
    if not (first or is_invited):
        (await entry.read(tx)).check(one.email_key)
    if wrong := await _taken(tx, one.name, one.email_key):
        raise Invalid(wrong)
    try:
        async with tx.part():
            row = await tx.fetch_one(
                insert(users)
                .values(
                    name=one.name,
                    name_key=text.name_key(one.name),
                    name_skeleton=text.name_skeleton(one.name),
                    email=one.email,
                    email_key=one.email_key,
                    password_hash=one.password_hash,
                    hue=hash_hue(one.email_key),
                    is_admin=first,
                    is_guest=is_guest and not first,
                    created_at=now_ms(),
                )
                .returning(users)
            )
    except Exception as error:
        if not is_conflict(error):
            raise
        wrong = await _taken(tx, one.name, one.email_key)  # somebody was quicker: say with what
        raise Invalid(wrong or {"name": "name_taken"}) from None
    return from_row(row)


async def _is_first(tx: Transaction) -> bool:
    """Whether this sign-up makes the administrator. Two at the same moment take turns."""
    anybody = select(users.c.id).where(users.c.deleted_at.is_(None)).limit(1)
    if await tx.fetch_value(anybody) is not None:
        return False
    await lock_site(tx)
    return await tx.fetch_value(anybody) is None


def hash_hue(key: str) -> int:
    """A first colour, the same for the same address."""
    return sum(key.encode()) % HUES


def free_name(typed: str) -> str:
    """A name that is not reserved. Raises `Invalid`."""
    name = text.user_name(typed)
    if text.is_reserved(name):
        raise Invalid({"name": "name_reserved"})
    return name


async def _taken(tx: Transaction, name: str, email_key: str | None, but: int = 0) -> dict[str, str]:
    """Which of the two somebody else has."""
    wrong = {}
    if await tx.fetch_value(
        select(users.c.id).where(
            (users.c.name_key == text.name_key(name))
            | (users.c.name_skeleton == text.name_skeleton(name)),
            users.c.id != but,
        )
    ):
        wrong["name"] = "name_taken"
    if email_key and await tx.fetch_value(select(users.c.id).where(users.c.email_key == email_key)):
        wrong["email"] = "email_taken"
    return wrong


async def authenticate(
    database: Database, passwords: Passwords, *, email: str, password: str
) -> tuple[User, str]:
    """The account of this email and password, and the stored hash that proved it.

    An unknown email, a malformed one and a wrong password cost the same time and raise the same `Invalid`.
    """
    try:
        key = email_address(email)[1]
    except Invalid:
        key = ""
    try:
        secret = normal_password(password)
    except Invalid:
        secret, key = b"", ""
    row = await database.fetch_one(select(users).where(users.c.email_key == key))
    if not await passwords.verify(secret, row.password_hash if row else None):
        raise Invalid({"": "wrong_credentials"})
    if row.deactivated_at is not None:  # said to nobody but who knows the password
        raise Invalid({"": "account_deactivated"})
    return from_row(row), row.password_hash


def from_row(row: Any) -> User:
    return User(
        row.id,
        row.name,
        row.email,
        row.hue,
        bool(row.is_admin),
        bool(row.is_invisible),
        bool(row.enter_sends),
        bool(row.is_guest),
        row.avatar,
    )


async def find(database: Database, user_id: int) -> User:
    """Raises `SignedOut` when the account has ended."""
    row = await database.fetch_one(
        select(users).where(users.c.id == user_id, users.c.deleted_at.is_(None))
    )
    if row is None:
        raise SignedOut("signed_out")
    return from_row(row)


async def by_email(database: Database, typed: str) -> User | None:
    """Who has an address, however it is written."""
    key = email_address(typed)[1]
    row = await database.fetch_one(select(users).where(users.c.email_key == key))
    return None if row is None else from_row(row)


async def set_enter(database: Database, user_id: int, *, sends: bool) -> None:
    """Whether Enter sends a message; otherwise it begins a line, and Ctrl or Cmd with Enter sends."""
    async with database.transaction() as tx:
        await tx.execute(update(users).where(users.c.id == user_id).values(enter_sends=sends))


async def check_password(
    database: Database, passwords: Passwords, user: User, password: str, field: str
) -> None:
    """Raises `Invalid` for `field` when this is not the password of `user`."""
    try:
        secret = normal_password(password)
    except Invalid:
        raise Invalid({field: "wrong_password"}) from None
    stored = await database.fetch_value(select(users.c.password_hash).where(users.c.id == user.id))
    if not await passwords.verify(secret, stored):
        raise Invalid({field: "wrong_password"})


async def change_password(
    database: Database, passwords: Passwords, user: User, *, current: str, new: str
) -> None:
    await check_password(database, passwords, user, current, "current")
    try:
        secret = normal_password(new)
    except Invalid as error:
        raise Invalid({"new": error.code}) from None
    hashed = await passwords.hash(secret)
    async with database.transaction() as tx:
        await tx.execute(update(users).where(users.c.id == user.id).values(password_hash=hashed))
        await tx.execute(delete(recoveries).where(recoveries.c.user_id == user.id))


def profile(*, name: str, hue: str) -> tuple[str, int]:
    """What was typed as a name and a colour. Raises `Invalid`."""
    shown = free_name(name)
    if not (hue.isascii() and hue.isdigit() and len(hue) <= 2 and int(hue) < HUES):
        raise Invalid({"hue": "hue_unknown"})
    return shown, int(hue)


async def rename(tx: Transaction, user_id: int, name: str, hue: int) -> None:
    """Raises `Invalid` when somebody else has the name."""
    if wrong := await _taken(tx, name, None, but=user_id):
        raise Invalid(wrong)
    try:
        await tx.execute(
            update(users)
            .where(users.c.id == user_id)
            .values(
                name=name,
                name_key=text.name_key(name),
                name_skeleton=text.name_skeleton(name),
                hue=hue,
            )
        )
    except Exception as error:
        if is_conflict(error):  # another process was quicker
            raise Invalid({"name": "name_taken"}) from None
        raise


async def wipe(tx: Transaction, user_id: int) -> None:
    """Leaves a tombstone: what they wrote stays, under “deleted account”; name and email are free again."""
    await tx.execute(
        update(users)
        .where(users.c.id == user_id)
        .values(
            name=DELETED_ACCOUNT,
            name_key=None,
            name_skeleton=None,
            email=None,
            email_key=None,
            password_hash=None,
            is_admin=False,
            hue=0,
            avatar=None,
            bio="",
            status="",
            status_emoji="",
            status_until=None,
            deleted_at=now_ms(),
        )
    )


async def any_account(database: Database) -> bool:
    """Whether somebody has signed up yet."""
    return bool(
        await database.fetch_value(select(users.c.id).where(users.c.deleted_at.is_(None)).limit(1))
    )
