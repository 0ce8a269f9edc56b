"""Where the content of files lies: under their random names, in a folder. `object_storage.py` is the same elsewhere.

1. `keep` has happened once it returns: a power cut does not undo it.
2. Names are ours; what people call a file never comes here.
3. Everything that waits for a disk does so in threads of its own, so that nothing else waits with it.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeVar

PIECE_BYTES: Final = 256 * 1024
_THREADS: Final = 4

T = TypeVar("T")


class Threads:
    """Threads that wait for a disk."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="files")

    async def run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        self._pool.shutdown(wait=True)


class Storage(Protocol):
    async def keep(self, name: str, path: Path) -> None:
        """Takes over a file of the spool, which is gone afterwards."""

    def read(self, name: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `end`, in pieces. Raises `FileNotFoundError`."""

    async def forget(self, names: Sequence[str]) -> None:
        """What is not there is gone already."""

    async def close(self) -> None: ...


class Folder:
    """A folder, in which each name has a place by its first two signs. The spool MUST be on the same disk."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._threads = Threads()

    def _place(self, name: str) -> Path:
        return self._root / name[:2] / name

    async def keep(self, name: str, path: Path) -> None:
        await self._threads.run(lambda: self._keep(name, path))

    def _keep(self, name: str, path: Path) -> None:
        place = self._place(name)
        place.parent.mkdir(exist_ok=True)
        sync(path)
        path.replace(place)
        for folder in (place.parent, self._root):
            sync(folder)

    async def read(self, name: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        handle = await self._threads.run(lambda: os.open(self._place(name), os.O_RDONLY))
        try:
            at = start
            while end is None or at < end:
                count = PIECE_BYTES if end is None else min(PIECE_BYTES, end - at)
                piece = await self._threads.run(partial(os.pread, handle, count, at))
                if not piece:
                    return
                at += len(piece)
                yield piece
        finally:
            os.close(handle)

    async def forget(self, names: Sequence[str]) -> None:
        def unlink() -> None:
            for name in names:
                self._place(name).unlink(missing_ok=True)

        await self._threads.run(unlink)

    async def close(self) -> None:
        self._threads.close()


def sync(path: Path) -> None:
    """What was written to a file or a folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free
