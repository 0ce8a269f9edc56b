"""What people want to be told of: a choice for each room, quiet hours, and what a notice of a message says."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select, update

from chatapp.database import Database
from chatapp.domain import attached, naming
from chatapp.domain.markup import to_text
from chatapp.domain.memberships import Reader, active
from chatapp.errors import Forbidden, Invalid
from chatapp.tables import memberships, mentions, messages, rooms, thread_follows, users

CHOICES: Final = ("all", "mentions", "nothing", "hidden")
TEXT_CHARACTERS: Final = 160  # of a message that a notice shows
_MINUTES: Final = 24 * 60
_TIME: Final = re.compile("([01][0-9]|2[0-3]):([0-5][0-9])")


async def choose(database: Database, room_id: int, user_id: int, choice: str) -> None:
    """Of what in a room a member wants to be told. Raises `Invalid`, `Forbidden`."""
    if choice not in CHOICES:
        raise Invalid({"notify": "notify_unknown"})
    async with database.transaction() as tx:
        done = await tx.execute(
            update(memberships).where(active(room_id, user_id)).values(notify=choice)
        )
        if not done.rowcount:
            raise Forbidden("not_member")


# -- quiet hours ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Quiet:
    """Minutes of the day in a zone, which may pass midnight. Both None: no quiet hours."""

    start: int | None
    end: int | None
    zone: str

    def holds(self, at: float) -> bool:
        """Whether it is quiet at a moment (Unix time)."""
        if self.start is None or self.end is None or self.start == self.end:
            return False
        there = datetime.fromtimestamp(at, _zone(self.zone))
        now = there.hour * 60 + there.minute
        if self.start < self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    """An unknown zone is UTC."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return ZoneInfo("UTC")


def minute(text: str, field: str) -> int | None:
    """'22:30' as a minute of the day, '' as None. Raises `Invalid`."""
    if not text:
        return None
    found = _TIME.fullmatch(text[:5])
    if found is None:
        raise Invalid({field: "time_invalid"})
    return int(found[1]) * 60 + int(found[2])


def clock(minutes: int | None) -> str:
    """A minute of the day as a form shows it."""
    return "" if minutes is None else f"{minutes % _MINUTES // 60:02}:{minutes % 60:02}"


async def quiet_of(reader: Reader, user_id: int) -> Quiet:
    row = await reader.fetch_one(
        select(users.c.quiet_from, users.c.quiet_until, users.c.zone).where(users.c.id == user_id)
    )
    return Quiet(row.quiet_from, row.quiet_until, row.zone) if row else Quiet(None, None, "UTC")


async def set_quiet(database: Database, user_id: int, start: str, end: str, zone: str) -> Quiet:
    """Quiet hours as somebody typed them: two times, or neither. Raises `Invalid`."""
    quiet = Quiet(minute(start, "from"), minute(end, "until"), _zone(zone[:64]).key)
    if (quiet.start is None) != (quiet.end is None):
        raise Invalid({"from" if quiet.start is None else "until": "time_missing"})
    async with database.transaction() as tx:
        await tx.execute(
            update(users)
            .where(users.c.id == user_id)
            .values(quiet_from=quiet.start, quiet_until=quiet.end, zone=quiet.zone)
        )
    return quiet


# -- a notice -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told of one message. `is_direct`: its room is called otherwise for each reader."""

    room_id: int
    seq: int
    room: str
    author: str
    text: str
    is_direct: bool


def beginning(body: str, files: str | None = None) -> str:
    """The start of a message in one line, without its signs of formatting; what its files are if it has no words."""
    if files and not body:
        return attached.in_words(files)
    words, _ = to_text(body)
    line = " ".join(words[: 4 * TEXT_CHARACTERS].split())
    return line if len(line) <= TEXT_CHARACTERS else line[: TEXT_CHARACTERS - 1].rstrip() + "…"


async def find(reader: Reader, room_id: int, seq: int, user_id: int) -> Notice | None:
    """A living message, as a member reads it: MUST be asked for members only."""
    row = await reader.fetch_one(
        select(
            messages.c.body,
            messages.c.files,
            naming.of_room(user_id).label("room"),
            rooms.c.kind,
            users.c.name,
        )
        .join_from(messages, rooms, rooms.c.id == messages.c.room_id)
        .join(users, users.c.id == messages.c.author_id)
        .where(messages.c.room_id == room_id, messages.c.seq == seq, messages.c.kind == "message")
    )
    return row and Notice(
        room_id,
        seq,
        row.room,
        row.name,
        beginning(row.body, row.files),
        row.kind == "direct",
    )


def _in_a_followed_thread() -> Any:
    """Whether a message answers in a thread that a member follows, and has not read there."""
    return exists().where(
        thread_follows.c.user_id == memberships.c.user_id,
        thread_follows.c.room_id == messages.c.room_id,
        thread_follows.c.thread_seq == messages.c.thread_seq,
        thread_follows.c.is_following,
        thread_follows.c.read_seq < messages.c.seq,
    )


async def newest(reader: Reader, room_id: int, user_id: int) -> int | None:
    """The newest unread message that concerns a member by their choice."""
    wanted = (
        select(func.max(messages.c.seq))
        .select_from(
            messages.join(memberships, memberships.c.room_id == messages.c.room_id).outerjoin(
                mentions,
                (mentions.c.user_id == memberships.c.user_id)
                & (mentions.c.room_id == messages.c.room_id)
                & (mentions.c.seq == messages.c.seq),
            )
        )
        .where(
            active(room_id, user_id),
            messages.c.room_id == room_id,
            messages.c.seq > func.coalesce(memberships.c.read_seq, memberships.c.joined_seq),
            messages.c.kind == "message",
            messages.c.author_id != user_id,
            (memberships.c.notify == "all")
            | (memberships.c.notify == "mentions")
            & (mentions.c.seq.is_not(None) | _in_a_followed_thread()),
        )
    )
    found = await reader.fetch_value(wanted)
    return None if found is None else int(found)


def address(notice: Notice) -> str:
    """Where the very message is."""
    return f"/rooms/{notice.room_id}?around={notice.seq}#m-{notice.seq}"
