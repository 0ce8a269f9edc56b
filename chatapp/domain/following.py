"""Threads as their followers see them: what is followed, and what of it is not read."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select, update

from chatapp.database import Transaction
from chatapp.domain import naming, quotes, text, threads
from chatapp.domain.memberships import Reader
from chatapp.tables import thread_follows

SHOWN_MOST: Final = 50
UNREAD_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Followed:
    """A thread that somebody follows. `text`: how it begins, '' when that was deleted; `at`: of the last answer, ms."""

    room_id: int
    room_name: str
    seq: int
    author_name: str
    author_hue: int
    text: str
    count: int
    at: int
    unread: int
    author_avatar: str | None

    @property
    def author_initials(self) -> str:
        return text.initials(self.author_name)


_OF_USER: Final = f"""
    SELECT * FROM (SELECT thread_follows.room_id, {{name}}, thread_follows.thread_seq, users.name, users.hue,
        {quotes.START.format("messages")}, messages.thread,
        (SELECT count(*) FROM (
            SELECT 1 FROM messages AS answers {{by}}
            WHERE answers.room_id = thread_follows.room_id AND answers.thread_seq = thread_follows.thread_seq
                AND answers.thread_seq IS NOT NULL
                AND answers.seq > thread_follows.read_seq
                AND answers.seq > coalesce(memberships.read_seq, memberships.joined_seq)
                AND answers.kind = 'message' AND answers.author_id <> thread_follows.user_id
            LIMIT {UNREAD_MOST}) AS above) AS unread,
        (SELECT answers.at FROM messages AS answers {{by}}
            WHERE answers.room_id = thread_follows.room_id AND answers.thread_seq = thread_follows.thread_seq
                AND answers.thread_seq IS NOT NULL
            ORDER BY answers.seq DESC LIMIT 1) AS at, users.avatar
    FROM {{given}}
    CROSS JOIN thread_follows
    CROSS JOIN memberships
    CROSS JOIN messages
    CROSS JOIN rooms
    CROSS JOIN users
    WHERE thread_follows.user_id = {{user}} AND thread_follows.is_following
        AND memberships.room_id = thread_follows.room_id AND memberships.user_id = thread_follows.user_id
        AND memberships.is_active
        AND messages.room_id = thread_follows.room_id AND messages.seq = thread_follows.thread_seq
        AND messages.thread IS NOT NULL
        AND rooms.id = thread_follows.room_id AND users.id = messages.author_id
    ) AS found ORDER BY CASE WHEN unread > 0 THEN 0 ELSE 1 END, at DESC LIMIT {SHOWN_MOST}"""  # noqa: S608  constants
# left to itself, SQLite reads the whole room for each thread
_FOLLOWED: Final = naming.for_reader(_OF_USER, "ix_messages_threads")


async def of_user(reader: Reader, user_id: int) -> list[Followed]:
    """The threads that somebody follows in the rooms they are in, those with something unread first, then by the time
    of the last answer; at most `SHOWN_MOST`."""
    rows = await reader.ask(_FOLLOWED, [user_id])
    return [
        Followed(
            room_id,
            room,
            seq,
            name,
            hue,
            quotes.beginning(start),
            _count(thread),
            at,
            unread,
            avatar,
        )
        for room_id, room, seq, name, hue, start, thread, unread, at, avatar in rows
    ]


def _count(thread: str) -> int:
    known = threads.summary(thread)
    return known.n if known else 0


async def is_following(reader: Reader, user_id: int, room_id: int, seq: int) -> bool:
    return bool(
        await reader.fetch_value(
            select(thread_follows.c.is_following).where(*_of(user_id, room_id, seq))
        )
    )


async def apply_choice(
    tx: Transaction, user_id: int, room_id: int, seq: int, *, follows: bool
) -> None:
    """Somebody wants to hear of a thread, or no more. Safe to repeat. `seq` MUST be of a message."""
    await threads.follow_each(tx, [(user_id, room_id, seq, seq)])
    await tx.execute(
        update(thread_follows).where(*_of(user_id, room_id, seq)).values(is_following=follows)
    )


async def apply_read(tx: Transaction, user_id: int, room_id: int, seq: int, upto: int) -> bool:
    """A follower has read a thread up to a number, which only rises. Whether anything changed."""
    done = await tx.execute(
        update(thread_follows)
        .where(*_of(user_id, room_id, seq), thread_follows.c.read_seq < upto)
        .values(read_seq=upto)
    )
    return bool(done.rowcount)


def _of(user_id: int, room_id: int, seq: int) -> tuple[Any, ...]:
    return (
        thread_follows.c.user_id == user_id,
        thread_follows.c.room_id == room_id,
        thread_follows.c.thread_seq == seq,
    )
