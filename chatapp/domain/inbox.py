"""What concerns somebody and is not read: messages that name them, and replies to theirs, in the rooms they are in at
that moment.

Cleared row by row, or by reading on in the room. Clearing a mention moves nobody's read number; clearing replies reads
their thread.
"""

from typing import Any, Final, NamedTuple

from sqlalchemy import and_, func, select, tuple_, update

from chatapp.database import Transaction
from chatapp.domain import following, markup, naming
from chatapp.domain.listed import TEXT_CHARACTERS, Listed, columns, listed
from chatapp.domain.memberships import Reader
from chatapp.domain.mentions import EVERYBODY, PRESENT, unpacked
from chatapp.tables import memberships, mentions, messages, rooms, users

SHOWN_MOST: Final = 50
AHEAD_CHARACTERS: Final = 60  # of the name
_TOGETHER: Final = 400  # rows in one statement
_RECENT: Final = 5_000  # of a room's numbers, at most, in which replies are looked for
_REPLIES_READ: Final = 500


_READ: Final = func.coalesce(memberships.c.read_seq, memberships.c.joined_seq)


def _unread(user_id: int) -> Any:
    """Mentions of somebody that count, as a condition on `mentions` with `memberships`."""
    return and_(
        mentions.c.user_id == user_id,
        ~mentions.c.is_cleared,
        memberships.c.room_id == mentions.c.room_id,
        memberships.c.user_id == mentions.c.user_id,
        memberships.c.is_active,
        mentions.c.seq > _READ,
    )


async def of_user(reader: Reader, user_id: int) -> list[Listed]:
    """Unread mentions, newest first, at most `SHOWN_MOST`."""
    query = (
        select(*columns(user_id))
        .select_from(
            mentions.join(memberships, memberships.c.room_id == mentions.c.room_id)
            .join(
                messages,
                (messages.c.room_id == mentions.c.room_id) & (messages.c.seq == mentions.c.seq),
            )
            .join(rooms, rooms.c.id == mentions.c.room_id)
            .join(users, users.c.id == messages.c.author_id)
        )
        .where(_unread(user_id), messages.c.kind == "message")
        .order_by(messages.c.at.desc(), messages.c.room_id, messages.c.seq.desc())
        .limit(SHOWN_MOST)
    )
    return [
        listed(row, _excerpt(row.body, row.marks, user_id)) for row in await reader.fetch_all(query)
    ]


def _excerpt(body: str, marks: str | None, user_id: int) -> str:
    """What of a message is shown: its beginning, or what is around the name when that comes late."""
    whom = (user_id, EVERYBODY, PRESENT)
    words, places = markup.to_text(body, unpacked(marks))
    at = next((start for start, _, who in places if who in whom), 0)
    start = 0 if at < TEXT_CHARACTERS // 3 else at - AHEAD_CHARACTERS
    return ("… " if start else "") + words[start : start + TEXT_CHARACTERS]


class Replies(NamedTuple):
    """What in one thread was said in answer to the reader: the last of it, and how many there are."""

    thread_seq: int
    last: Listed
    many: int


_REPLIES: Final = f"""
    SELECT replies.room_id, {{name}}, replies.seq, users.name, users.hue, replies.body, replies.marks, replies.files,
        replies.at, users.avatar, replies.thread_seq
    FROM {{given}}
    CROSS JOIN memberships
    CROSS JOIN rooms
    CROSS JOIN messages AS replies {{by}}
    CROSS JOIN messages AS mine
    CROSS JOIN users
    LEFT JOIN thread_follows ON thread_follows.user_id = memberships.user_id
        AND thread_follows.room_id = replies.room_id AND thread_follows.thread_seq = replies.thread_seq
    WHERE memberships.user_id = {{user}} AND memberships.is_active AND rooms.id = memberships.room_id
        AND replies.room_id = memberships.room_id AND replies.thread_seq IS NOT NULL
        AND replies.seq > coalesce(memberships.read_seq, memberships.joined_seq)
        AND replies.seq > rooms.last_seq - {_RECENT}
        AND replies.kind = 'message' AND replies.author_id <> memberships.user_id
        AND mine.room_id = replies.room_id AND mine.seq = replies.reply_seq AND mine.author_id = memberships.user_id
        AND replies.seq > coalesce(thread_follows.read_seq, 0) AND coalesce(thread_follows.is_following, TRUE)
        AND users.id = replies.author_id
        AND NOT EXISTS (SELECT 1 FROM mentions WHERE mentions.user_id = memberships.user_id
            AND mentions.room_id = replies.room_id AND mentions.seq = replies.seq)
    ORDER BY replies.at DESC, replies.room_id, replies.seq DESC LIMIT {_REPLIES_READ}"""  # noqa: S608  constants
_REPLIES_TO: Final = naming.for_reader(_REPLIES, "ix_messages_answers")


async def replies_to(reader: Reader, user_id: int) -> list[Replies]:
    """Unread replies to messages of somebody, those of a thread together, the last first; at most `SHOWN_MOST`. One
    that names them as well stands among the mentions, and of threads that they left they hear no more."""
    found: dict[tuple[int, int], Replies] = {}
    for *row, thread_seq in await reader.ask(_REPLIES_TO, [user_id]):
        place = (row[0], thread_seq)
        if place in found:
            found[place] = found[place]._replace(many=found[place].many + 1)
        elif len(found) < SHOWN_MOST:
            found[place] = Replies(thread_seq, listed(row), 1)
    return list(found.values())


async def apply_clear(tx: Transaction, user_id: int, room_id: int, seq: int) -> None:
    """One mention counts no more. Safe to repeat; one that is not theirs is not touched."""
    await tx.execute(
        update(mentions)
        .where(mentions.c.user_id == user_id, mentions.c.room_id == room_id, mentions.c.seq == seq)
        .values(is_cleared=True)
    )


async def apply_clear_all(tx: Transaction, user_id: int, until: int) -> list[int]:
    """Clears what was said up to a time, so that nothing goes that has not been shown. Returns the rooms it was in."""
    answered = [each for each in await replies_to(tx, user_id) if each.last.at <= until]
    for each in answered:
        await following.apply_read(tx, user_id, each.last.room_id, each.thread_seq, each.last.seq)
    query = (
        select(mentions.c.room_id, mentions.c.seq)
        .select_from(
            mentions.join(memberships, memberships.c.room_id == mentions.c.room_id).join(
                messages,
                (messages.c.room_id == mentions.c.room_id) & (messages.c.seq == mentions.c.seq),
            )
        )
        .where(_unread(user_id), messages.c.at <= until)
    )
    found = [(row.room_id, row.seq) for row in await tx.fetch_all(query)]
    for start in range(0, len(found), _TOGETHER):
        await tx.execute(
            update(mentions)
            .where(
                mentions.c.user_id == user_id,
                tuple_(mentions.c.room_id, mentions.c.seq).in_(found[start : start + _TOGETHER]),
            )
            .values(is_cleared=True)
        )
    return sorted({room_id for room_id, _ in found} | {each.last.room_id for each in answered})
