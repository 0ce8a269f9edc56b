"""Signed-in devices. A browser holds a random token (sealed in a cookie), the database only its hash."""

import logging
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, insert, select, update

from chatapp.database import CommitUnknown, Database, is_worth_retrying
from chatapp.domain.users import User, from_row
from chatapp.errors import Invalid, Missing
from chatapp.security import new_token, token_hash
from chatapp.tables import now_ms, sessions, users
from chatapp.words import BROWSERS, DEVICE_NAME, SYSTEMS, UNKNOWN_BROWSER, UNKNOWN_SYSTEM

DAY_MS: Final = 24 * 60 * 60 * 1000
TOUCH_MS: Final = 10 * 60 * 1000  # how exact `seen_at` is; a write per request would be too many
DEVICES_MOST: Final = 50  # per account; signing in once more ends the one unused longest


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser, and who it is. `expires_at` in milliseconds since 1970."""

    id: int
    user: User
    expires_at: int


@dataclass(frozen=True, slots=True)
class Device:
    """A session as its owner sees it."""

    id: int
    name: str
    address: str
    created_at: int
    last_seen: int
    current: bool


async def start(
    database: Database, user: User, *, days: int, user_agent: str, address: str, proof: str | None
) -> tuple[str, list[int]]:
    """A new session. Returns its token and the ids of sessions that had to end to make room.

    `proof`: the hash of the password that was shown. Raises `Invalid` when it, or the account, is not good any more:
    whoever changes a password and ends all sessions then has ended them all.
    """
    token = new_token()
    living = (users.c.id == user.id) & users.c.deleted_at.is_(None)
    if proof is not None:
        living &= users.c.password_hash == proof
    async with database.transaction() as tx:
        if (
            await tx.fetch_value(select(users.c.id).where(living).with_for_update(read=True))
            is None
        ):
            raise Invalid({"": "wrong_credentials"})
        await tx.execute(
            delete(sessions).where(sessions.c.user_id == user.id, sessions.c.expires_at < now_ms())
        )
        rows = await tx.fetch_all(
            select(sessions.c.id)
            .where(sessions.c.user_id == user.id)
            .order_by(sessions.c.seen_at.desc(), sessions.c.id.desc())
            .offset(DEVICES_MOST - 1)
        )
        ended = [row.id for row in rows]
        if ended:
            await tx.execute(delete(sessions).where(sessions.c.id.in_(ended)))
        await tx.execute(
            insert(sessions).values(
                token_hash=token_hash(token),
                user_id=user.id,
                user_agent=_printable(user_agent)[:300],
                address=_printable(address)[:64],
                created_at=now_ms(),
                seen_at=now_ms(),
                expires_at=now_ms() + days * DAY_MS,
            )
        )
    return token, ended


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)


async def find(database: Database, token: str, *, days: int) -> Session | None:
    """The living session of a token. Moves its expiry when it was last seen a while ago."""
    row = await database.fetch_one(
        select(
            sessions.c.id.label("session_id"),
            sessions.c.seen_at,
            sessions.c.expires_at,
            now_ms().label("now"),
            users.c.id,
            users.c.name,
            users.c.email,
            users.c.hue,
            users.c.is_admin,
        )
        .join_from(sessions, users)
        .where(
            sessions.c.token_hash == token_hash(token),
            sessions.c.expires_at > now_ms(),
            users.c.deleted_at.is_(None),
        )
    )
    if row is None:
        return None
    expires_at = row.expires_at
    if row.now - row.seen_at > TOUCH_MS:
        expires_at = await _touch(database, row, days)
    return Session(row.session_id, from_row(row), expires_at)


async def _touch(database: Database, row: Any, days: int) -> int:
    """Moves the expiry of a session; returns it. When nothing can be written just now, the next visit will do so:
    people may read as long as the database can be read."""
    expires_at: int = row.now + days * DAY_MS
    try:
        async with database.transaction() as tx:
            await tx.execute(
                update(sessions)
                .where(sessions.c.id == row.session_id)
                .values(seen_at=row.now, expires_at=expires_at)
            )
    except Exception as error:
        if not (isinstance(error, CommitUnknown) or is_worth_retrying(error)):
            raise
        log.warning("a visit could not be written down")
        return int(row.expires_at)
    return expires_at


async def living(database: Database, ids: list[int]) -> set[int]:
    """Which of these sessions are still good."""
    found: set[int] = set()
    for start in range(0, len(ids), 1000):  # a statement has room for 32,767 values
        some = ids[start : start + 1000]
        rows = await database.fetch_all(
            select(sessions.c.id).where(sessions.c.id.in_(some), sessions.c.expires_at > now_ms())
        )
        found.update(row.id for row in rows)
    return found


async def end(database: Database, user: User, session_id: int) -> None:
    """Ends one session of `user`. Raises `Missing` when it is not theirs or has ended."""
    async with database.transaction() as tx:
        done = await tx.execute(
            delete(sessions).where(sessions.c.id == session_id, sessions.c.user_id == user.id)
        )
        if not done.rowcount:
            raise Missing("device_unknown")


async def end_all(database: Database, user: User, *, but: int | None = None) -> list[int]:
    """Ends the sessions of `user`, all `but` one if given. Returns the ids of the ended."""
    async with database.transaction() as tx:
        rows = await tx.fetch_all(
            delete(sessions)
            .where(sessions.c.user_id == user.id, sessions.c.id != (but or 0))
            .returning(sessions.c.id)
        )
    return [row.id for row in rows]


async def devices(database: Database, user: User, current: int) -> list[Device]:
    """The current one first, then by last use."""
    rows = await database.fetch_all(
        select(sessions)
        .where(sessions.c.user_id == user.id, sessions.c.expires_at > now_ms())
        .order_by(sessions.c.seen_at.desc())
    )
    found = [
        Device(
            row.id,
            device_name(row.user_agent),
            row.address,
            row.created_at,
            row.seen_at,
            row.id == current,
        )
        for row in rows
    ]
    return sorted(found, key=lambda device: not device.current)


def device_name(user_agent: str) -> str:
    """'Firefox on Linux' from what a browser says of itself."""
    browser = next((name for sign, name in BROWSERS.items() if sign in user_agent), UNKNOWN_BROWSER)
    system = next((name for sign, name in SYSTEMS.items() if sign in user_agent), UNKNOWN_SYSTEM)
    return DEVICE_NAME.format(browser=browser, system=system)


async def end_quietly(database: Database, session: Session) -> None:
    """Ends a session, whether it is still there or not."""
    async with database.transaction() as tx:
        await tx.execute(delete(sessions).where(sessions.c.id == session.id))
