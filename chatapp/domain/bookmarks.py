"""Bookmarks: what somebody wants to find again. Their own: nobody else sees them, and no room counts them.

One in a room that they are not in stays, and is not shown until they are in it again.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from chatapp.database import Transaction
from chatapp.domain import policy
from chatapp.domain.listed import Listed, columns, listed
from chatapp.domain.memberships import Reader
from chatapp.errors import Invalid, Missing
from chatapp.tables import bookmarks, memberships, messages, now_ms, rooms, users

BOOKMARKS_MOST: Final = 1_000  # of one person
PAGE: Final = 50
_PAGE_ROWS: Final = 1_000  # of a room, at most, for one window


async def apply_mark(tx: Transaction, user_id: int, room_id: int, seq: int, *, on: bool) -> None:
    """Safe to repeat. Raises `Forbidden`, `Missing`, `Invalid`."""
    await policy.require(tx, room_id, user_id, "read")
    this = (
        (bookmarks.c.user_id == user_id)
        & (bookmarks.c.room_id == room_id)
        & (bookmarks.c.seq == seq)
    )
    if not on:
        await tx.execute(delete(bookmarks).where(this))
        return
    kind = await tx.fetch_value(
        select(messages.c.kind).where(messages.c.room_id == room_id, messages.c.seq == seq)
    )
    if kind != "message":
        raise Missing("message_gone")
    has = await tx.fetch_value(
        select(func.count()).select_from(bookmarks).where(bookmarks.c.user_id == user_id)
    )
    if (
        int(has) >= BOOKMARKS_MOST
        and await tx.fetch_value(select(bookmarks.c.seq).where(this)) is None
    ):
        raise Invalid({"": "bookmarks_full"}, most=BOOKMARKS_MOST)
    insert = sqlite.insert if tx.is_sqlite else postgresql.insert
    await tx.execute(
        insert(bookmarks)
        .values(user_id=user_id, room_id=room_id, seq=seq, at=now_ms())
        .on_conflict_do_nothing()
    )


async def among(reader: Reader, user_id: int, room_id: int, first: int, last: int) -> set[int]:
    """The numbers of a room, from `first` to `last`, that somebody bookmarked."""
    query = (
        select(bookmarks.c.seq)
        .where(
            bookmarks.c.user_id == user_id,
            bookmarks.c.room_id == room_id,
            bookmarks.c.seq.between(first, last),
        )
        .limit(_PAGE_ROWS)
    )
    return {row.seq for row in await reader.fetch_all(query)}


async def among_these(
    reader: Reader, user_id: int, room_id: int, seqs: Collection[int]
) -> set[int]:
    """Those of a room's numbers (a page of them) that somebody bookmarked."""
    if not seqs:
        return set()
    query = select(bookmarks.c.seq).where(
        bookmarks.c.user_id == user_id,
        bookmarks.c.room_id == room_id,
        bookmarks.c.seq.in_(sorted(seqs)),
    )
    return {row.seq for row in await reader.fetch_all(query)}


async def of_user(reader: Reader, user_id: int, page: int = 1) -> tuple[list[Listed], int]:
    """Those in rooms they are in now, the last first, `PAGE` at a time; and how many there are."""
    found = (
        bookmarks.join(
            memberships,
            (memberships.c.room_id == bookmarks.c.room_id)
            & (memberships.c.user_id == bookmarks.c.user_id)
            & memberships.c.is_active,
        )
        .join(
            messages,
            (messages.c.room_id == bookmarks.c.room_id) & (messages.c.seq == bookmarks.c.seq),
        )
        .join(rooms, rooms.c.id == bookmarks.c.room_id)
        .join(users, users.c.id == messages.c.author_id)
    )
    mine = bookmarks.c.user_id == user_id
    total = await reader.fetch_value(select(func.count()).select_from(found).where(mine))
    query = (
        select(*columns(user_id))
        .select_from(found)
        .where(mine)
        .order_by(bookmarks.c.at.desc(), bookmarks.c.room_id, bookmarks.c.seq.desc())
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return [listed(row) for row in await reader.fetch_all(query)], int(total)
