"""Files on their way in: to a spool on the disk piece by piece, then looked at, then into the storage.

1. No file is ever whole in memory; what is in memory of one is at most `WRITE_BYTES` and a piece.
2. A file counts once its content is stored for good and its row says `ready`; whatever ends earlier leaves nothing
   behind, and what a crash leaves the sweeper takes away.
3. Who sends it must be a member of the room when it begins and when it ends.
4. At most `AT_ONCE` at a time, `EACH` of one person: `Busy` for the next.
"""

import asyncio
import contextlib
import hashlib
import logging
import os
import secrets
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from chatapp.database import CommitUnknown, Database
from chatapp.domain import files, filetypes
from chatapp.domain.attached import File
from chatapp.errors import Busy, Forbidden, Invalid, TooLarge
from chatapp.files.images import KINDS, Images
from chatapp.files.storage import Storage, Threads, free_bytes
from chatapp.settings import Settings

AT_ONCE: Final = 64
EACH: Final = 6
WRITE_BYTES: Final = 1024 * 1024
SYNC_BYTES: Final = 32 * 1024 * 1024  # so that the end has not everything to wait for
PIECE_SECONDS: Final = 30.0  # without a piece: nobody sends any more
WHOLE_SECONDS: Final = (
    50 * 60.0
)  # less than `files.LOOSE_MS`, after which the sweeper takes it for dead
THUMBNAIL: Final = ".webp"
MB: Final = 1024 * 1024

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Part:
    """A file of the spool that grows. Used in one thread at a time."""

    path: Path
    head: bytes = b""
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    unsynced: int = 0
    handle: int = -1

    def open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        self.handle = os.open(self.path, flags, 0o600)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self.handle, view) :]
        self.digest.update(data)
        self.size += len(data)
        self.unsynced += len(data)
        if len(self.head) < filetypes.HEAD_BYTES:
            self.head = (self.head + data[: filetypes.HEAD_BYTES])[: filetypes.HEAD_BYTES]
        if self.unsynced >= SYNC_BYTES:
            os.fdatasync(self.handle)
            self.unsynced = 0

    def close(self) -> None:
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1


