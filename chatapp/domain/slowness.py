"""Slow rooms: so many seconds between the posts of one member, counted by the database's clock.

A message that was deleted counts, or deleting would be a way around. One question for all slow rooms of a batch; rooms
that are not slow pay nothing.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select

from chatapp.database import Transaction
from chatapp.domain.commands import PostMessage
from chatapp.domain.memberships import Reader
from chatapp.errors import Forbidden, Refused
from chatapp.reading import InWords
from chatapp.tables import messages, now_ms

# By the index of messages' keys, which only messages have.
_LAST: Final = InWords(
    """
    SELECT messages.room_id, messages.author_id, max(messages.at)
    FROM json_each(?) AS given
    CROSS JOIN messages ON messages.room_id = json_extract(given.value, '$[0]')
        AND messages.author_id = json_extract(given.value, '$[1]') AND messages.key IS NOT NULL
    GROUP BY messages.room_id, messages.author_id""",
    """
    SELECT messages.room_id, messages.author_id, max(messages.at)
    FROM unnest($1::bigint[], $2::bigint[]) AS given (room_id, user_id)
    JOIN messages ON messages.room_id = given.room_id
        AND messages.author_id = given.user_id AND messages.key IS NOT NULL
    GROUP BY messages.room_id, messages.author_id""",
)


async def too_soon(
    tx: Transaction, posts: Sequence[tuple[int, PostMessage, int, int]]
) -> dict[int, Refused]:
    """Of these (place, post, seconds, time now) the ones that come too soon, by their place. The first of a batch lets
    the next ones of its author wait."""
    pairs = sorted({(post.room_id, post.actor_id) for _, post, _, _ in posts})
    rows = await tx.ask(_LAST, *map(list, zip(*pairs, strict=True)))
    last = {(row[0], row[1]): row[2] for row in rows}
    refused: dict[int, Refused] = {}
    for n, post, seconds, now in posts:
        pair = (post.room_id, post.actor_id)
        wait = _wait(last.get(pair), seconds, now)
        if wait:
            refused[n] = Forbidden("slow", seconds=wait)
        else:
            last[pair] = now
    return refused


def _wait(last: int | None, seconds: int, now: int) -> int:
    return 0 if last is None else max(0, -(-(last + 1000 * seconds - now) // 1000))


async def wait_of(reader: Reader, room_id: int, user_id: int, seconds: int) -> int:
    """For how many seconds a member has to wait before they may post again."""
    row = await reader.fetch_one(
        select(func.max(messages.c.at).label("last"), now_ms().label("now")).where(
            messages.c.room_id == room_id,
            messages.c.author_id == user_id,
            messages.c.key.is_not(None),
        )
    )
    return _wait(row.last, seconds, row.now)
