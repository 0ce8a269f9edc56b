"""Reads web pages, as a program of its own: `python -m chatapp.webpages.worker`. What it takes from one is plain text,
short, and nothing else: tags in it are signs like others."""

import codecs
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from chatapp.confined import Asked, confine, serve

TITLE_CHARACTERS: Final = 200
TEXT_CHARACTERS: Final = 300
SITE_CHARACTERS: Final = 60
ADDRESS_CHARACTERS: Final = 1_000
PAGE_BYTES: Final = 512 * 1024
MEMORY_MOST: Final = 256 * 1024 * 1024
FILES_MOST: Final = 16
CPU_SECONDS: Final = 2  # for one page

_TAKEN: Final = frozenset(
    {"og:title", "og:description", "description", "og:image", "og:image:url", "og:site_name"}
    | {"twitter:title", "twitter:description", "twitter:image"}
)
_CHARSET: Final = re.compile(
    rb"<meta[^>]{0,200}charset\s{0,9}=\s{0,9}[\"']?([\w-]{1,40})", re.IGNORECASE
)
_HEAD_BYTES: Final = 2048  # in which a page says how it is written
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What browsers know; Python's others are no texts, or slow.
_CHARSETS: Final = frozenset(
    {"utf-8", "utf-16", "utf-16-le", "utf-16-be", "koi8-r", "koi8-u", "mac-roman", "mac-cyrillic"}
    | {
        "gb2312",
        "gbk",
        "gb18030",
        "big5",
        "big5hkscs",
        "euc_jp",
        "shift_jis",
        "cp932",
        "iso2022_jp",
        "euc_kr",
        "cp949",
    }
    | {f"cp{n}" for n in (866, 874, *range(1250, 1259))}
    | {f"iso8859-{n}" for n in range(2, 17)}
)
_JOINERS: Final = "\u200c\u200d"  # invisible, and part of words and emoji


class _End(Exception):
    """The head of the page is over."""


class _Head(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said: dict[str, str] = {}
        self._title: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            raise _End
        if tag == "title" and "title" not in self.said:
            self._title = []
        if tag == "meta":
            given = dict(attrs)
            name = (given.get("property") or given.get("name") or "").strip().lower()
            if name in _TAKEN:
                self.said.setdefault(name, given.get("content") or "")

    def handle_data(self, data: str) -> None:
        if self._title is not None:
            self._title.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title" and self._title is not None:
            self.said["title"], self._title = "".join(self._title), None
        if tag == "head":
            raise _End

    def first(self, *names: str) -> str:
        return next((text for name in names if (text := self.said.get(name, "").strip())), "")


def read(asked: Asked, answer: Asked) -> None:
    data = Path(asked["source"]).read_bytes()[:PAGE_BYTES]
    head = _Head()
    try:
        head.feed(decoded(data, asked["charset"]))
        head.close()
    except _End:
        pass
    answer["title"] = line(head.first("og:title", "twitter:title", "title"), TITLE_CHARACTERS)
    answer["text"] = line(
        head.first("og:description", "twitter:description", "description"), TEXT_CHARACTERS
    )
    answer["site"] = line(head.first("og:site_name"), SITE_CHARACTERS)
    picture = head.first("og:image", "og:image:url", "twitter:image")
    answer["picture"] = picture if len(picture) <= ADDRESS_CHARACTERS else ""


def decoded(data: bytes, charset: str) -> str:
    """As its marks, its server, or itself says it is written."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    found = _CHARSET.search(data[:_HEAD_BYTES])
    for name in (charset, found[1].decode("ascii", "replace") if found else ""):
        known = _known(name)
        if known:
            return data.decode(known, "replace")
    return data.decode("utf-8", "replace")


def _known(name: str) -> str:
    try:
        found = codecs.lookup(name.strip()[:40]).name if name.strip().isascii() else ""
    except (LookupError, ValueError):
        return ""
    if found in {"iso8859-1", "ascii"}:  # as browsers take them
        return "cp1252"
    return found if found in _CHARSETS else ""


def line(text: str, most: int) -> str:
    """In one line, without what is not seen, no longer than `most`."""
    begins = text[: most * 20]
    seen = "".join(s if s.isprintable() or s in _JOINERS else " " for s in begins)
    words = " ".join(seen.split())
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def main() -> None:
    confine(memory=MEMORY_MOST, file=0, files=FILES_MOST)
    serve(read, {"title": "", "text": "", "site": "", "picture": ""}, CPU_SECONDS)


if __name__ == "__main__":
    main()
