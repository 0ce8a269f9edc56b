"""What somebody typed into the search field, taken apart.

    "quoted phrase"  word  from:name  in:room  before:DAY  after:DAY  on:DAY  has:link|file|code

DAY is 2026-01-31, 2026-01, 2026, today or yesterday, in the reader's time zone; `before` and `after` leave it out. A
value of several words is quoted: `in:"Night shift"`. Whatever has no such meaning (`NOTE:`, `before:noon`, `*`, `"`) is
text to look for, so no text is an error.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from chatapp.domain import grams, text

CHARACTERS_MOST: Final = 200
TERMS_MOST: Final = 8
VALUES_MOST: Final = 8  # of one filter
HAS: Final = ("link", "file", "code")

_PIECE: Final = re.compile(
    r"""(?:(?P<key>from|in|before|after|on|has):)?
    (?:["“„](?P<phrase>[^"“”]*)["“”]? | (?P<word>\S+))""",
    re.VERBOSE | re.IGNORECASE,
)
_DAY: Final = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?")
_YEARS: Final = range(1970, 2100)


@dataclass(frozen=True, slots=True)
class Query:
    """`terms`: folded texts, all of which must stand in a message. Of each filter's values one must be right.
    `since` and `until`: milliseconds, the first one in and the first one out. `is_cut`: some was left out."""

    terms: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    has: frozenset[str] = frozenset()
    since: int | None = None
    until: int | None = None
    is_cut: bool = False

    @property
    def is_empty(self) -> bool:
        filters = self.terms or self.authors or self.rooms or self.has
        return not filters and self.since is None and self.until is None


def parse(typed: str, zone: tzinfo = UTC, now: datetime | None = None) -> Query:
    """Never raises. `now` is for tests."""
    today = (now or datetime.now(UTC)).astimezone(zone).date()
    terms: dict[str, None] = {}
    authors: dict[str, None] = {}
    rooms: dict[str, None] = {}
    has: set[str] = set()
    since: list[int] = []
    until: list[int] = []
    for piece in _PIECE.finditer(unicodedata.normalize("NFC", typed[:CHARACTERS_MOST])):
        key = (piece["key"] or "").lower()
        value = piece["word"] if piece["phrase"] is None else piece["phrase"]
        days = _days(value, today) if key in {"before", "after", "on"} else None
        if key == "from" and (name := text.search_key(value.removeprefix("@"))):
            authors[name] = None
        elif key == "in" and (name := text.search_key(value.removeprefix("#"))):
            rooms[name] = None
        elif key == "has" and value.lower() in HAS:
            has.add(value.lower())
        elif days is not None:
            if key != "before":
                since.append(_start(days[key == "after"], zone))
            if key != "after":
                until.append(_start(days[key == "on"], zone))
        else:
            whole = value if not key else piece[0]
            if term := grams.fold(whole).strip():
                terms[term] = None
    too_many = len(terms) > TERMS_MOST or max(len(authors), len(rooms)) > VALUES_MOST
    return Query(
        tuple(terms)[:TERMS_MOST],
        tuple(authors)[:VALUES_MOST],
        tuple(rooms)[:VALUES_MOST],
        frozenset(has),
        max(since, default=None),
        min(until, default=None),
        is_cut=too_many or len(typed) > CHARACTERS_MOST,
    )


def _days(value: str, today: date) -> tuple[date, date] | None:
    """The first day of what is meant, and the first one after it."""
    named = {"today": today, "yesterday": today - timedelta(days=1)}.get(value.lower())
    if named is not None:
        return named, named + timedelta(days=1)
    found = _DAY.fullmatch(value)
    if found is None or int(found[1]) not in _YEARS:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        first = date(year or 1, month or 1, day or 1)
    except ValueError:
        return None
    if day:
        return first, first + timedelta(days=1)
    if month:
        return first, (first + timedelta(days=31)).replace(day=1)
    return first, first.replace(year=first.year + 1)


def _start(day: date, zone: tzinfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)
