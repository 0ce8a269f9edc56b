"""Threads: a message and all that answers it, or answers an answer to it.

An answer is a message in its place, so it counts as unread there and hides nowhere. What a thread has come to stands
in its first message (`messages.thread`) and is shown under it; each batch of answers changes that once, under the
next number of the room, and so does an answer that is deleted or comes back. Whoever wrote the first message or an
answer follows the thread, or who chose to.

What a follower has not read in a thread is counted, never kept: other people's answers above what they have read in
the thread and above what they have read in the room.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import and_, func, select

from chatapp.database import Transaction
from chatapp.domain import messages, quotes
from chatapp.domain.commands import Message
from chatapp.domain.memberships import Reader
from chatapp.domain.text import initials
from chatapp.errors import Missing
from chatapp.reading import InWords
from chatapp.tables import messages as rows_of
from chatapp.tables import users

FACES_MOST: Final = 3


class Face(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Who answered, as they looked then."""

    user_id: int
    initials: str
    hue: int
    avatar: str | None = None


class Summary(msgspec.Struct, frozen=True, gc=False):
    """What stands under the first message. `n`: answers; `last`: the number of the newest, `at` its time (ms since
    1970); `who`: the last to answer, the newest at the end, at most `FACES_MOST`."""

    n: int
    last: int
    at: int
    who: tuple[Face, ...]


_decode: Final = msgspec.json.Decoder(Summary).decode


def summary(thread: str | None) -> Summary | None:
    return None if thread is None else _decode(thread)


def grown(root: Message, answers: Sequence[Message], number: int) -> Message:
    """The first message of a thread after these answers, changed under a number of its room."""
    known = summary(root.thread)
    faces = {face.user_id: face for face in known.who} if known else {}
    for answer in answers:
        faces.pop(answer.author_id, None)
        name, hue = answer.author_name, answer.author_hue
        faces[answer.author_id] = Face(answer.author_id, initials(name), hue, answer.author_avatar)
    now = Summary(
        (known.n if known else 0) + len(answers),
        answers[-1].seq,
        answers[-1].at,
        tuple(faces.values())[-FACES_MOST:],
    )
    return replace(root, changed_seq=number, thread=msgspec.json.encode(now).decode())


# -- answering ----------------------------------------------------------------------


_GROW_SQLITE: Final = (
    "UPDATE messages SET changed_seq = ?3, thread = ?4 WHERE room_id = ?1 AND seq = ?2"
)
_GROW_POSTGRESQL: Final = """
    UPDATE messages SET changed_seq = given.changed_seq, thread = given.thread
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[]) AS given (room_id, seq, changed_seq, thread)
    WHERE messages.room_id = given.room_id AND messages.seq = given.seq"""
_FOLLOW: Final = """
    INSERT INTO thread_follows (user_id, room_id, thread_seq, is_following, read_seq)
    {values}
    ON CONFLICT (user_id, room_id, thread_seq) DO UPDATE
    SET read_seq = CASE WHEN excluded.read_seq > thread_follows.read_seq
        THEN excluded.read_seq ELSE thread_follows.read_seq END"""
_FOLLOW_SQLITE: Final = _FOLLOW.format(values="VALUES (?1, ?2, ?3, TRUE, ?4)")
_FOLLOW_POSTGRESQL: Final = _FOLLOW.format(
    values="SELECT u, r, t, TRUE, s FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])"
    " AS given (u, r, t, s)"
)
_FOLLOWERS: Final = InWords(
    """
    SELECT thread_follows.room_id, thread_follows.user_id
    FROM json_each(?) AS given
    CROSS JOIN thread_follows ON thread_follows.room_id = json_extract(given.value, '$[0]')
        AND thread_follows.thread_seq = json_extract(given.value, '$[1]') AND thread_follows.is_following""",
    """
    SELECT thread_follows.room_id, thread_follows.user_id
    FROM unnest($1::bigint[], $2::bigint[]) AS given (room_id, thread_seq)
    JOIN thread_follows ON thread_follows.room_id = given.room_id
        AND thread_follows.thread_seq = given.thread_seq AND thread_follows.is_following""",
)


