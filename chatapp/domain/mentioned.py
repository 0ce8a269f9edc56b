"""Who was mentioned: a row for each member who was meant by a message, but never for its author.

Stored inside the transaction of the posts. Only posts with an '@' pay anything: a batch with some pays one question for
all of them, one statement for the rows, and one more when somebody writes `@room`.

A row counts as unread while its number is above what the member has read and it has not been cleared. Who left a room
has no unread there, and who comes back begins anew.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import delete, select

from chatapp.database import Transaction
from chatapp.domain import memberships, mentions
from chatapp.domain.among import one_of
from chatapp.domain.mentions import Mark, Sign
from chatapp.reading import InWords
from chatapp.tables import mentions as rows_of

HERE_MOST: Final = 1_000  # people present that one command carries


class Asks(Protocol):
    """Where a question can be asked: the database, or a transaction."""

    is_sqlite: bool

    async def ask(self, query: InWords, *columns: list[Any]) -> Sequence[Any]: ...


class Named(NamedTuple):
    """What of a post needs the database. `here`: who is present, for `@here`."""

    room_id: int
    author_id: int
    signs: list[Sign]
    may_call_all: bool
    here: tuple[int, ...]


_MEMBERS: Final = InWords(
    """
    SELECT json_extract(given.value, '$[0]'), users.name_key, users.id
    FROM json_each(?) AS given
    CROSS JOIN users ON users.name_key = json_extract(given.value, '$[1]')
    CROSS JOIN memberships ON memberships.room_id = json_extract(given.value, '$[0]')
        AND memberships.user_id = users.id AND memberships.is_active""",
    # Pairs as in SQLite's words would cost it a plan that takes far longer than the answer.
    """
    SELECT memberships.room_id, users.name_key, users.id
    FROM users JOIN memberships ON memberships.user_id = users.id AND memberships.is_active
    WHERE users.name_key = ANY($2::text[]) AND memberships.room_id = ANY($1::bigint[])""",
)
_TELL: Final = InWords(
    """
    INSERT INTO mentions (user_id, room_id, seq)
    SELECT memberships.user_id, memberships.room_id, json_extract(given.value, '$[2]')
    FROM json_each(?) AS given
    CROSS JOIN memberships ON memberships.room_id = json_extract(given.value, '$[1]')
        AND memberships.user_id = json_extract(given.value, '$[0]') AND memberships.is_active
    WHERE TRUE
    RETURNING room_id, user_id""",
    """
    INSERT INTO mentions (user_id, room_id, seq)
    SELECT memberships.user_id, memberships.room_id, given.seq
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS given (user_id, room_id, seq)
    JOIN memberships ON memberships.room_id = given.room_id
        AND memberships.user_id = given.user_id AND memberships.is_active
    RETURNING room_id, user_id""",
)
_TELL_ALL: Final = InWords(
    """
    INSERT INTO mentions (user_id, room_id, seq)
    SELECT memberships.user_id, memberships.room_id, json_extract(given.value, '$[2]')
    FROM json_each(?) AS given
    CROSS JOIN memberships ON memberships.room_id = json_extract(given.value, '$[1]')
        AND memberships.user_id <> json_extract(given.value, '$[0]') AND memberships.is_active
    WHERE TRUE
    RETURNING room_id, user_id""",
    """
    INSERT INTO mentions (user_id, room_id, seq)
    SELECT memberships.user_id, memberships.room_id, given.seq
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS given (author_id, room_id, seq)
    JOIN memberships ON memberships.room_id = given.room_id
        AND memberships.user_id <> given.author_id AND memberships.is_active
    RETURNING room_id, user_id""",
)


_OF_MESSAGES: Final = InWords(
    """
    SELECT mentions.room_id, mentions.user_id
    FROM json_each(?) AS given
    CROSS JOIN mentions ON mentions.room_id = json_extract(given.value, '$[0]')
        AND mentions.seq = json_extract(given.value, '$[1]')""",
    """
    SELECT mentions.room_id, mentions.user_id
    FROM unnest($1::bigint[], $2::bigint[]) AS given (room_id, seq)
    JOIN mentions ON mentions.room_id = given.room_id AND mentions.seq = given.seq""",
)


async def find(asks: Asks, posts: Sequence[Named]) -> list[list[Mark]]:
    """The marks of each of these posts: one question for all."""
    asked = {(post.room_id, key) for post in posts for sign in post.signs for _, key in sign.ends}
    columns = list(zip(*sorted(asked), strict=True))
    if not asks.is_sqlite:
        columns = [tuple(set(column)) for column in columns]
    rows = await asks.ask(_MEMBERS, *map(list, columns))
    known: dict[int, dict[str, int]] = {}
    for room_id, key, user_id in rows:
        known.setdefault(room_id, {})[key] = user_id
    return [
        mentions.resolve(
            post.signs, known.get(post.room_id, {}) | (mentions.WORDS if post.may_call_all else {})
        )
        for post in posts
    ]


async def would_be(
    asks: Asks, room_id: int, author_id: int, body: str, *, may_call_all: bool
) -> list[Mark]:
    """The marks that a message would have if it were sent now."""
    signs = mentions.signs(body) if "@" in body else []
    if not signs:
        return []
    return (await find(asks, [Named(room_id, author_id, signs, may_call_all, ())]))[0]


async def store(
    tx: Transaction,
    told: Sequence[tuple[Named, int, Sequence[Mark]]],
    before: Sequence[tuple[int, int]],
) -> dict[int, set[int]]:
    """A row for everybody who is meant, once the messages are stored: post, number, marks. Who it was, by room.

    `before`: messages (room, number) that an earlier transaction stored. Whoever sent them again may not have heard of
    that, and nobody else either: those whom they name are in the answer, and get no second row.
    """
    some: list[tuple[int, int, int]] = []
    everybody: list[tuple[int, int, int]] = []
    for post, seq, marks in told:
        meant = {mark.who for mark in marks}
        if mentions.EVERYBODY in meant:
            everybody.append((post.author_id, post.room_id, seq))
            continue
        if mentions.PRESENT in meant:
            meant.update(post.here[:HERE_MOST])
        some += [
            (who, post.room_id, seq)
            for who in sorted(meant - {mentions.PRESENT, post.author_id})
            if who
        ]
    mentioned: dict[int, set[int]] = {}
    for query, rows in ((_TELL, some), (_TELL_ALL, everybody), (_OF_MESSAGES, before)):
        if rows:
            for room_id, user_id in await tx.ask(query, *map(list, zip(*rows, strict=True))):
                mentioned.setdefault(room_id, set()).add(user_id)
    return mentioned


async def renew(
    tx: Transaction, post: Named, seq: int, before: Sequence[Mark], now: Sequence[Mark]
) -> set[int]:
    """After an edit: a row for everybody who is newly named, and none for who is not any more. Whom `@room` or `@here`
    called stays called while it stands there. Returns whose rows came or went."""
    of_message = (rows_of.c.room_id == post.room_id) & (rows_of.c.seq == seq)
    known = {row.user_id for row in await tx.fetch_all(select(rows_of.c.user_id).where(of_message))}
    had, meant = {mark.who for mark in before}, {mark.who for mark in now}
    wanted = {who for who in meant if who > 0}
    if mentions.EVERYBODY in meant:
        called = mentions.EVERYBODY in had
        wanted |= known if called else await memberships.ids(tx, post.room_id)
    elif mentions.PRESENT in meant:
        called = mentions.PRESENT in had and mentions.EVERYBODY not in had
        wanted |= known - had if called else set(post.here[:HERE_MOST])
    wanted.discard(post.author_id)
    if gone := known - wanted:
        await tx.execute(delete(rows_of).where(of_message, one_of(rows_of.c.user_id, gone)))
    if fresh := sorted(wanted - known):
        many = len(fresh)
        told = await tx.ask(_TELL, fresh, [post.room_id] * many, [seq] * many)
        gone |= {user_id for _, user_id in told}
    return gone
