"""Pictures that people send, looked at by a process of their own (`worker.py`).

1. Nothing of a picture is decoded in this process.
2. Whatever a picture does to the worker ends the worker and not us (`helper.py`): the answer is `None`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chatapp.helper import Helper

SECONDS: Final = 20.0  # for one picture, by the clock
BYTES_MOST: Final = 64 * 1024 * 1024  # of a file that is looked at
KINDS: Final = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a picture. `width` and `height` of the original, the right way up; 0 when it could not be decoded
    or is too large, and then no picture was made of it. `cleaned`: the copy without what it tells of people is there,
    which may be so all the same."""

    width: int
    height: int
    cleaned: bool

    @property
    def is_picture(self) -> bool:
        return self.width > 0


class Images:
    """Owner of the worker, which starts with the first picture."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._worker = Helper("chatapp.files.worker", seconds)

    async def look(
        self,
        source: Path,
        kind: str,
        *,
        target: Path | None = None,
        longest: int = 800,
        square: bool = False,
        clean: Path | None = None,
    ) -> Seen | None:
        """`kind`: the media type its content has. `target`: where a re-encoded picture (WebP, upright, without
        metadata) of at most `longest` pixels a side goes; with `square` the middle of it, exactly so large. `clean`:
        where the original goes without what it tells of people, not re-encoded. None: nothing could be made of it."""
        if kind not in KINDS or source.stat().st_size > BYTES_MOST:  # noqa: ASYNC240  a local file
            return None
        asked = {
            "source": str(source),
            "kind": KINDS[kind],
            "target": str(target or ""),
            "longest": longest,
            "square": square,
            "clean": str(clean or ""),
        }
        answer = await self._worker.ask(asked)
        if answer is None or not (answer["cleaned"] or answer["width"]):
            return None
        return Seen(answer["width"], answer["height"], answer["cleaned"])

    async def close(self) -> None:
        await self._worker.close()