class Uploads:
    """Owner of the spool, and of the places for uploads."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        images: Images,
        spool: Path,
        settings: Settings,
    ) -> None:
        self._database = database
        self.storage = storage
        self.images = images
        self.spool = spool
        self._threads = Threads()
        self._settings = settings
        self._by_user: Counter[int] = Counter()

    @property
    def most_bytes(self) -> int:
        """Of one file; 0: none are taken."""
        return self._settings.upload_mb * MB

    def check(self, length: int | None) -> None:
        """Whether a file of this many bytes may come. Raises `Forbidden`, `Invalid`, `TooLarge`."""
        if not self.most_bytes:
            raise Forbidden("files_off")
        if length == 0:
            raise Invalid({"file": "file_empty"})
        if length is not None and length > self.most_bytes:
            raise TooLarge("file_too_large", most=self._settings.upload_mb)

    async def close(self) -> None:
        await self.images.close()
        await self.storage.close()
        self._threads.close()

    def count(self) -> int:
        return self._by_user.total()

    async def take(
        self,
        user_id: int,
        room_id: int,
        name: str,
        length: int | None,
        pieces: AsyncIterable[bytes],
    ) -> File:
        """A file that is `ready`. `length`: how long it says it is, if it does. Raises what `check` raises, `Busy`,
        `Missing`, and what reading the pieces raises."""
        self.check(length)
        with self.place(user_id):
            id_ = secrets.token_urlsafe(18)
            most = self.most_bytes if length is None else length
            await self.has_room(most)
            quota = self._settings.upload_quota_mb * MB
            async with self._database.transaction() as tx:
                await files.apply_begin(
                    tx, id_, user_id, room_id, filetypes.clean_name(name), most, quota
                )
            part = Part(self.spool / id_)
            try:
                await self.receive(part, pieces, self._settings.upload_mb)
                return await self._settle(part, id_, user_id, room_id, filetypes.clean_name(name))
            except BaseException:
                await asyncio.shield(self._drop(user_id, id_))
                raise
            finally:
                clean, small = beside(part.path, ".clean"), beside(part.path, THUMBNAIL)
                await asyncio.shield(self.clear(part, clean, small))

    @contextlib.contextmanager
    def place(self, user_id: int) -> Any:
        """Of the places for uploads, one of somebody's. Raises `Busy`."""
        if self.count() >= AT_ONCE or self._by_user[user_id] >= EACH:
            raise Busy("busy", 3)
        self._by_user[user_id] += 1
        try:
            yield
        finally:
            self._by_user[user_id] -= 1
            if not self._by_user[user_id]:
                del self._by_user[user_id]

    async def has_room(self, size: int) -> None:
        """Raises `Busy` when the disk has not."""
        free = await self._threads.run(lambda: free_bytes(self.spool))
        if free - size < self._settings.disk_floor_mb * MB:
            log.error("no room for files", extra={"free": free})
            raise Busy("storage_full", 60)

    async def receive(self, part: Part, pieces: AsyncIterable[bytes], most_mb: int) -> None:
        """Raises `Invalid`, `TooLarge`, `Busy`, and what reading the pieces raises."""
        await self._threads.run(part.open)
        waiting: list[bytes] = []
        size, taken = 0, 0
        async for piece in self._in_time(pieces):
            taken += len(piece)
            if taken > most_mb * MB:
                raise TooLarge("file_too_large", most=most_mb)
            waiting.append(piece)
            size += len(piece)
            if size >= WRITE_BYTES:
                await self._write(part, waiting)
                size = 0
        await self._write(part, waiting)
        if not taken:
            raise Invalid({"file": "file_empty"})
        await self._threads.run(part.close)

    async def _write(self, part: Part, waiting: list[bytes]) -> None:
        data = b"".join(waiting)
        waiting.clear()
        await self._threads.run(lambda: part.write(data))

    @staticmethod
    async def _in_time(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop().time
        until = clock() + WHOLE_SECONDS
        each = aiter(pieces)
        while True:
            try:
                async with asyncio.timeout_at(min(until, clock() + PIECE_SECONDS)):
                    piece = await anext(each)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise Busy("file_slow", 5) from None
            yield piece

    async def _settle(self, part: Part, id_: str, user_id: int, room_id: int, name: str) -> File:
        kind = filetypes.of(part.head)
        width = height = 0
        if kind in KINDS:
            clean, small = beside(part.path, ".clean"), beside(part.path, THUMBNAIL)
            seen = await self.images.look(part.path, kind, target=small, clean=clean)
            if seen is not None and seen.cleaned:
                await self._threads.run(lambda: _exchange(part, clean))
            if seen is not None and seen.is_picture:
                width, height = seen.width, seen.height
                await self.storage.keep(id_ + THUMBNAIL, small)
            else:
                kind = filetypes.ANY
        file = File(id_, name, kind, part.size, width, height)
        await self.storage.keep(id_, part.path)
        try:
            async with self._database.transaction() as tx:
                await files.apply_ready(tx, user_id, room_id, file, part.digest.digest())
        except CommitUnknown:
            raise Busy("busy", 2) from None
        return file

    async def _drop(self, user_id: int, id_: str) -> None:
        """Where this fails too, the row lapses by itself."""
        with contextlib.suppress(Exception):
            async with self._database.transaction() as tx:
                await files.apply_discard(tx, user_id, id_)

    async def clear(self, part: Part, *made: Path) -> None:
        """Nothing is left of it in the spool, nor of what was made of it."""

        def unlink() -> None:
            part.close()
            for path in (part.path, *made):
                path.unlink(missing_ok=True)

        await self._threads.run(unlink)


def beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _exchange(part: Part, clean: Path) -> None:
    """The copy that tells nothing of people takes the place of what came."""
    clean.replace(part.path)
    with part.path.open("rb") as file:
        part.digest = hashlib.file_digest(file, "sha256")
    part.size = part.path.stat().st_size
