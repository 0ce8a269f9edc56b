"""Pictures of people: a row for each, from before its content comes until after it has gone, as `files` has them.

    coming   its content is on the way; an hour later it goes
    shown    it is somebody's picture, `users.avatar`
    gone     nobody's; the sweeper takes its content away, and then this row

A picture never changes: another one has another id, so whoever has it may keep it.
"""

from typing import Final

from sqlalchemy import insert, or_, select, update

from chatapp.database import Transaction
from chatapp.domain.kept import Kept
from chatapp.domain.log import lock_user
from chatapp.domain.memberships import Reader
from chatapp.errors import Missing
from chatapp.tables import avatars, now_ms, users

COMING_MS: Final = 3600 * 1000


async def apply_begin(tx: Transaction, id_: str, user_id: int) -> None:
    """Raises `SignedOut`."""
    await lock_user(tx, user_id)
    values = {"id": id_, "user_id": user_id, "state": "coming", "created_at": now_ms()}
    await tx.execute(insert(avatars).values(values))


async def exchange(tx: Transaction, user_id: int, old: str | None, new: str | None) -> None:
    """Somebody, whose row is locked, is shown by another picture. Raises `Missing` when it is there no more."""
    if new is not None:
        theirs = (avatars.c.id == new) & (avatars.c.user_id == user_id)
        taken = await tx.execute(
            update(avatars).where(theirs, avatars.c.state == "coming").values(state="shown")
        )
        if not taken.rowcount:
            raise Missing("file_gone")
    if old is not None:
        await tx.execute(update(avatars).where(avatars.c.id == old).values(state="gone"))
    await tx.execute(update(users).where(users.c.id == user_id).values(avatar=new))


async def apply_discard(tx: Transaction, id_: str) -> None:
    """It did not become anybody's picture."""
    here = (avatars.c.id == id_) & (avatars.c.state == "coming")
    await tx.execute(update(avatars).where(here).values(state="gone"))


async def is_shown(reader: Reader, id_: str) -> bool:
    query = select(avatars.c.id).where(avatars.c.id == id_, avatars.c.state == "shown")
    return await reader.fetch_value(query) is not None


# -- the end, as in `files` -------------------------------------------------------------


KEPT: Final = Kept(
    avatars,
    or_(
        avatars.c.state == "gone",
        (avatars.c.state == "coming") & (avatars.c.created_at < now_ms() - COMING_MS),
    ),
)


async def apply_settle(tx: Transaction) -> None:
    """At a start: pictures of accounts that a version deleted which knew of none."""
    ended = users.c.deleted_at.is_not(None) & users.c.avatar.is_not(None)
    of_ended = select(users.c.avatar).where(ended)
    await tx.execute(update(avatars).where(avatars.c.id.in_(of_ended)).values(state="gone"))
    await tx.execute(update(users).where(ended).values(avatar=None))
