"""What a room is called: by its name, and a direct one by its people, for each reader by the others.

Who has no account any more is still named, as everywhere: in a direct room nobody's place is forgotten.
"""

from typing import Any, Final

from sqlalchemy import case, func, select

from chatapp.reading import InWords
from chatapp.tables import memberships, rooms, users

_NAMES: Final = """
    CASE WHEN rooms.kind <> 'direct' THEN rooms.name ELSE (
        SELECT {joined}(others.name, ', ') FROM (
            SELECT people.name FROM memberships AS places JOIN users AS people ON people.id = places.user_id
            WHERE places.room_id = rooms.id AND places.user_id <> {user}
            ORDER BY people.name_key, people.id) AS others) END"""


def in_words(user: str, *, is_sqlite: bool) -> str:
    """The name of the row `rooms` for a reader, whom `user` says in SQL."""
    return _NAMES.format(user=user, joined="group_concat" if is_sqlite else "string_agg")


def for_reader(words: str, index: str) -> InWords:
    """A question of one reader, who is {user} of {given}; rooms are called {name}. `index`: by which SQLite looks {by},
    which it would not find out."""
    sqlite, postgresql = "given.value", "given.user_id"
    return InWords(
        words.format(
            given="json_each(?) AS given",
            user=sqlite,
            by=f"INDEXED BY {index}",
            name=in_words(sqlite, is_sqlite=True),
        ),
        words.format(
            given="unnest($1::bigint[]) AS given (user_id)",
            user=postgresql,
            by="",
            name=in_words(postgresql, is_sqlite=False),
        ),
    )


def of_room(user_id: int) -> Any:
    """The same as a column of a query with `rooms`."""
    places, people = memberships.alias("places"), users.alias("people")
    others = (
        select(people.c.name)
        .select_from(places.join(people, people.c.id == places.c.user_id))
        .where(places.c.room_id == rooms.c.id, places.c.user_id != user_id)
        .order_by(people.c.name_key, people.c.id)
        .correlate(rooms)
        .subquery("others")
    )
    joined = select(func.aggregate_strings(others.c.name, ", ")).scalar_subquery()
    return case((rooms.c.kind != "direct", rooms.c.name), else_=joined)
