"""HTML from templates. The one door to `jinja2`.

A message is rendered once for all readers (`Fragments`); what differs by reader is a class on its first tag, added
for pages here and for live frames in the browser.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from chatapp import words
from chatapp.domain import quotes
from chatapp.domain.calls import Ended, ended
from chatapp.domain.commands import Message, Quote
from chatapp.domain.markup import is_dear, to_html
from chatapp.domain.mentions import EVERYBODY, PRESENT, unpacked
from chatapp.domain.mine import NOTHING, Mine
from chatapp.domain.reactions import Reaction
from chatapp.domain.reactions import unpacked as reactions_of
from chatapp.domain.text import initials
from chatapp.domain.threads import Summary, summary

TEMPLATES: Final = Path(__file__).parent / "templates"
FOLLOW_MS: Final = 5 * 60 * 1000
SAID: Final = frozenset({"message", "deleted"})  # rows of people, not events
_OPENING: Final = '<article class="msg'
_CLOSING: Final = "</div></article>"
_LAST: Final = "</p>"


class Templates:
    """Renders templates by name. `fixed`: values that every template may use."""

    def __init__(self, fixed: dict[str, Any]) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(fixed)
        self._environment.filters.update(
            clock=clock, iso=iso, day=day, day_words=day_words, ago=ago, length_words=length_words
        )

    def render(self, name: str, values: dict[str, Any]) -> str:
        return self._environment.get_template(name).render(values)


def moment(at: int, zone: str = "UTC") -> datetime:
    """Milliseconds since 1970 as a time in a zone; an unknown zone counts as UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone_of(zone))


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name if name.isascii() and len(name) <= 64 else "UTC")
    except (ValueError, OSError, KeyError):
        return ZoneInfo("UTC")


def clock(at: int, zone: str = "UTC") -> str:
    return moment(at, zone).strftime("%H:%M")


