"""Messages as a page has them: parted by days, with what depends on their neighbours and on who reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from chatapp import words
from chatapp.domain.commands import Message
from chatapp.domain.mentions import EVERYBODY, PRESENT
from chatapp.domain.mine import NOTHING, Mine
from chatapp.domain.reactions import unpacked as reactions_of
from chatapp.fragments import Fragments
from chatapp.templating import Templates
from chatapp.times import day, day_words

FOLLOW_MS: Final = 5 * 60 * 1000
SAID: Final = frozenset({"message", "deleted"})  # rows of people, not events
_OPENING: Final = '<article class="msg'
_CLOSING: Final = "</div></article>"


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
    """Beside each message on a page without scripts. `changes`: whose messages the reader may change; None: all.
    `reporter`: the reader, if they may report what others say."""

    changes: frozenset[int] | None
    reporter: int | None = None


def days(
    fragments: Fragments,
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
        if message.is_quiet and parts:  # shows nothing: it begins no day and parts nobody's rows
            parts[-1][2].append(fragments.one(message))
            continue
        if not parts or parts[-1][0] != date:
            parts.append((date, day_words(message.at, zone), []))
            previous = None
        if fresh is not None and message.seq == fresh.seq:
            parts[-1][2].append(_new_line(fragments.templates, fresh, message, zone))
            previous = None
        html = fragments.one(message)
        if links is not None and message.kind == "message":
            html = _with_links(
                fragments.templates, html, message, links, in_pane=thread is not None
            )
        html = _placed(html, message, previous, reader_id, mine)
        parts[-1][2].append(html if thread is None else _in_pane(html, message, thread))
        previous = message
    return [Day(date, label, Markup("").join(map(Markup, html))) for date, label, html in parts]


def _new_line(templates: Templates, fresh: Fresh, message: Message, zone: str) -> str:
    shown = {"seq": fresh.seq, "count": fresh.count, "at": message.at, "tz": zone}
    return templates.render("messages/_new_line.html", shown).strip()


def _with_links(
    templates: Templates, html: str, message: Message, links: Links, *, in_pane: bool
) -> str:
    may_change = links.changes is None or message.author_id in links.changes
    may_report = links.reporter not in {None, message.author_id}
    shown = {
        "message": message,
        "may_change": may_change,
        "may_report": may_report,
        "in_pane": in_pane,
    }
    link = templates.render("messages/_links.html", shown).strip()
    return html.removesuffix(_CLOSING) + link + _CLOSING


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
