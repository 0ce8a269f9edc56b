"""What the database knows about people who are present: name, rooms, whether they want to be seen; and a room's people
in the order in which presence shows them."""

import json
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, case, literal, select, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from chatapp.database import Database
from chatapp.domain.memberships import PAGE, Reader, named
from chatapp.domain.users import Person
from chatapp.reading import InWords
from chatapp.tables import memberships, rooms, users


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


class _among(FunctionElement[bool]):  # noqa: N801  it stands in expressions like a function of SQL
    """Whether a column is one of some numbers, of which there may be more than a statement may have parameters."""

    inherit_cache = True


@compiles(_among, "postgresql")
def _among_postgresql(element: Any, compiler: Any, **given: Any) -> str:
    column, numbers = (compiler.process(clause, **given) for clause in element.clauses)
    listed = f"json_array_elements_text(CAST({numbers} AS json))"
    return f"{column} IN (SELECT CAST(value AS BIGINT) FROM {listed})"  # noqa: S608  of our making


@compiles(_among)
def _among_sqlite(element: Any, compiler: Any, **given: Any) -> str:
    column, numbers = (compiler.process(clause, **given) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({numbers}))"  # noqa: S608  of our making


def _one_of(numbers: Collection[int]) -> ColumnElement[bool]:
    return _among(users.c.id, literal(json.dumps(sorted(numbers))))


async def people(
    reader: Reader,
    room_id: int,
    ranks: Sequence[Collection[int]],
    search: str = "",
    page: int = 1,
) -> list[Person]:
    """The people of a room, `PAGE` at a time: those of each rank by name, then all others. `search` is part of a
    name."""
    order: list[Any] = [users.c.name_key, users.c.id]
    whens = [(_one_of(rank), place) for place, rank in enumerate(ranks) if rank]
    if whens:
        order.insert(0, case(*whens, else_=len(ranks)))
    query = (
        select(users.c.id, users.c.name, users.c.hue, rooms.c.owner_id)
        .select_from(memberships.join(users).join(rooms, rooms.c.id == memberships.c.room_id))
        .where(memberships.c.room_id == room_id, memberships.c.is_active)
        .order_by(*order)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    if search:
        query = query.where(named(search))
    return [
        Person(row.id, row.name, row.hue, row.id == row.owner_id)
        for row in await reader.fetch_all(query)
    ]
