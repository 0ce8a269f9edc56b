"""Whom a writer may want to mention: those who spoke last in the room, then members by name."""

from typing import Final

from sqlalchemy import func, or_, select

from chatapp.domain import text
from chatapp.domain.memberships import Reader
from chatapp.domain.users import Person
from chatapp.tables import memberships, messages, users

SUGGESTED_MOST: Final = 8
RECENT: Final = 200  # messages looked at for who spoke last


async def of_room(reader: Reader, room_id: int, user_id: int, typed: str) -> list[Person]:
    """Other members with a name, or a later word of it, that begins with what was typed."""
    recent = (
        select(messages.c.author_id, messages.c.seq)
        .where(messages.c.room_id == room_id, messages.c.kind == "message")
        .order_by(messages.c.seq.desc())
        .limit(RECENT)
        .subquery()
    )
    spoke = (
        select(recent.c.author_id, func.max(recent.c.seq).label("seq"))
        .group_by(recent.c.author_id)
        .subquery()
    )
    query = (
        select(users.c.id, users.c.name, users.c.hue, users.c.avatar)
        .select_from(
            memberships.join(users, users.c.id == memberships.c.user_id).outerjoin(
                spoke, spoke.c.author_id == users.c.id
            )
        )
        .where(
            memberships.c.room_id == room_id,
            memberships.c.is_active,
            memberships.c.user_id != user_id,
        )
        .order_by(func.coalesce(spoke.c.seq, 0).desc(), users.c.name_key, users.c.id)
        .limit(SUGGESTED_MOST)
    )
    if key := text.search_key(typed):
        query = query.where(
            or_(
                users.c.name_key.startswith(key, autoescape=True),
                users.c.name_key.contains(f" {key}", autoescape=True),
            )
        )
    return [
        Person(row.id, row.name, row.hue, avatar=row.avatar)
        for row in await reader.fetch_all(query)
    ]


def words(typed: str, *, may_call_all: bool) -> list[str]:
    """Of `room` and `here` those that begin so, for those who may use them."""
    key = text.search_key(typed)
    return [word for word in ("here", "room") if may_call_all and word.startswith(key)]
