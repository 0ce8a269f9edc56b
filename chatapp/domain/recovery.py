"""Links that give somebody a new password: for half an hour, once, and of each only the hash is stored."""

from typing import Final

from sqlalchemy import delete, insert, select, update

from chatapp.database import Database, Transaction
from chatapp.domain.emails import email_address
from chatapp.domain.log import lock_user
from chatapp.domain.users import User, from_row
from chatapp.errors import Invalid, Missing
from chatapp.security import Passwords, new_token, normal_password, token_hash
from chatapp.tables import now_ms, recoveries, sessions, users

LIFE_MS: Final = 30 * 60 * 1000
LINKS_MOST: Final = 5  # that somebody has at once; a further one ends the oldest
_LIVING: Final = users.c.deleted_at.is_(None) & users.c.deactivated_at.is_(None)


async def issue(tx: Transaction, user_id: int) -> str:
    """A new link's token. The account MUST be a living one."""
    await tx.execute(delete(recoveries).where(recoveries.c.expires_at <= now_ms()))
    await lock_user(tx, user_id, alone=True)
    others = await tx.fetch_all(
        select(recoveries.c.token_hash)
        .where(recoveries.c.user_id == user_id)
        .order_by(recoveries.c.expires_at.desc())
        .offset(LINKS_MOST - 1)
    )
    if others:
        too_many = [row.token_hash for row in others]
        await tx.execute(delete(recoveries).where(recoveries.c.token_hash.in_(too_many)))
    token = new_token()
    await tx.execute(
        insert(recoveries).values(
            token_hash=token_hash(token), user_id=user_id, expires_at=now_ms() + LIFE_MS
        )
    )
    return token


async def issue_by_email(database: Database, typed: str) -> tuple[User, str] | None:
    """A link for the account of this address, if there is one."""
    try:
        key = email_address(typed)[1]
    except Invalid:
        return None
    async with database.transaction() as tx:
        row = await tx.fetch_one(select(users).where(users.c.email_key == key, _LIVING))
        return None if row is None else (from_row(row), await issue(tx, row.id))


async def holder(database: Database, token: str) -> User:
    """Whose link this is. It stays good. Raises `Missing`."""
    row = await database.fetch_one(
        select(users)
        .join_from(recoveries, users)
        .where(
            recoveries.c.token_hash == token_hash(token),
            recoveries.c.expires_at > now_ms(),
            _LIVING,
        )
    )
    if row is None:
        raise Missing("recovery_over")
    return from_row(row)


async def redeem(database: Database, passwords: Passwords, token: str, password: str) -> int:
    """Gives the holder of a link a new password; ends their sessions and all their links. Returns who it is.

    Raises `Missing` when the link is not good, `Invalid` for the password, `Busy`.
    """
    await holder(database, token)  # before a hash is made for anybody
    hashed = await passwords.hash(normal_password(password))
    async with database.transaction() as tx:
        user_id = await tx.fetch_value(
            delete(recoveries)
            .where(recoveries.c.token_hash == token_hash(token), recoveries.c.expires_at > now_ms())
            .returning(recoveries.c.user_id)
        )
        done = await tx.execute(
            update(users).where(users.c.id == (user_id or 0), _LIVING).values(password_hash=hashed)
        )
        if not done.rowcount:
            raise Missing("recovery_over")
        await tx.execute(delete(sessions).where(sessions.c.user_id == user_id))
        await tx.execute(delete(recoveries).where(recoveries.c.user_id == user_id))
    return int(user_id)
