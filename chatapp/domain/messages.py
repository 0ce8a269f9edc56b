"""Messages: storing many at once, reading them by number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import insert, select, tuple_, update

from chatapp.database import Transaction
from chatapp.domain.commands import Committed, Message, PostMessage
from chatapp.domain.memberships import Reader
from chatapp.errors import Conflict, Forbidden, Missing, Refused
from chatapp.tables import memberships, messages, now_ms, rooms, users

PAGE: Final = 50
CHANGES_MOST: Final = 200  # rows in one answer to a reader who comes back

_COLUMNS: Final = (
    messages.c.room_id,
    messages.c.seq,
    messages.c.changed_seq,
    messages.c.kind,
    messages.c.author_id,
    messages.c.key,
    messages.c.body,
    messages.c.at,
    users.c.name.label("author_name"),
    users.c.hue.label("author_hue"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """Messages in order. `older`/`newer`: the number to ask for what is beyond, None at the end."""

    messages: list[Message]
    older: int | None
    newer: int | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed after a cursor. `seq`: the number a reader has after applying it; `more`: ask again."""

    messages: list[Message]
    seq: int
    more: bool


def _message(row: Any) -> Message:
    return Message(
        row.room_id,
        row.seq,
        row.changed_seq,
        row.kind,
        row.author_id,
        row.author_name,
        row.author_hue,
        row.key,
        row.body,
        row.at,
    )


def _rows(room_id: int) -> Any:
    return select(*_COLUMNS).join_from(messages, users).where(messages.c.room_id == room_id)


async def newest(reader: Reader, room_id: int, count: int = PAGE) -> Page:
    return await before(reader, room_id, None, count)


async def before(reader: Reader, room_id: int, seq: int | None, count: int = PAGE) -> Page:
    """The `count` messages ahead of number `seq`, or the newest when it is None."""
    query = _rows(room_id).order_by(messages.c.seq.desc()).limit(count + 1)
    if seq is not None:
        query = query.where(messages.c.seq < seq)
    rows = await reader.fetch_all(query)
    found = [_message(row) for row in reversed(rows[:count])]
    older = found[0].seq if len(rows) > count else None
    newer = None
    if seq is not None:
        later = _rows(room_id).where(messages.c.seq >= seq).limit(1)
        if await reader.fetch_one(later) is not None:
            newer = found[-1].seq if found else max(0, seq - 1)
    return Page(found, older, newer)


async def after(reader: Reader, room_id: int, seq: int, count: int = PAGE) -> Page:
    """The `count` messages behind number `seq`."""
    query = _rows(room_id).where(messages.c.seq > seq).order_by(messages.c.seq).limit(count + 1)
    rows = await reader.fetch_all(query)
    found = [_message(row) for row in rows[:count]]
    newer = found[-1].seq if len(rows) > count else None
    older = None
    if await reader.fetch_one(_rows(room_id).where(messages.c.seq <= seq).limit(1)) is not None:
        older = found[0].seq if found else seq + 1
    return Page(found, older, newer)