def iso(at: int) -> str:
    return moment(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(at: int, zone: str = "UTC") -> str:
    return moment(at, zone).strftime("%Y-%m-%d")


def day_words(at: int, zone: str = "UTC") -> str:
    """'Today', 'Yesterday', 'Tuesday 15 April', or with the year when it is not this one."""
    then = moment(at, zone)
    now = datetime.now(zone_of(zone))
    if then.date() == now.date():
        return words.TODAY
    if then.date() == now.date() - timedelta(days=1):
        return words.YESTERDAY
    text = f"{words.WEEKDAYS[then.weekday()]} {then.day} {words.MONTHS[then.month - 1]}"
    return text if then.year == now.year else f"{text} {then.year}"


def ago(at: int) -> str:
    """How long it is since, in words that age well: no longer than a day counts hours."""
    then = moment(at)
    minutes = int((datetime.now(UTC) - then).total_seconds() // 60)
    if minutes < 1:
        return words.JUST_NOW
    for size, forms in ((60, words.MINUTES_AGO), (60 * 24, words.HOURS_AGO)):
        if minutes < size:
            n = minutes if size == 60 else minutes // 60
            return forms[0] if n == 1 else forms[1].format(n=n)
    if minutes < 60 * 48:
        return words.ON_YESTERDAY
    return f"{then.day} {words.MONTHS[then.month - 1]} {then.year}"


def length_words(seconds: int) -> str:
    """How long something took: 'less than a minute', '24 minutes', '1 hour and 5 minutes'."""
    hours, minutes = divmod(seconds // 60, 60)
    parts = [
        forms[0] if n == 1 else forms[1].format(n=n)
        for n, forms in ((hours, words.HOURS), (minutes, words.MINUTES))
        if n
    ]
    return words.AND.join(parts) or words.UNDER_A_MINUTE


@dataclass(frozen=True, slots=True)
class Shown:
    """What the message partial is given. `iso` and `clock` are its time, in UTC."""

    seq: object
    kind: str
    author_id: object
    author_name: str
    author_hue: object
    author_initials: str
    html: Markup
    detail: str
    iso: str
    clock: str
    key: str | None
    call: Ended | None = None
    edited_at: int | None = None
    reply_seq: int | None = None
    thread_seq: int | None = None
    thread: str | None = None
    room_id: int = 0
    reactions: tuple[Reaction, ...] = ()
    pinned_at: int | None = None
    quote: Quote | None = None
    summary: Summary | None = None  # of the thread that begins with it
    quotable: str | None = None  # how those quote it that answered it before it was changed


class _Mould:
    """The partial as it is for every plain message, with gaps for what differs: rendered once, filled in a few
    microseconds.

    MUST give the bytes that rendering would give: of what a plain message has, the partial may test only the kind, and
    whether there is a key, which all have.
    """

    _GAPS: Final = (
        "room_id",
        "seq",
        "author_id",
        "author_name",
        "author_hue",
        "author_initials",
        "html",
        "iso",
        "clock",
        "key",
    )

    def __init__(self, templates: Templates) -> None:
        marks: dict[str, Any] = {name: Markup(f"\0{name}\0") for name in self._GAPS}  # noqa: S704  no text of people
        html = templates.render(
            "messages/_message.html", {"message": Shown(kind="message", detail="", **marks)}
        ).strip()
        parts = html.replace("%", "%%").split("\0")
        parts[1::2] = [f"%({name})s" for name in parts[1::2]]
        self._format = "".join(parts)

    def fill(self, message: Message, html: str) -> str:
        return self._format % {
            "room_id": message.room_id,
            "seq": message.seq,
            "author_id": message.author_id,
            "author_name": escape(message.author_name),
            "author_hue": message.author_hue,
            "author_initials": escape(initials(message.author_name)),
            "html": html,
            "iso": _iso(message.at // 1000),
            "clock": _utc_clock(message.at // 60_000),
            "key": escape(message.key or ""),
        }


@lru_cache(maxsize=1024)
def _iso(seconds: int) -> str:
    return iso(seconds * 1000)


@lru_cache(maxsize=1024)
def _utc_clock(minutes: int) -> str:
    return clock(minutes * 60_000)


@dataclass(frozen=True, slots=True)
class Day:
    """The messages of one local day. `date` as YYYY-MM-DD."""

    date: str
    label: str
    html: Markup


@dataclass(frozen=True, slots=True)
class Fresh:
    """Where what is new to a reader begins, and how much it is."""

    seq: int
    count: int


@dataclass(frozen=True, slots=True)
class Links:
    """Beside each message on a page without scripts. `changes`: whose messages the reader may change; None: all."""

    changes: frozenset[int] | None


class Fragments:
    """Renders messages, and keeps what was rendered.

    MUST give the same HTML for the same message at the same change, whoever reads it. Kept by (room, number, change,
    author's look, what is quoted), so nothing stale can be served; at most `capacity` bytes, oldest use out first.
    """

    def __init__(self, templates: Templates, capacity: int = 32 * 1024 * 1024) -> None:
        self._templates = templates
        self._capacity = capacity
        self._size = 0
        self._kept: OrderedDict[tuple[Any, ...], str] = OrderedDict()

    async def ready(self, messages: Sequence[Message]) -> None:
        """Renders what takes long in a thread, one message after another, so that `one` finds it kept. Without it
        everything is the same but for the time that the loop stands still."""
        for message in messages:
            dear = message.kind == "message" and is_dear(message.body)
            if dear and _key(message) not in self._kept and _words(message) not in self._kept:
                html = await asyncio.to_thread(to_html, message.body, unpacked(message.marks))
                self._keep(_words(message), html)

    def one(self, message: Message) -> str:
        key = _key(message)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        html = self._made(message)
        self._keep(key, html)
        return html

    def _made(self, message: Message) -> str:
        html = self._body(message) if message.kind == "message" else ""
        return (
            self._mould.fill(message, html) if message.is_plain else self._rendered(message, html)
        )

    def _body(self, message: Message) -> str:
        """Once for all states of a message that changed around its words."""
        key = _words(message)
        html = self._kept.get(key)
        if html is None:
            html = to_html(message.body, unpacked(message.marks))
            if not message.is_plain:
                self._keep(key, html)
        else:
            self._kept.move_to_end(key)
        return html

    def _keep(self, key: tuple[Any, ...], html: str) -> None:
        if key in self._kept:  # two asked at once
            return
        self._kept[key] = html
        self._size += len(html)
        while self._size > self._capacity:
            self._size -= len(self._kept.popitem(last=False)[1])

    @cached_property
    def _mould(self) -> _Mould:
        return _Mould(self._templates)

    def _rendered(self, message: Message, html: str) -> str:
        shown = Shown(
            seq=message.seq,
            kind=message.kind,
            author_id=message.author_id,
            author_name=message.author_name,
            author_hue=message.author_hue,
            author_initials=initials(message.author_name),
            html=self._marked(html, message),
            detail=message.body,
            iso=_iso(message.at // 1000),
            clock=_utc_clock(message.at // 60_000),
            key=message.key,
            call=ended(message.body) if message.kind == "call_ended" else None,
            edited_at=message.edited_at,
            reply_seq=message.reply_seq,
            thread_seq=message.thread_seq,
            thread=message.thread,
            room_id=message.room_id,
            summary=summary(message.thread),
            reactions=tuple(reactions_of(message.reactions)),
            pinned_at=message.pinned_at,
            quote=message.quote,
            quotable=quotes.of(message).text if _is_other(message) else None,
        )
        return self._templates.render("messages/_message.html", {"message": shown}).strip()

    def _marked(self, html: str, message: Message) -> Markup:
        """With the mark of an edit at the end of its last line, or in a line of its own."""
        if message.edited_at is None or message.kind != "message":
            return Markup(html)  # noqa: S704  cleaned before
        mark = self._templates.render("messages/_edited.html", {"message": message}).strip()
        ahead = f"{html.removesuffix(_LAST)} " if html.endswith(_LAST) else f"{html}<p>"
        return Markup(ahead + mark + _LAST)  # noqa: S704  cleaned before, and a template of ours

    def _new_line(self, fresh: Fresh, message: Message, zone: str) -> str:
        shown = {"seq": fresh.seq, "count": fresh.count, "at": message.at, "tz": zone}
        return self._templates.render("messages/_new_line.html", shown).strip()

    def _with_links(self, html: str, message: Message, links: Links) -> str:
        may_change = links.changes is None or message.author_id in links.changes
        shown = {"message": message, "may_change": may_change}
        link = self._templates.render("messages/_links.html", shown).strip()
        return html.removesuffix(_CLOSING) + link + _CLOSING

    def kept_bytes(self) -> int:
        return self._size

    def many(self, messages: Sequence[Message]) -> str:
        return "".join(map(self.one, messages))

    def days(
        self,
        messages: Sequence[Message],
        zone: str,
        reader_id: int,
        fresh: Fresh | None = None,
        mine: Mine = NOTHING,
        *,
        links: Links | None = None,
        thread: int | None = None,
    ) -> list[Day]:
        """A page: parted by local days, with the classes that depend on neighbours and reader, what is the reader's
        own, and the line above what is new to them. `links`: what can be done with messages, for pages without
        scripts. `thread`: as rows of this thread's pane, which may stand beside the room's own."""
        parts: list[tuple[str, str, list[str]]] = []
        previous: Message | None = None
        for message in messages:
            date = day(message.at, zone)
            if (
                message.is_quiet and parts
            ):  # shows nothing: it begins no day and parts nobody's rows
                parts[-1][2].append(self.one(message))
                continue
            if not parts or parts[-1][0] != date:
                parts.append((date, day_words(message.at, zone), []))
                previous = None
            if fresh is not None and message.seq == fresh.seq:
                parts[-1][2].append(self._new_line(fresh, message, zone))
                previous = None
            html = self.one(message)
            if links is not None and message.kind == "message":
                html = self._with_links(html, message, links)
            html = _placed(html, message, previous, reader_id, mine)
            parts[-1][2].append(html if thread is None else _in_pane(html, message, thread))
            previous = message
        return [Day(date, label, Markup("").join(map(Markup, html))) for date, label, html in parts]


def _key(message: Message) -> tuple[Any, ...]:
    return (
        message.room_id,
        message.seq,
        message.changed_seq,
        message.author_name,
        message.author_hue,
        message.quote,
    )


def _is_other(message: Message) -> bool:
    """Whether it does not say any more what it said first."""
    return message.kind == "deleted" or message.edited_at is not None


def _words(message: Message) -> tuple[Any, ...]:
    return ("words", message.body, message.marks)


def _placed(
    html: str, message: Message, previous: Message | None, reader_id: int, mine: Mine
) -> str:
    """Adds what a fragment cannot know: its neighbours and its reader."""
    if message.kind not in SAID:
        return html
    follows = (
        previous is not None
        and previous.kind in SAID
        and previous.author_id == message.author_id
        and message.reply_seq is None
        and message.at - previous.at <= FOLLOW_MS
    )
    look = " is-follow" if follows else " is-lead"
    if message.author_id == reader_id:
        look += " is-own"
    elif message.marks:
        html, named = _named(html, reader_id)
        look += " is-mention" if named else ""
    if message.reactions:
        html = _pressed(html, message, reader_id, mine)
    if message.seq in mine.bookmarked:
        look += " is-bookmarked"
        own = f' aria-description="{words.BOOKMARKED}" tabindex="-1"'
        html = html.replace(' tabindex="-1"', own, 1)
    return html.replace(_OPENING, _OPENING + look, 1)


def _in_pane(html: str, message: Message, thread: int) -> str:
    """A row of a thread's pane: no id is on a page twice, and nothing quotes what it stands under. thread.js does the
    same."""
    for mark in ('id="m-{}"', 'id="b-{}"', 'labelledby="b-{}"'):
        name = mark.format(message.seq)
        html = html.replace(name, name.replace('"m-', '"t-').replace('"b-', '"tb-'), 1)
    if message.reply_seq == thread:
        html = html.replace('<a class="reply-ref"', '<a class="reply-ref" hidden', 1)
    return html


_CHIP: Final = '<button class="reaction" name="on" value="true" aria-pressed="false" data-sign="{}"'
_PRESSED: Final = (
    '<button class="reaction" name="on" value="false" aria-pressed="true" data-sign="{}"'
)


def _pressed(html: str, message: Message, reader_id: int, mine: Mine) -> str:
    """Marks the reactions that the reader has chosen. feed/reactions.js does the same."""
    theirs = mine.reacted.get(message.seq, ())
    for emoji, _, user_ids in reactions_of(message.reactions):
        if reader_id in user_ids or emoji in theirs:
            html = html.replace(_CHIP.format(emoji), _PRESSED.format(emoji))
    return html


def _named(html: str, reader_id: int) -> tuple[str, bool]:
    """Marks where a message names its reader, or everybody. days.js does the same."""
    named = html
    for who in (reader_id, EVERYBODY, PRESENT):
        mark = f'<span class="mention" data-user="{who}"'
        named = named.replace(mark, f'<span class="mention me" data-user="{who}"')
    return named, named != html
