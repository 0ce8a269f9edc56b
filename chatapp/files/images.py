"""Pictures that people send, looked at by a process of their own (`worker.py`).

1. Nothing of a picture is decoded in this process.
2. One picture at a time; the others wait in line.
3. Whatever a picture does to the worker (too much memory or time, a crash) ends the worker and not us: the answer is
   `None`, and the next picture gets a new one.
"""

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SECONDS: Final = 20.0  # for one picture, by the clock
BYTES_MOST: Final = 64 * 1024 * 1024  # of a file that is looked at
KINDS: Final = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}
_ROOT: Final = Path(__file__).parents[2]


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
        self._seconds = seconds
        self._turn = asyncio.Lock()
        self._process: Process | None = None

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
        async with self._turn:
            try:
                async with asyncio.timeout(self._seconds):
                    line = await self._ask(json.dumps(asked).encode() + b"\n")
                answer = json.loads(line)
            except (TimeoutError, ValueError, OSError):
                await self._end()
                return None
            except (
                BaseException
            ):  # whoever asked has gone: the answer must not be taken for the next one's
                await self._end()
                raise
        if not (answer["cleaned"] or answer["width"]):
            return None
        return Seen(answer["width"], answer["height"], answer["cleaned"])

    async def _ask(self, line: bytes) -> bytes:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "chatapp.files.worker"),
                stdin=PIPE,
                stdout=PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                cwd="/",
                env={"PYTHONPATH": str(_ROOT), "PATH": os.defpath},
            )
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101  both are pipes
        assert stdout is not None  # noqa: S101
        stdin.write(line)
        await stdin.drain()
        return await stdout.readline()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def close(self) -> None:
        await self._end()