async def store(
    tx: Transaction, roots: Sequence[Message], answers: Sequence[Message]
) -> dict[int, set[int]]:
    """First messages as `grown` left them, once their answers are stored, and who follows them now: by room."""
    reads: dict[tuple[int, int, int], int] = {  # what somebody wrote, they have read
        (root.author_id, root.room_id, root.seq): root.seq for root in roots
    }
    for answer in answers:
        reads[answer.author_id, answer.room_id, answer.thread_seq or 0] = answer.seq
    changed = [(root.room_id, root.seq, root.changed_seq, root.thread) for root in roots]
    await _each(tx, _GROW_SQLITE, _GROW_POSTGRESQL, changed)
    await follow_each(tx, [(*who, seq) for who, seq in sorted(reads.items())])
    followers: dict[int, set[int]] = {}
    threads = [[root.room_id for root in roots], [root.seq for root in roots]]
    for room_id, user_id in await tx.ask(_FOLLOWERS, *threads):
        followers.setdefault(room_id, set()).add(user_id)
    return followers


async def follow_each(tx: Transaction, rows: Sequence[tuple[int, int, int, int]]) -> None:
    """These people (user, room, thread, read up to) follow these threads, unless they said that they will not."""
    await _each(tx, _FOLLOW_SQLITE, _FOLLOW_POSTGRESQL, rows)


async def _each(
    tx: Transaction, sqlite: str, postgresql: str, rows: Sequence[tuple[Any, ...]]
) -> None:
    if tx.is_sqlite:
        await tx.change(sqlite, list(rows))
    else:
        await tx.change(postgresql, [tuple(map(list, zip(*rows, strict=True)))])


# -- what is deleted --------------------------------------------------------------------


async def count_again(tx: Transaction, room: Any, thread_seq: int) -> Message:
    """The first message of a thread by the answers that are there now, with the looks of today: under the next number
    of its room, locked and read anew. Without any it is no thread, until somebody answers again."""
    answers = _answers(room.id, thread_seq)
    n = await tx.fetch_value(select(func.count()).select_from(rows_of).where(answers))
    if not n:
        return await messages.change(tx, room, thread_seq, thread=None)
    newest = (
        select(rows_of.c.author_id, func.max(rows_of.c.seq).label("seq"))
        .where(answers)
        .group_by(rows_of.c.author_id)
        .order_by(func.max(rows_of.c.seq).desc())
        .limit(FACES_MOST)
        .subquery()
    )
    query = (
        select(newest.c.seq, rows_of.c.at, users.c.id, users.c.name, users.c.hue, users.c.avatar)
        .join(rows_of, rows_of.c.seq == newest.c.seq)
        .join(users, users.c.id == newest.c.author_id)
        .where(rows_of.c.room_id == room.id)
        .order_by(newest.c.seq)
    )
    rows = await tx.fetch_all(query)
    faces = tuple(Face(row.id, initials(row.name), row.hue, row.avatar) for row in rows)
    now = Summary(n, rows[-1].seq, rows[-1].at, faces)
    packed = msgspec.json.encode(now).decode()
    return await messages.change(tx, room, thread_seq, thread=packed)


def _answers(room_id: int, thread_seq: int) -> Any:
    return and_(
        rows_of.c.room_id == room_id,
        rows_of.c.thread_seq == thread_seq,
        rows_of.c.thread_seq.is_not(None),  # so that the index of answers is used
        rows_of.c.kind == "message",
    )


# -- one thread -----------------------------------------------------------------------


async def first(reader: Reader, room_id: int, seq: int) -> Message:
    """The first message of the thread to which a message belongs: itself, when nobody answered. Raises `Missing`."""
    found = await messages.find(reader, room_id, seq)
    if found is not None and found.thread_seq is not None:
        found = await messages.find(reader, room_id, found.thread_seq)
    if found is None or found.kind not in quotes.ANSWERABLE:
        raise Missing("message_gone")
    return found