async def around(reader: Reader, room_id: int, seq: int) -> Page:
    """A page with number `seq` in its middle, for links to a message."""
    first = await before(reader, room_id, seq, PAGE // 2)
    second = await after(reader, room_id, seq - 1, PAGE // 2)
    return Page(first.messages + second.messages, first.older, second.newer)


async def latest(reader: Reader, room_id: int) -> list[Message]:
    """The last `CHANGES_MOST` rows that changed, oldest change first."""
    query = _rows(room_id).order_by(messages.c.changed_seq.desc()).limit(CHANGES_MOST)
    return [_message(row) for row in reversed(await reader.fetch_all(query))]


async def changes(reader: Reader, room_id: int, seq: int) -> Changes | None:
    """All rows changed after number `seq`, oldest change first. None: too far behind, load the room afresh.

    The answer is a state, not a replay: applying it twice does no harm. Raises `Missing`.
    """
    last = await reader.fetch_value(select(rooms.c.last_seq).where(rooms.c.id == room_id))
    if last is None:
        raise Missing("room_gone")
    if seq > last or last - seq > 5 * CHANGES_MOST:
        return None
    if seq == last:
        return Changes([], last, more=False)
    query = (
        _rows(room_id)
        .where(messages.c.changed_seq > seq)
        .order_by(messages.c.changed_seq)
        .limit(CHANGES_MOST + 1)
    )
    rows = [_message(row) for row in await reader.fetch_all(query)]
    if len(rows) > CHANGES_MOST:
        rows = rows[:CHANGES_MOST]
        return Changes(rows, rows[-1].changed_seq, more=True)
    # `last` was read first: what came since is in `rows` too, but nothing below `last` is missing.
    return Changes(rows, max([last, *(row.changed_seq for row in rows)]), more=False)


Outcome = Message | Refused


async def apply_posts(
    tx: Transaction, posts: Sequence[PostMessage]
) -> tuple[list[Outcome], Committed]:
    """Stores a batch with a handful of statements. One outcome per post: the stored message or why not.

    Rooms are locked in the order of their ids. Under the lock, known keys are looked up first: a repeat gets the
    message stored then, and only new messages take numbers. Membership is decided here, at the moment of storing.
    """
    locked = await tx.fetch_all(
        select(rooms.c.id, rooms.c.last_seq)
        .where(rooms.c.id.in_(sorted({post.room_id for post in posts})))
        .order_by(rooms.c.id)
        .with_for_update(key_share=True)
    )
    last = {row.id: row.last_seq for row in locked}
    authors = await _authors(tx, posts)
    known = await _known(tx, posts)
    outcomes: list[Outcome] = []
    fresh: list[Message] = []
    hashes: list[bytes] = []
    for post in posts:
        author = authors.get((post.room_id, post.actor_id))
        if post.room_id not in last:
            outcomes.append(Missing("room_gone"))
        elif author is None:
            outcomes.append(Forbidden("not_member"))
        elif (stored := known.get((post.room_id, post.actor_id, post.key))) is not None:
            same = stored[1] == post.body_hash
            outcomes.append(stored[0] if same else Conflict("key_reused"))
        else:
            seq = last[post.room_id] = last[post.room_id] + 1
            message = Message(
                post.room_id,
                seq,
                seq,
                "message",
                post.actor_id,
                author.name,
                author.hue,
                post.key,
                post.body,
                author.now,
            )
            known[post.room_id, post.actor_id, post.key] = (message, post.body_hash)
            fresh.append(message)
            hashes.append(post.body_hash)
            outcomes.append(message)
    if fresh:
        await _store(tx, fresh, hashes)
    return outcomes, Committed(messages=fresh)


async def _authors(tx: Transaction, posts: Sequence[PostMessage]) -> dict[tuple[int, int], Any]:
    """The members among the senders, with the name and colour they have now."""
    pairs = sorted({(post.room_id, post.actor_id) for post in posts})
    rows = await tx.fetch_all(
        select(
            memberships.c.room_id,
            memberships.c.user_id,
            users.c.name,
            users.c.hue,
            now_ms().label("now"),
        )
        .join_from(memberships, users)
        .where(
            tuple_(memberships.c.room_id, memberships.c.user_id).in_(pairs),
            memberships.c.is_active,
        )
    )
    return {(row.room_id, row.user_id): row for row in rows}


async def _known(
    tx: Transaction, posts: Sequence[PostMessage]
) -> dict[tuple[int, int, str], tuple[Message, bytes]]:
    """What was stored under these keys before."""
    keys = sorted({(post.room_id, post.actor_id, post.key) for post in posts})
    rows = await tx.fetch_all(
        select(*_COLUMNS, messages.c.key_hash)
        .join_from(messages, users)
        .where(tuple_(messages.c.room_id, messages.c.author_id, messages.c.key).in_(keys))
    )
    return {
        (row.room_id, row.author_id, row.key): (_message(row), bytes(row.key_hash)) for row in rows
    }


async def _store(tx: Transaction, fresh: Sequence[Message], hashes: Sequence[bytes]) -> None:
    await tx.execute(
        insert(messages),
        [
            {
                "room_id": message.room_id,
                "seq": message.seq,
                "changed_seq": message.seq,
                "kind": message.kind,
                "author_id": message.author_id,
                "key": message.key,
                "key_hash": key_hash,
                "body": message.body,
                "at": message.at,
            }
            for message, key_hash in zip(fresh, hashes, strict=True)
        ],
    )
    newest_by_room = {message.room_id: message for message in fresh}
    for message in newest_by_room.values():
        await tx.execute(
            update(rooms)
            .where(rooms.c.id == message.room_id)
            .values(last_seq=message.seq, last_at=message.at)
        )


async def last_numbers(reader: Reader, room_ids: Sequence[int]) -> dict[int, int]:
    """The last number of each of these rooms; those that are gone are missing from the answer."""
    found: dict[int, int] = {}
    for start in range(0, len(room_ids), 1000):  # a statement has room for 32,767 values
        some = room_ids[start : start + 1000]
        rows = await reader.fetch_all(
            select(rooms.c.id, rooms.c.last_seq).where(rooms.c.id.in_(some))
        )
        found.update((row.id, row.last_seq) for row in rows)
    return found
