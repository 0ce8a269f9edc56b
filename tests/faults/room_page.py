"""What a driver reads in HTML: the rows of messages, in pages and in frames alike, and the number a page is as of."""

import html
import re
from collections.abc import Iterator

import httpx

ROW = re.compile(
    r'<article class="msg[^"]*" id="m-(\d+)" data-seq="\1" data-by="\d+" data-key="([0-9a-f-]{36})".*?'
    r'<div class="msg-body"[^>]*><p>(.*?)</p>',
    re.DOTALL,
)
CURSOR = re.compile(r'data-cursor="([^"]+)"')


def rows_in(markup: str) -> Iterator[tuple[int, tuple[str, str]]]:
    """Number, and key and words, of each message."""
    for seq, key, words in ROW.findall(markup):
        yield int(seq), (key, html.unescape(words))


def cursor_in(page: str) -> str:
    found = CURSOR.search(page)
    assert found, page
    return found[1]


async def load(url: str, cookie: str, room: int) -> str:
    """The room's page. Raises `httpx.HTTPError` when there is none just now."""
    async with httpx.AsyncClient(base_url=url, headers={"cookie": cookie}, timeout=30) as browser:
        # at its end: else it opens where the reader left off, and the newest rows are not on it
        answer = await browser.get(f"/rooms/{room}?end=1")
        return answer.raise_for_status().text
