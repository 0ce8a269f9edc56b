"""A message body as HTML: escaped, lines kept, web addresses made links, and people who are mentioned marked."""

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from linkify_it import LinkifyIt
from markupsafe import Markup, escape

LINKS_MOST: Final = 200  # per message; the rest stays text

_links: Final = LinkifyIt(
    options={"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False}
).add("ftp:", None)
_links.add("mailto:", None)
_links.add("//", None)

_LINK: Final = Markup('<a href="{}" rel="noopener noreferrer nofollow ugc" target="_blank">{}</a>')
_MENTION: Final = Markup('<span class="mention" data-user="{:d}">{}</span>')

_JOINED: Final = re.compile(r",(?=https?://)", re.IGNORECASE)  # `http://a.b/,http://c.d/` are two


class Link(NamedTuple):
    """A web address in a text, and what stands in its `href`."""

    start: int
    end: int
    url: str


def links(body: str) -> list[Link]:
    """The addresses that become links, in order."""
    found: list[Link] = []
    for match in (_links.match(body) or [])[:LINKS_MOST]:
        start = match.index
        for raw in _JOINED.split(match.raw):
            url = _encoded(raw)
            if url is not None:
                found.append(Link(start, start + len(raw), url))
            start += len(raw) + 1
    return found


def to_html(body: str, marks: Sequence[tuple[int, int, int]] = ()) -> Markup:
    """`<p>` around the text. The shown text is what was typed, to the character.

    `marks`: whom it mentions where, as in `mentions.Mark`. One that does not fit the text is text.
    """
    if not marks and "://" not in body:
        return Markup(f"<p>{escape(body)}</p>")  # noqa: S704  escaped
    inside = [
        (link.start, link.end, _LINK.format(link.url, body[link.start : link.end]))
        for link in (links(body) if "://" in body else [])
    ]
    for start, length, who in marks:
        name = body[start : start + length]
        inside.append((start, start + length, _MENTION.format(who, name)))
    parts: list[str] = []
    end = 0
    for start, stop, html in sorted(inside, key=itemgetter(0)):
        if end <= start < stop <= len(body):
            parts += (escape(body[end:start]), html)
            end = stop
    parts.append(escape(body[end:]))
    return Markup("<p>{}</p>").format(Markup("").join(parts))


def _encoded(raw: str) -> str | None:
    """The address for `href`: http or https with a host, nothing that ends an attribute or a line."""
    try:
        parts = urlsplit(raw)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme.lower() not in {"http", "https"} or not host:
        return None
    return "".join(
        f"%{ord(sign):02X}" if sign in '"<>`^{|}\\' or sign <= " " else sign for sign in raw
    )
