"""What people tell about themselves: a few words, a status that ends by itself, where their clock stands.

Whether a status is over is for the database's clock to say, each time it is read: nothing has to be wiped in time.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import available_timezones

from sqlalchemy import or_, select, update

from chatapp.database import Database
from chatapp.domain import direct, emoji, text
from chatapp.domain.memberships import Reader
from chatapp.domain.users import Person, Status, status_columns
from chatapp.errors import Checks, Invalid, Missing
from chatapp.tables import memberships, now_ms, rooms, users
from chatapp.times import moment, zone_of

UNTOLD: Final = "UTC"  # what stands in `users.zone` until somebody chooses
ENDS: Final = ("", "30", "60", "today", "date")  # when a status ends: never, in so many minutes, …
DAYS_MOST: Final = 366
ROOMS_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Shared:
    """A room that two people are both in."""

    id: int
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Profile:
    """Somebody as a reader sees them. `now`: the database's time in milliseconds since 1970. `rooms`: those that both
    are in; `direct` are their conversations. `is_reachable`: whether the reader may write to them."""

    person: Person
    bio: str
    zone: str
    now: int
    is_reachable: bool
    rooms: list[Shared]
    direct: list[int]

    @property
    def tells_zone(self) -> bool:
        return self.zone != UNTOLD


@dataclass(frozen=True, slots=True)
class About:
    """What somebody has told about themselves, for their own forms."""

    bio: str
    zone: str
    status: Status
    status_until: int | None


async def find(reader: Reader, user_id: int, reader_id: int) -> Profile:
    """Everybody sees everybody; a guest only who is in a room with them. Raises `Missing`."""
    guest = users.alias("guest")
    is_guest = select(guest.c.id).where(guest.c.id == reader_id, guest.c.is_guest).exists()
    row = await reader.fetch_one(
        select(
            users.c.id,
            users.c.name,
            users.c.hue,
            users.c.avatar,
            users.c.is_admin,
            users.c.is_guest,
            users.c.bio,
            users.c.zone,
            now_ms().label("now"),
            direct.reachable(reader_id).label("is_reachable"),
            *status_columns(),
        ).where(
            users.c.id == user_id,
            users.c.deleted_at.is_(None),
            or_(users.c.id == reader_id, ~is_guest, direct.share(reader_id)),
        )
    )
    if row is None:
        raise Missing("person_gone")
    role = "administrator" if row.is_admin else "guest" if row.is_guest else "member"
    shared = [] if user_id == reader_id else await _shared(reader, user_id, reader_id)
    return Profile(
        Person(row.id, row.name, row.hue, role, Status(row.status_emoji, row.status), row.avatar),
        row.bio,
        row.zone,
        row.now,
        bool(row.is_reachable),
        [room for room in shared if room.kind != "direct"],
        [room.id for room in shared if room.kind == "direct"],
    )


async def _shared(reader: Reader, user_id: int, reader_id: int) -> list[Shared]:
    mine, theirs = memberships.alias("mine"), memberships.alias("theirs")
    rows = await reader.fetch_all(
        select(rooms.c.id, rooms.c.name, rooms.c.kind)
        .join(mine, mine.c.room_id == rooms.c.id)
        .join(theirs, theirs.c.room_id == rooms.c.id)
        .where(
            (mine.c.user_id == reader_id) & mine.c.is_active,
            (theirs.c.user_id == user_id) & theirs.c.is_active,
            rooms.c.archived_at.is_(None),
        )
        .order_by(rooms.c.name_key)
        .limit(ROOMS_MOST)
    )
    return [Shared(row.id, row.name, row.kind) for row in rows]


async def about(reader: Reader, user_id: int) -> About:
    """Raises `Missing`."""
    row = await reader.fetch_one(
        select(users.c.bio, users.c.zone, users.c.status_until, *status_columns()).where(
            users.c.id == user_id
        )
    )
    if row is None:
        raise Missing("person_gone")
    return About(row.bio, row.zone, Status(row.status_emoji, row.status), row.status_until)


@cache
def zones() -> tuple[str, ...]:
    """The places whose clocks people choose from. Read once: it takes a walk over many folders."""
    names = sorted(
        name for name in available_timezones() if "/" in name and not name.startswith("Etc/")
    )
    return tuple(names)


def _is_zone(name: str) -> bool:
    """Also those that browsers tell and nobody is offered."""
    return name in zones() or (len(name) <= 64 and zone_of(name).key == name)


async def set_about(database: Database, user_id: int, *, bio: str, zone: str) -> None:
    """`zone`: '' tells nothing. Raises `Invalid`."""
    with Checks() as checks:
        with checks.next():
            words = text.bio(bio)
        with checks.next():
            if zone and not _is_zone(zone):
                raise Invalid({"zone": "zone_unknown"})
    async with database.transaction() as tx:
        await tx.execute(
            update(users).where(users.c.id == user_id).values(bio=words, zone=zone or UNTOLD)
        )


async def set_status(
    database: Database, user_id: int, *, sign: str, words: str, ends: str, day: str, zone: str
) -> None:
    """`sign`: an emoji or its code, or ''. `ends`: one of `ENDS`, with `day` for a date. `zone`: where the day ends
    for somebody who has chosen no place. Raises `Invalid`."""
    with Checks() as checks:
        with checks.next():
            line = text.status(words)
        with checks.next():
            chosen = emoji.regular(emoji.named(sign.strip())) if sign.strip() else ""
            if chosen is None:
                raise Invalid({"emoji": "emoji_unknown"})
        with checks.next():
            if ends not in ENDS:
                raise Invalid({"ends": "ends_unknown"})
    async with database.transaction() as tx:
        row = await tx.fetch_one(
            select(users.c.zone, now_ms().label("now")).where(users.c.id == user_id)
        )
        place = zone if row.zone == UNTOLD else row.zone
        until = _until(ends, day, row.now, place) if line or chosen else None
        await tx.execute(
            update(users)
            .where(users.c.id == user_id)
            .values(status=line, status_emoji=chosen, status_until=until)
        )


def _until(ends: str, day: str, now: int, zone: str) -> int | None:
    """The moment at which a status is over, in milliseconds since 1970; None: it stays. Raises `Invalid`."""
    if not ends:
        return None
    if ends.isdigit():
        return now + int(ends) * 60_000
    today = moment(now, zone).date()
    last = today
    if ends == "date":
        try:
            last = date.fromisoformat(day[:10])
        except ValueError:
            raise Invalid({"day": "day_invalid"}) from None
        if not today <= last <= today + timedelta(days=DAYS_MOST):
            raise Invalid({"day": "day_range"})
    over = datetime.combine(last + timedelta(days=1), time(), zone_of(zone))
    return int(over.timestamp() * 1000)
