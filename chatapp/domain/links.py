"""Web addresses in a text."""

import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from linkify_it import LinkifyIt

LINKS_MOST: Final = 200  # per message; the rest stays text

_links: Final = LinkifyIt(
    options={"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False}
).add("ftp:", None)
_links.add("mailto:", None)
_links.add("//", None)

_JOINED: Final = re.compile(r",(?=https?://)", re.IGNORECASE)  # `http://a.b/,http://c.d/` are two


class Link(NamedTuple):
    """A web address in a text, and what stands in its `href`."""

    start: int
    end: int
    url: str


def find(body: str) -> list[Link]:
    """The addresses that become links, in order."""
    found: list[Link] = []
    for match in (_links.match(body) or [])[:LINKS_MOST]:
        start = match.index
        for raw in _JOINED.split(match.raw):
            url = encoded(raw)
            if url is not None:
                found.append(Link(start, start + len(raw), url))
            start += len(raw) + 1
    return found


def is_web(address: str) -> bool:
    """Whether it is http or https with a host."""
    try:
        parts = urlsplit(address)
        return parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def encoded(raw: str) -> str | None:
    """The address for `href`: http or https with a host, nothing that ends an attribute or a line."""
    if not is_web(raw):
        return None
    return "".join(
        f"%{ord(sign):02X}" if sign in '"<>`^{|}\\' or sign <= " " else sign for sign in raw
    )
