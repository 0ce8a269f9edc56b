"""A message as HTML: rendered once for all readers, and kept. What differs by reader is a class on its first tag, added
for pages in `days.py` and for live frames in the browser."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

from markupsafe import Markup, escape

from chatapp.domain import attached, previews, quotes
from chatapp.domain.attached import File
from chatapp.domain.calls import Ended, ended
from chatapp.domain.commands import Message, Quote
from chatapp.domain.markup import is_dear, to_html
from chatapp.domain.mentions import unpacked
from chatapp.domain.previews import Preview
from chatapp.domain.reactions import Reaction
from chatapp.domain.reactions import unpacked as reactions_of
from chatapp.domain.text import initials
from chatapp.domain.threads import Summary, summary
from chatapp.templating import Templates
from chatapp.times import clock, iso

_LAST: Final = "</p>"


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
    files: tuple[File, ...] = ()
    preview: Preview | None = None
    quote: Quote | None = None
    author_avatar: str | None = None
    summary: Summary | None = None  # of the thread that begins with it
    quotable: str | None = None  # how those quote it that answered it before it was changed


class _Mould:
    """The partial as it is for every plain message, with gaps for what differs: rendered once, filled in a few
    microseconds.

    MUST give the bytes that rendering would give: of what a plain message has, the partial may test only the kind,
    whether there is a key, which all have, and whether its author has a picture: a mould is for those with or without.
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
        "author_avatar",
    )

    def __init__(self, templates: Templates, *, has_picture: bool) -> None:
        marks: dict[str, Any] = {name: Markup(f"\0{name}\0") for name in self._GAPS}  # noqa: S704  no text of people
        if not has_picture:
            marks["author_avatar"] = None
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
            "author_avatar": message.author_avatar,
        }


@lru_cache(maxsize=1024)
def _iso(seconds: int) -> str:
    return iso(seconds * 1000)


@lru_cache(maxsize=1024)
def _utc_clock(minutes: int) -> str:
    return clock(minutes * 60_000)


class Fragments:
    """Renders messages, and keeps what was rendered.

    MUST give the same HTML for the same message at the same change, whoever reads it. Kept by (room, number, change,
    author's look, what is quoted), so nothing stale can be served; at most `capacity` bytes, oldest use out first.
    """

    def __init__(self, templates: Templates, capacity: int = 32 * 1024 * 1024) -> None:
        self.templates = templates
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
        html = self._body(message) if message.kind == "message" and message.body else ""
        if not message.is_plain:
            return self._rendered(message, html)
        return self._moulds[message.author_avatar is not None].fill(message, html)

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
    def _moulds(self) -> tuple[_Mould, _Mould]:
        """Of those with initials, and of those with a picture."""
        return _Mould(self.templates, has_picture=False), _Mould(self.templates, has_picture=True)

    def _rendered(self, message: Message, html: str) -> str:
        shown = Shown(
            seq=message.seq,
            kind=message.kind,
            author_id=message.author_id,
            author_name=message.author_name,
            author_hue=message.author_hue,
            author_avatar=message.author_avatar,
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
            files=attached.unpacked(message.files),
            preview=previews.unpacked(message.preview),
            quote=message.quote,
            quotable=quotes.of(message).text if _is_other(message) else None,
        )
        return self.templates.render("messages/_message.html", {"message": shown}).strip()

    def _marked(self, html: str, message: Message) -> Markup:
        """With the mark of an edit at the end of its last line, or in a line of its own."""
        if message.edited_at is None or message.kind != "message":
            return Markup(html)  # noqa: S704  cleaned before
        mark = self.templates.render("messages/_edited.html", {"message": message}).strip()
        ahead = f"{html.removesuffix(_LAST)} " if html.endswith(_LAST) else f"{html}<p>"
        return Markup(ahead + mark + _LAST)  # noqa: S704  cleaned before, and a template of ours

    def kept_bytes(self) -> int:
        return self._size

    def many(self, messages: Sequence[Message]) -> str:
        return "".join(map(self.one, messages))


def _key(message: Message) -> tuple[Any, ...]:
    return (
        message.room_id,
        message.seq,
        message.changed_seq,
        message.author_name,
        message.author_hue,
        message.author_avatar,
        message.quote,
    )


def _is_other(message: Message) -> bool:
    """Whether it does not say any more what it said first, or says nothing but files."""
    return message.kind == "deleted" or message.edited_at is not None or not message.body


def _words(message: Message) -> tuple[Any, ...]:
    return ("words", message.body, message.marks)
