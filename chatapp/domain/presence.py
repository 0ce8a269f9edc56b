"""What the database knows about people who are present: name, rooms, whether they want to be seen."""

from collections.abc import Collection
from typing import Final, NamedTuple

from sqlalchemy import update

from chatapp.database import Database
from chatapp.domain.memberships import Reader
from chatapp.reading import InWords
from chatapp.tables import users


class Whereabouts(NamedTuple):
    """Somebody with an account."""

    name: str
    is_invisible: bool
    rooms: frozenset[int]


_WHEREABOUTS: Final = InWords(
    """
    SELECT users.id, users.name, users.is_invisible, memberships.room_id
    FROM json_each(?) AS given CROSS JOIN users ON users.id = given.value
    LEFT JOIN memberships ON memberships.user_id = users.id AND memberships.is_active
    WHERE users.deleted_at IS NULL""",
    """
    SELECT users.id, users.name, users.is_invisible, memberships.room_id
    FROM users LEFT JOIN memberships ON memberships.user_id = users.id AND memberships.is_active
    WHERE users.id = ANY($1::bigint[]) AND users.deleted_at IS NULL""",
)


async def whereabouts(
    reader: Reader, user_ids: Collection[int], most: int
) -> dict[int, Whereabouts]:
    """Of these people, those who have an account, with at most `most` rooms each."""
    people: dict[int, tuple[str, bool]] = {}
    found: dict[int, list[int]] = {}
    for user_id, name, is_invisible, room_id in await reader.ask(_WHEREABOUTS, sorted(user_ids)):
        people[user_id] = (name, bool(is_invisible))
        theirs = found.setdefault(user_id, [])
        if room_id is not None and len(theirs) < most:
            theirs.append(room_id)
    return {
        user_id: Whereabouts(name, is_invisible, frozenset(found[user_id]))
        for user_id, (name, is_invisible) in people.items()
    }


async def set_invisible(database: Database, user_id: int, *, is_invisible: bool) -> None:
    async with database.transaction() as tx:
        await tx.execute(
            update(users).where(users.c.id == user_id).values(is_invisible=is_invisible)
        )
