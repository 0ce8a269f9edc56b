"""A message body as HTML, and as plain text for places without formatting.

1. Most messages hold nothing that could be formatting: those never meet the parser (`domain/markdown.py`).
2. A message that cannot be formatted, or whose formatting would show nothing, is shown as it was typed.
3. The same body and marks give the same HTML, in every process.
"""

import logging
import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from markupsafe import Markup, escape

from chatapp.domain import emoji, links, markdown, text
from chatapp.tables import MESSAGE_CHARACTERS

Marks = Sequence[tuple[int, int, int]]  # whom a body mentions where, as in `mentions.Mark`

HTML_MOST: Final = 128 * 1024  # characters; what would be longer is shown as it was typed
# Each bracket may begin a link that ends anywhere behind it: with more than a hundred in the longest message all is
# text, and so it is with more lines than these that begin items and quotes, or signs of emphasis.
BRACKETS_MOST: Final = 100 * MESSAGE_CHARACTERS
ITEMS_MOST: Final = 250
SIGNS_MOST: Final = 1_000
DEAR_CHARACTERS: Final = 500  # formatted text of that length takes a millisecond or more

log = logging.getLogger(__name__)

_LINK: Final = Markup('<a href="{}" target="_blank" rel="noopener noreferrer nofollow ugc">{}</a>')
_MENTION: Final = Markup('<span class="mention" data-user="{:d}">{}</span>')
_FORMATTED: Final = re.compile(
    r"""[*_`~\[<\\|]                # emphasis, code, links, escapes, tables
    | \n[ \t]*\n                    # paragraphs
    | (?:^|\n)[ \t]*(?:>|(?:[-+]|[0-9]{1,9}[.)])(?:\s|$))  # quotes, lists""",
    re.VERBOSE,
)
# Most messages are over with these two, in a third of the time: they have one line, and nothing of that in it.
_SIGN: Final = re.compile(r"[*_`~\[<\\|\n]")
_BEGINS: Final = re.compile(r"[ \t]*[>+0-9-]")
_ITEM: Final = re.compile(r"^[ \t]*(?:[-+*>]|[0-9]{1,9}[.)])", re.MULTILINE)
_HIDES: Final = re.compile(r"[`<]|~~~|\]\(")  # without these a sign can only be text


def to_html(body: str, marks: Marks = ()) -> Markup:
    """The body as blocks of HTML. `marks`: whom it mentions where; one that does not fit the text is text."""
    signs = emoji.alone(body)
    if signs is not None:
        return Markup('<p class="emoji-only">{}</p>').format(signs)
    if is_formatted(body):
        try:
            html = _formatted(body, _fitting(body, marks))
        except Exception:
            # whatever a parser stumbles on, what was said is shown; kept, so this is logged once
            log.exception("a message could not be formatted")
        else:
            if html is not None:
                return html
    return _plain(body, marks)


def first_link(body: str, marks: Marks = ()) -> str | None:
    """The first web address that is a link in the HTML; what is code is none."""
    if is_formatted(body):
        fitting = _fitting(body, marks)
        try:
            tokens = markdown.parse(
                markdown.placed(body, [(start, start + n) for start, n, _ in fitting])
            )
        except Exception:
            log.exception("a message could not be parsed")
            return None
        if tokens is not None:
            return next(filter(links.is_web, markdown.addresses(tokens)), None)
    found = links.find(body)
    return found[0].url if found else None


def is_formatted(body: str) -> bool:
    if _SIGN.search(body) is None and _BEGINS.match(body) is None:
        return False
    if _FORMATTED.search(body) is None or "\x02" in body:
        return False
    if body.count("[") * len(body) > BRACKETS_MOST:
        return False
    if len(body) > SIGNS_MOST and sum(map(body.count, "*_~")) > SIGNS_MOST:
        return False
    return body.count("\n") <= ITEMS_MOST or len(_ITEM.findall(body)) <= ITEMS_MOST


