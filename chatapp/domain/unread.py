"""What a member has not read: other people's messages above the one number that is stored for each member and room.

It is counted whenever somebody asks, never kept, so it cannot stick. Counting stops at `UNREAD_MOST`, which is shown
as '99+'. A member who never read anything counts from the moment they joined.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import select

from chatapp.database import Transaction
from chatapp.domain import naming, text
from chatapp.domain.memberships import Reader
from chatapp.domain.users import Status
from chatapp.reading import InWords
from chatapp.tables import NOW_POSTGRESQL, NOW_SQLITE, memberships, messages

UNREAD_MOST: Final = 100
ANSWERS_MOST: Final = 200  # the newest unread ones of a room, of which threads are counted


class Unread(NamedTuple):
    """As of a room's number `seq`. `read`: up to which number; `mentions`: those of the unread that name the reader;
    `threads`: how many threads the reader follows have something unread."""

    room_id: int
    seq: int
    read: int
    unread: int
    mentions: int
    threads: int = 0


class Mark(NamedTuple):
    """What a window tells of its reader. `read`: a number they have seen, 0 for none; `back`: what is behind it shall
    be unread again. `place`: the row at the top of the window, 0 at the end, None when it is not told."""

    read: int
    back: bool = False
    place: int | None = None


# Of the row `memberships`: the rest of a statement says which.
_READ: Final = "coalesce(memberships.read_seq, memberships.joined_seq)"
_ABOVE: Final = f"""
    (SELECT count(*) FROM (
        SELECT 1 FROM messages
        WHERE messages.room_id = memberships.room_id AND messages.seq > {_READ}
            AND messages.kind = 'message' AND messages.author_id <> memberships.user_id
        LIMIT {UNREAD_MOST}) AS above)"""  # noqa: S608  only constants of ours
# In a direct room every message counts as one that names its reader.
COUNTS: Final = f"""
    rooms.last_seq, {_READ},
    {_ABOVE},
    CASE WHEN rooms.kind = 'direct' THEN {_ABOVE} ELSE
    (SELECT count(*) FROM mentions
     WHERE mentions.user_id = memberships.user_id AND mentions.room_id = memberships.room_id
        AND mentions.seq > {_READ} AND NOT mentions.is_cleared) END,
    (SELECT count(DISTINCT answers.thread_seq) FROM (
        SELECT thread_seq, seq FROM messages
        WHERE messages.room_id = memberships.room_id AND messages.seq > {_READ}
            AND messages.thread_seq IS NOT NULL
            AND messages.kind = 'message' AND messages.author_id <> memberships.user_id
        ORDER BY messages.seq DESC LIMIT {ANSWERS_MOST}) AS answers
     JOIN thread_follows ON thread_follows.user_id = memberships.user_id
        AND thread_follows.room_id = memberships.room_id AND thread_follows.thread_seq = answers.thread_seq
     WHERE thread_follows.is_following AND answers.seq > thread_follows.read_seq)"""  # noqa: S608  only constants of ours

_OF_PAIRS: Final = InWords(
    f"""
    SELECT memberships.user_id, memberships.room_id, {COUNTS}
    FROM json_each(?) AS given
    CROSS JOIN memberships ON memberships.room_id = json_extract(given.value, '$[0]')
        AND memberships.user_id = json_extract(given.value, '$[1]') AND memberships.is_active
    CROSS JOIN rooms ON rooms.id = memberships.room_id""",  # noqa: S608  only constants of ours
    f"""
    SELECT memberships.user_id, memberships.room_id, {COUNTS}
    FROM unnest($1::bigint[], $2::bigint[]) AS given (room_id, user_id)
    JOIN memberships ON memberships.room_id = given.room_id
        AND memberships.user_id = given.user_id AND memberships.is_active
    JOIN rooms ON rooms.id = memberships.room_id""",  # noqa: S608  only constants of ours
)


@dataclass(frozen=True, slots=True)
class SideRoom:
    """A line of the sidebar, and what its reader has not read or not sent there."""

    id: int
    name: str
    notify: str
    seq: int
    read: int
    unread: int
    mentions: int
    threads: int
    has_draft: bool  # or 0 and 1, as SQLite has it
    kind: str
    told: str | None = (
        None  # the status of the other one in a direct room: an emoji or nothing, a space, words
    )

    @property
    def status(self) -> Status:
        sign, _, words = (self.told or "").partition(" ")
        return Status(sign, words)


# In a direct room of two, and as long as it lasts.
_STATUS: Final = """
    CASE WHEN rooms.kind = 'direct' AND rooms.direct_key NOT LIKE '% % %' THEN (
        SELECT others.status_emoji || ' ' || others.status
        FROM memberships AS theirs JOIN users AS others ON others.id = theirs.user_id
        WHERE theirs.room_id = rooms.id AND theirs.user_id <> memberships.user_id
            AND (others.status_until IS NULL OR others.status_until > {now}) LIMIT 1) END"""

_OF_USER: Final = InWords(
    *(
        f"""
        SELECT memberships.room_id, {name}, memberships.notify, {COUNTS},
            EXISTS (SELECT 1 FROM drafts
                WHERE drafts.user_id = memberships.user_id AND drafts.room_id = memberships.room_id),
            rooms.kind, {_STATUS.format(now=now)}
        FROM {given}
        CROSS JOIN memberships
        CROSS JOIN rooms
        WHERE memberships.user_id = {user} AND memberships.is_active AND rooms.id = memberships.room_id
            AND rooms.archived_at IS NULL
        ORDER BY rooms.name_key"""  # noqa: S608  only constants of ours
        for given, user, name, now in (
            (
                "json_each(?) AS given",
                "given.value",
                naming.in_words("memberships.user_id", is_sqlite=True),
                NOW_SQLITE,
            ),
            (
                "unnest($1::bigint[]) AS given (user_id)",
                "given.user_id",
                naming.in_words("memberships.user_id", is_sqlite=False),
                NOW_POSTGRESQL,
            ),
        )
    )
)


async def of_user(reader: Reader, user_id: int) -> list[SideRoom]:
    """The rooms of a person, by name; the direct ones behind the others."""
    rows: list[Any] = [tuple(row) for row in await reader.ask(_OF_USER, [user_id])]
    found = [SideRoom(*row) for row in rows]
    ordinary = [room for room in found if room.kind != "direct"]
    direct = [room for room in found if room.kind == "direct"]
    return ordinary + sorted(direct, key=lambda room: text.name_key(room.name))


def total(rooms: Sequence[SideRoom]) -> int:
    """What stands in the title: all that is unread, but only what concerns them where somebody wants no more."""
    return sum(map(_counted, rooms))


def _counted(room: SideRoom) -> int:
    if room.notify == "all":
        return room.unread
    return room.mentions + (room.threads if room.notify == "mentions" else 0)


async def first(reader: Reader, room_id: int, user_id: int, read: int) -> int | None:
    """The number of the first message that somebody who has read up to `read` has not read."""
    found = await reader.fetch_value(
        select(messages.c.seq)
        .where(
            messages.c.room_id == room_id,
            messages.c.seq > read,
            messages.c.kind == "message",
            messages.c.author_id != user_id,
        )
        .order_by(messages.c.seq)
        .limit(1)
    )
    return None if found is None else int(found)


async def place(reader: Reader, room_id: int, user_id: int) -> int | None:
    """Where somebody was reading when they left a room; None: at its end."""
    found = await reader.fetch_value(
        select(memberships.c.place_seq).where(
            memberships.c.room_id == room_id, memberships.c.user_id == user_id
        )
    )
    return None if found is None else int(found)


async def counts(reader: Reader, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Unread]:
    """What each of these (room, user) has not read; those who are no members are missing from the answer."""
    rows = await reader.ask(_OF_PAIRS, [room for room, _ in pairs], [user for _, user in pairs])
    return {(row[1], row[0]): Unread(row[1], *row[2:]) for row in map(tuple, rows)}


# A number beyond the room's last is the room's last. Who is no member changes nothing. Without `back` it only rises.
_MARK_SQLITE: Final = f"""
    UPDATE memberships SET
        read_seq = CASE WHEN ?4 OR {_READ} < ?3
            THEN min(?3, (SELECT last_seq FROM rooms WHERE id = ?1)) ELSE read_seq END,
        place_seq = CASE WHEN ?5 IS NULL THEN place_seq ELSE nullif(?5, 0) END
    WHERE room_id = ?1 AND user_id = ?2 AND is_active"""  # noqa: S608  only constants of ours
_MARK_POSTGRESQL: Final = f"""
    UPDATE memberships SET
        read_seq = CASE WHEN given.back OR {_READ} < given.read
            THEN least(given.read, rooms.last_seq) ELSE read_seq END,
        place_seq = CASE WHEN given.place IS NULL THEN place_seq ELSE nullif(given.place, 0) END
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::boolean[], $5::bigint[])
        AS given (room_id, user_id, read, back, place)
    JOIN rooms ON rooms.id = given.room_id
    WHERE memberships.room_id = given.room_id AND memberships.user_id = given.user_id
        AND memberships.is_active"""  # noqa: S608  only constants of ours


async def apply_marks(tx: Transaction, marks: dict[tuple[int, int], Mark]) -> None:
    """Stores what windows told, by (room, user). Safe to repeat."""
    rows: list[tuple[Any, ...]] = [
        (room_id, user_id, mark.read, mark.back, mark.place)
        for (room_id, user_id), mark in sorted(marks.items())
    ]
    if tx.is_sqlite:
        await tx.change(_MARK_SQLITE, rows)
    else:
        await tx.change(_MARK_POSTGRESQL, [tuple(map(list, zip(*rows, strict=True)))])
