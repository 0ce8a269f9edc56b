"""Messages: reading them by number, and changing one that is there. `posts.py` stores them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import literal_column, select, update

from chatapp.database import Transaction
from chatapp.domain import quotes
from chatapp.domain.commands import Message, Quote
from chatapp.domain.memberships import Reader
from chatapp.errors import Missing
from chatapp.reading import InWords
from chatapp.tables import messages, rooms, users

PAGE: Final = 50
CHANGES_MOST: Final = 200  # rows in one answer to a reader who comes back

_quoted: Final = messages.alias("quoted")
_quoted_author: Final = users.alias("quoted_author")


def _of_quoted(column: Any) -> Any:
    """A value of what a row answers, looked up for that row: a join makes PostgreSQL read the whole table, when its
    plan is one for no row in particular."""
    return (
        select(column)
        .select_from(_quoted.join(_quoted_author, _quoted_author.c.id == _quoted.c.author_id))
        .where(_quoted.c.room_id == messages.c.room_id, _quoted.c.seq == messages.c.reply_seq)
        .correlate(messages)
        .scalar_subquery()
    )


_COLUMNS: Final = (
    messages.c.room_id,
    messages.c.seq,
    messages.c.changed_seq,
    messages.c.kind,
    messages.c.author_id,
    messages.c.key,
    messages.c.body,
    messages.c.at,
    messages.c.marks,
    messages.c.edited_at,
    messages.c.reply_seq,
    messages.c.thread_seq,
    messages.c.thread,
    messages.c.reactions,
    messages.c.pinned_at,
    messages.c.files,
    messages.c.preview,
    users.c.name.label("author_name"),
    users.c.hue.label("author_hue"),
    users.c.avatar.label("author_avatar"),
    _of_quoted(_quoted.c.author_id).label("quoted_author_id"),
    _of_quoted(_quoted_author.c.name).label("quoted_author_name"),
    _of_quoted(literal_column(quotes.START.format("quoted"))).label("quoted_start"),
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
        row.marks,
        row.edited_at,
        row.reply_seq,
        row.thread_seq,
        row.thread,
        row.reactions,
        row.pinned_at,
        row.files,
        row.preview,
        _quote(row) if row.reply_seq is not None and row.quoted_author_id is not None else None,
        row.author_avatar,
    )


def _quote(row: Any) -> Quote:
    return Quote(
        row.reply_seq,
        row.quoted_author_id,
        row.quoted_author_name,
        quotes.beginning(row.quoted_start),
    )


def _rows(room_id: int) -> Any:
    """Rows with their authors, and with what they answer as it is now."""
    return select(*_COLUMNS).join_from(messages, users).where(messages.c.room_id == room_id)


async def find(reader: Reader, room_id: int, seq: int) -> Message | None:
    """One message or event by its number."""
    row = await reader.fetch_one(_rows(room_id).where(messages.c.seq == seq))
    return None if row is None else _message(row)


async def living(reader: Reader, room_id: int, seq: int) -> Message:
    """The same for a message that is there. Raises `Missing`."""
    found = await find(reader, room_id, seq)
    if found is None or found.kind != "message":
        raise Missing("message_gone")
    return found


async def change(tx: Transaction, room: Any, seq: int, **values: object) -> Message:
    """Changes columns of a message under the next number of its locked room (`log.lock_room`). The row as it is now.

    Call once per lock, or pass the row read anew. `last_at` stays: nothing new was said. Raises `Missing`.
    """
    number = room.last_seq + 1
    await tx.execute(
        update(messages)
        .where(messages.c.room_id == room.id, messages.c.seq == seq)
        .values(changed_seq=number, **values)
    )
    await tx.execute(update(rooms).where(rooms.c.id == room.id).values(last_seq=number))
    found = await find(tx, room.id, seq)
    if found is None:
        raise Missing("message_gone")
    return found


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


@dataclass(frozen=True, slots=True)
class Authors:
    """Who wrote above a number: (number, author) of each message. `seq`: the room's last number."""

    seq: int
    rows: list[tuple[int, int]]


async def authors(reader: Reader, room_id: int, seq: int | None, most: int) -> Authors | None:
    """Who wrote above number `seq`, oldest first, at most `most`; nobody when it is None. None: there is no room."""
    last = await reader.fetch_value(select(rooms.c.last_seq).where(rooms.c.id == room_id))
    if last is None:
        return None
    if seq is None or seq >= last:
        return Authors(last, [])
    rows = await reader.fetch_all(
        select(messages.c.seq, messages.c.author_id)
        .where(
            messages.c.room_id == room_id,
            messages.c.seq > seq,
            messages.c.seq <= last,
            messages.c.kind == "message",
        )
        .order_by(messages.c.seq)
        .limit(most)
    )
    return Authors(last, [(row.seq, row.author_id) for row in rows])


async def has_changed(reader: Reader, room_id: int, seq: int) -> bool:
    """Whether a message up to number `seq` has changed after it."""
    query = select(messages.c.seq).where(
        messages.c.room_id == room_id,
        messages.c.changed_seq > seq,
        messages.c.seq <= seq,
        messages.c.kind.in_(("message", "deleted")),
    )
    return await reader.fetch_value(query.limit(1)) is not None


async def answers(
    reader: Reader, room_id: int, thread_seq: int, before: int | None, count: int = PAGE
) -> Page:
    """The `count` newest answers in a thread, or those ahead of number `before`, in order."""
    query = _rows(room_id).where(
        messages.c.thread_seq.is_not(
            None
        ),  # what SQLite needs to hear to take the index of answers
        messages.c.thread_seq == thread_seq,
    )
    if before is not None:
        query = query.where(messages.c.seq < before)
    rows = await reader.fetch_all(query.order_by(messages.c.seq.desc()).limit(count + 1))
    found = [_message(row) for row in reversed(rows[:count])]
    return Page(found, found[0].seq if len(rows) > count else None, None)


_LAST_NUMBERS: Final = InWords(
    "SELECT id, last_seq FROM rooms WHERE id IN (SELECT value FROM json_each(?))",
    "SELECT id, last_seq FROM rooms WHERE id = ANY($1::bigint[])",
)


async def last_numbers(reader: Reader, room_ids: Sequence[int]) -> dict[int, int]:
    """The last number of each of these rooms; those that are gone are missing from the answer."""
    return dict(map(tuple, await reader.ask(_LAST_NUMBERS, list(room_ids))))
