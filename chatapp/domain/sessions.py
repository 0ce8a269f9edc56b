"""Signed-in devices. A browser holds a random token (sealed in a cookie), the database only its hash."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from sqlalchemy import delete, insert, select, update

from chatapp.database import CommitUnknown, Database
from chatapp.domain.users import User
from chatapp.errors import Invalid, Missing
from chatapp.reading import InWords
from chatapp.security import new_token, token_hash
from chatapp.tables import NOW_POSTGRESQL, NOW_SQLITE, now_ms, sessions, users
from chatapp.trouble import is_worth_retrying
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
    living &= users.c.deactivated_at.is_(None)
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


class Found(NamedTuple):
    """A living session as the database has it, and when that was; times in milliseconds since 1970."""

    session: Session
    seen_at: int
    now: int


_LIVING: Final = """
    SELECT sessions.token_hash, sessions.id, sessions.seen_at, sessions.expires_at, {now},
           users.id, users.name, users.email, users.hue, users.is_admin,
           users.is_invisible, users.enter_sends, users.is_guest, users.avatar
    FROM sessions JOIN users ON users.id = sessions.user_id
    WHERE sessions.token_hash {given} AND sessions.expires_at > {now}
        AND users.deleted_at IS NULL AND users.deactivated_at IS NULL"""
_BY_TOKENS: Final = InWords(
    _LIVING.format(
        now=NOW_SQLITE,
        given="IN (SELECT value FROM json_each(?))",
    ),
    _LIVING.format(
        now=NOW_POSTGRESQL,
        given="= ANY($1::text[])",
    ),
)


async def by_tokens(database: Database, tokens: Sequence[str]) -> dict[str, Found]:
    """The living sessions among those of some tokens."""
    hashes = {token_hash(token): token for token in tokens}
    return {
        hashes[hashed]: Found(
            Session(
                session_id,
                User(
                    user_id,
                    name,
                    email,
                    hue,
                    bool(admin),
                    bool(hidden),
                    bool(enter_sends),
                    bool(guest),
                    avatar,
                ),
                expires_at,
            ),
            seen_at,
            now,
        )
        for (
            hashed,
            session_id,
            seen_at,
            expires_at,
            now,
            user_id,
            name,
            email,
            hue,
            admin,
            hidden,
            enter_sends,
            guest,
            avatar,
        ) in await database.ask(_BY_TOKENS, list(hashes))
    }


async def visit(database: Database, found: Found | None, *, days: int) -> Session | None:
    """Moves a session's expiry when it was last seen a while ago."""
    if found is None or found.now - found.seen_at <= TOUCH_MS:
        return found.session if found else None
    expires_at = await _touch(database, found, days)
    return replace(found.session, expires_at=expires_at)


async def _touch(database: Database, found: Found, days: int) -> int:
    """Moves the expiry of a session; returns it. When nothing can be written just now, the next visit will do so:
    people may read as long as the database can be read."""
    expires_at = found.now + days * DAY_MS
    try:
        async with database.transaction() as tx:
            await tx.execute(
                update(sessions)
                .where(sessions.c.id == found.session.id)
                .values(seen_at=found.now, expires_at=expires_at)
            )
    except Exception as error:
        if not (isinstance(error, CommitUnknown) or is_worth_retrying(error)):
            raise
        log.warning("a visit could not be written down")
        return found.session.expires_at
    return expires_at


# Asked every second about all who are connected, of whom hardly ever anybody has to go: so the answer is those.
_OVER: Final = """
    SELECT given.{id} FROM {given} WHERE NOT EXISTS (
        SELECT 1 FROM sessions WHERE sessions.id = given.{id} AND expires_at > (SELECT {now}))"""
_OVER_IDS: Final = InWords(
    _OVER.format(id="value", given="json_each(?) AS given", now=NOW_SQLITE),
    _OVER.format(id="id", given="unnest($1::bigint[]) AS given (id)", now=NOW_POSTGRESQL),
)


async def living(database: Database, ids: list[int]) -> set[int]:
    """Which of these sessions are still good."""
    return set(ids) - {row[0] for row in await database.ask(_OVER_IDS, ids)}


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
