"""Who does not want to be written to by whom: in a conversation of the two alone. Rooms of more are not affected.

Who is blocked is told no more than that something cannot be delivered. `policy.of` asks for whoever does something in a
room, `among` for posts, in the transaction that stores them.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import delete, func, insert, or_, select

from chatapp.database import Database, Transaction
from chatapp.domain.log import lock_user
from chatapp.domain.memberships import Reader
from chatapp.domain.users import Person
from chatapp.errors import Conflict, Forbidden
from chatapp.reading import InWords
from chatapp.tables import blocks, now_ms, users

MOST: Final = 500  # people whom one person blocks


def _row(blocker_id: int, blocked_id: int) -> Any:
    return (blocks.c.blocker_id == blocker_id) & (blocks.c.blocked_id == blocked_id)


async def is_blocked(reader: Reader, blocker_id: int, blocked_id: int) -> bool:
    query = select(blocks.c.at).where(_row(blocker_id, blocked_id))
    return await reader.fetch_value(query) is not None


async def block(database: Database, blocker_id: int, blocked_id: int) -> None:
    """Blocking twice is blocking once. Raises `Forbidden`, `Conflict`."""
    if blocker_id == blocked_id:
        raise Forbidden("not_yourself")
    async with database.transaction() as tx:
        await lock_user(tx, blocker_id, alone=True)
        if await is_blocked(tx, blocker_id, blocked_id):
            return
        count = select(func.count()).where(blocks.c.blocker_id == blocker_id)
        if await tx.fetch_value(count) >= MOST:
            raise Conflict("blocks_full", most=MOST)
        await lock_user(tx, blocked_id)
        values = {"blocker_id": blocker_id, "blocked_id": blocked_id, "at": now_ms()}
        await tx.execute(insert(blocks).values(values))


async def unblock(database: Database, blocker_id: int, blocked_id: int) -> None:
    async with database.transaction() as tx:
        await tx.execute(delete(blocks).where(_row(blocker_id, blocked_id)))


async def of(reader: Reader, blocker_id: int) -> list[Person]:
    """Whom somebody blocks, by name."""
    rows = await reader.fetch_all(
        select(users.c.id, users.c.name, users.c.hue, users.c.avatar)
        .join_from(blocks, users, users.c.id == blocks.c.blocked_id)
        .where(blocks.c.blocker_id == blocker_id)
        .order_by(users.c.name_key)
    )
    return [Person(row.id, row.name, row.hue, avatar=row.avatar) for row in rows]


async def forget(tx: Transaction, user_id: int) -> None:
    """An account ends."""
    either = or_(blocks.c.blocker_id == user_id, blocks.c.blocked_id == user_id)
    await tx.execute(delete(blocks).where(either))


_AMONG: Final = InWords(
    """
    SELECT blocks.blocker_id, blocks.blocked_id FROM json_each(?) AS given
    CROSS JOIN blocks ON blocks.blocker_id = json_extract(given.value, '$[0]')
        AND blocks.blocked_id = json_extract(given.value, '$[1]')""",
    """
    SELECT blocks.blocker_id, blocks.blocked_id
    FROM unnest($1::bigint[], $2::bigint[]) AS given (blocker_id, blocked_id)
    JOIN blocks USING (blocker_id, blocked_id)""",
)


async def among(tx: Transaction, pairs: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Which of these (blocker, blocked) are so."""
    rows = await tx.ask(_AMONG, [one for one, _ in pairs], [other for _, other in pairs])
    return {(row[0], row[1]) for row in rows}
