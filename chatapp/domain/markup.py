"""A message body as HTML: escaped, lines kept, web addresses made links. Nothing else is markup yet."""

import re
from typing import Final
from urllib.parse import urlsplit

from linkify_it import LinkifyIt
from markupsafe import Markup, escape

LINKS_MOST: Final = 200  # per message; the rest stays text

_links: Final = LinkifyIt(
    options={"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False}
).add("ftp:", None)
_links.add("mailto:", None)
_links.add("//", None)

_JOINED: Final = re.compile(r",(?=https?://)", re.IGNORECASE)  # `http://a.b/,http://c.d/` are two


def to_html(body: str) -> Markup:
    """`<p>` around the text. The shown text is what was typed, to the character."""
    if "://" not in body:
        return Markup(f"<p>{escape(body)}</p>")  # noqa: S704  escaped
    parts: list[str] = []
    end = 0
    for match in (_links.match(body) or [])[:LINKS_MOST]:
        start = match.index
        for raw in _JOINED.split(match.raw):
            url = _encoded(raw)
            if url is not None:
                parts += (
                    escape(body[end:start]),
                    Markup(
                        '<a href="{}" rel="noopener noreferrer nofollow ugc" target="_blank">{}</a>'
                    ).format(url, raw),
                )
                end = start + len(raw)
            start += len(raw) + 1
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
