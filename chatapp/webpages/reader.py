"""Web pages, read by a process of their own (`worker.py`): no HTML of strangers is parsed in this one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chatapp.helper import Helper

SECONDS: Final = 5.0  # for one page, by the clock


@dataclass(frozen=True, slots=True)
class Told:
    """Lines of plain text, '' for what it does not tell; `picture` is an address as the page writes it."""

    title: str
    text: str
    site: str
    picture: str


class Pages:
    """Owner of the worker, which starts with the first page."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._worker = Helper("chatapp.webpages.worker", seconds)

    async def read(self, source: Path, charset: str) -> Told | None:
        """`source`: a file with the page. `charset`: what its server says about it. None: nothing could be read."""
        answer = await self._worker.ask({"source": str(source), "charset": charset})
        if answer is None or not (answer["title"] or answer["text"]):
            return None
        return Told(answer["title"], answer["text"], answer["site"], answer["picture"])

    async def close(self) -> None:
        await self._worker.close()