def is_dear(body: str) -> bool:
    """Whether making HTML of it may take milliseconds."""
    return (len(body) > DEAR_CHARACTERS or "```" in body or "~~~" in body) and is_formatted(body)


def text_at(body: str, places: Sequence[int]) -> list[int]:
    """Those of some places (of one character each, in order) that are shown as text, not as code or not at all."""
    if not places or not _HIDES.search(body) or not is_formatted(body):
        return list(places)
    try:
        tokens = markdown.parse(markdown.placed(body, [(at, at + 1) for at in places]))
    except Exception:
        log.exception("a message could not be parsed")
        return list(places)
    if tokens is None:
        return list(places)
    shown = [content for kind, content in markdown.pieces(tokens) if kind == "text"]
    return [places[int(place)] for place in markdown.PLACE.findall("".join(shown))]


def to_text(body: str, marks: Marks = ()) -> tuple[str, Marks]:
    """The body without its signs of formatting, for lists and notices, and where the mentions are in that."""
    marks = _fitting(body, marks)
    names = [body[start : start + length] for start, length, _ in marks]
    try:
        tokens = (
            markdown.parse(markdown.placed(body, [(start, start + n) for start, n, _ in marks]))
            if is_formatted(body)
            else None
        )
    except Exception:
        log.exception("a message could not be parsed")
        tokens = None
    if tokens is None:
        return (body, marks) if marks else (emoji.named(body), ())
    parts = [
        "\n" if kind == "end" else content if kind == "code" else emoji.named(content)
        for kind, content in markdown.pieces(tokens)
    ]
    placed = re.sub(r"\n\n+", "\n", "".join(parts)).strip()
    found: list[tuple[int, int, int]] = []
    written, end = "", 0
    for place in markdown.PLACE.finditer(placed):
        written += placed[end : place.start()]
        name, who = names[int(place[1])], marks[int(place[1])][2]
        found.append((len(written), len(name), who))
        written += name
        end = place.end()
    written += placed[end:]
    return (written, found) if text.is_visible(written) else (body, marks)


def _fitting(body: str, marks: Marks) -> list[tuple[int, int, int]]:
    """The marks in order, without those that overlap or do not fit."""
    fitting: list[tuple[int, int, int]] = []
    end = 0
    for start, length, who in sorted(marks):
        if end <= start < start + length <= len(body):
            fitting.append((start, length, who))
            end = start + length
    return fitting


def _formatted(body: str, marks: Marks) -> Markup | None:
    """None when formatting would hide what was typed, or there would be too much of it."""
    names = [body[start : start + length] for start, length, _ in marks]
    tokens = markdown.parse(markdown.placed(body, [(start, start + n) for start, n, _ in marks]))
    if tokens is None or not any(text.is_visible(shown) for _, shown in markdown.pieces(tokens)):
        return None
    html = markdown.to_html(tokens, names)
    if len(html) > HTML_MOST:
        return None
    if marks:
        spans = [_MENTION.format(mark[2], name) for mark, name in zip(marks, names, strict=True)]
        html = markdown.restored(html, spans)
    return Markup(html)  # noqa: S704  cleaned by nh3


def _plain(body: str, marks: Marks) -> Markup:
    """One paragraph: escaped, with links, mentions and emoji, and otherwise as it was typed, to the character."""
    if not marks and "://" not in body:
        return Markup(f"<p>{escape(emoji.named(body))}</p>")  # noqa: S704  escaped
    inside = [
        (link.start, link.end, _LINK.format(link.url, body[link.start : link.end]))
        for link in (links.find(body) if "://" in body else [])
    ]
    for start, length, who in marks:
        name = body[start : start + length]
        inside.append((start, start + length, _MENTION.format(who, name)))
    parts: list[str] = []
    end = 0
    for start, stop, html in sorted(inside, key=itemgetter(0)):
        if end <= start < stop <= len(body):
            parts += (escape(emoji.named(body[end:start])), html)
            end = stop
    parts.append(escape(emoji.named(body[end:])))
    return Markup("<p>{}</p>").format(Markup("").join(parts))
