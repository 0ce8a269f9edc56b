"""What concerns somebody and is not read: messages that name them, in the rooms they are in at that moment.

Cleared row by row, or by reading on in the room. Clearing moves nobody's read number.
"""

from typing import Any, Final

from sqlalchemy import and_, func, select, tuple_, update

from chatapp.database import Transaction
from chatapp.domain import markup
from chatapp.domain.listed import COLUMNS, TEXT_CHARACTERS, Listed, listed
from chatapp.domain.memberships import Reader
from chatapp.domain.mentions import EVERYBODY, PRESENT, unpacked
from chatapp.tables import memberships, mentions, messages, rooms, users

SHOWN_MOST: Final = 50
AHEAD_CHARACTERS: Final = 60  # of the name
_TOGETHER: Final = 400  # rows in one statement


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
        select(*COLUMNS)
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


async def apply_clear(tx: Transaction, user_id: int, room_id: int, seq: int) -> None:
    """One mention counts no more. Safe to repeat; one that is not theirs is not touched."""
    await tx.execute(
        update(mentions)
        .where(mentions.c.user_id == user_id, mentions.c.room_id == room_id, mentions.c.seq == seq)
        .values(is_cleared=True)
    )


async def apply_clear_all(tx: Transaction, user_id: int, until: int) -> list[int]:
    """Clears what was said up to a time, so that nothing goes that has not been shown. Returns the rooms it was in."""
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
    return sorted({room_id for room_id, _ in found})
