"""Looks what is behind links, one after another, and shows it with the message.

1. Nobody waits for it, and nothing else does: what fails, or is lost in a crash, is a message without a preview.
2. Requests go out by `Outbound` alone; pages and pictures are read in processes of their own.
3. Of a picture only what we made of it is kept.
"""

import asyncio
import contextlib
import hashlib
import logging
import secrets
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from chatapp.database import CommitUnknown, Database
from chatapp.domain import files, filetypes, previews
from chatapp.domain.attached import File
from chatapp.domain.commands import Message, Page, ShowPreview
from chatapp.domain.mentions import unpacked
from chatapp.errors import ChatError
from chatapp.files.images import Images
from chatapp.files.storage import Storage
from chatapp.outbound import Failed, Found, Outbound, Unsafe, joined
from chatapp.realtime.linked import Linked
from chatapp.realtime.writer import OutcomeUnknown, Writer
from chatapp.webpages.reader import Pages, Told

SECONDS: Final = 8.0  # for a page and its picture
PAGE_BYTES: Final = 512 * 1024
PICTURE_BYTES: Final = 3 * 1024 * 1024
PICTURE_LONGEST: Final = 320  # pixels of a side
KEPT_BYTES: Final = 64 * 1024  # of a picture that we made
HTML: Final = ("text/html", "application/xhtml+xml")
WEBP: Final = "image/webp"

log = logging.getLogger(__name__)


class Previews:
    """MUST run as one task (`run`). `own`: host names of this site, to whose pages nobody goes from here."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        linked: Linked,
        outbound: Outbound,
        storage: Storage,
        images: Images,
        spool: Path,
        own: frozenset[str],
    ) -> None:
        self._database = database
        self._writer = writer
        self._linked = linked
        self._outbound = outbound
        self._storage = storage
        self._images = images
        self._pages = Pages()
        self._spool = spool
        self._own = own

    async def run(self) -> None:
        try:
            while True:
                message = await self._linked.next()
                try:
                    await self.look(message)
                except (ChatError, OutcomeUnknown, CommitUnknown) as error:
                    log.info("no preview", extra={"reason": type(error).__name__})
        finally:
            await self._pages.close()

    async def look(self, message: Message) -> None:
        """Raises what the database raises, and what the message's author may not do any more."""
        url = await previews.link_of(message.body, unpacked(message.marks))
        if url is None or self._is_own(url):
            return
        known = await previews.known(self._database, message.room_id, url)
        if known is None:
            known = await self._fetch(url)
            async with self._database.transaction() as tx:
                await previews.apply_keep(tx, message.room_id, url, *known)
        page, picture = known
        if page is None:
            return
        id_ = await self._keep(message, page, picture) if picture else ""
        await self._writer.ask(
            ShowPreview(message.room_id, message.seq, message.body, page, picture=id_)
        )

    def _is_own(self, url: str) -> bool:
        return (urlsplit(url).hostname or "") in self._own

    # -- out there ------------------------------------------------------------------

    async def _fetch(self, url: str) -> tuple[Page | None, bytes | None]:
        """What is to be shown of a page, and its picture."""
        clock = asyncio.get_running_loop().time
        until = clock() + SECONDS
        try:
            found = await self._outbound.get(url, HTML, PAGE_BYTES, SECONDS)
        except (Failed, Unsafe) as error:
            log.info("a link was not followed", extra={"reason": f"{type(error).__name__} {error}"})
            return None, None
        told = await self._read(found)
        if told is None:
            return None, None
        host = urlsplit(url).hostname or ""
        page = Page(url, told.site or host, told.title or host, told.text)
        if not told.picture:
            return page, None
        try:
            address = joined(found.url, told.picture)
            left = max(0.1, until - clock())
            image = await self._outbound.get(address, ("image/",), PICTURE_BYTES, left)
        except (Failed, Unsafe):
            return page, None
        if len(image.body) >= PICTURE_BYTES:  # it was cut
            return page, None
        return await self._with_picture(page, image.body)

    async def _read(self, found: Found) -> Told | None:
        path = self._spool / secrets.token_urlsafe(18)
        try:
            await asyncio.to_thread(path.write_bytes, found.body)
            return await self._pages.read(path, found.charset)
        finally:
            path.unlink(missing_ok=True)

    async def _with_picture(self, page: Page, body: bytes) -> tuple[Page, bytes | None]:
        path = self._spool / secrets.token_urlsafe(18)
        small = path.with_suffix(".small")
        try:
            await asyncio.to_thread(path.write_bytes, body)
            kind = filetypes.of(body[: filetypes.HEAD_BYTES])
            seen = await self._images.look(path, kind, target=small, longest=PICTURE_LONGEST)
            if seen is None or not seen.is_picture or small.stat().st_size > KEPT_BYTES:
                return page, None
            picture = await asyncio.to_thread(small.read_bytes)
        finally:
            path.unlink(missing_ok=True)
            small.unlink(missing_ok=True)
        scale = min(1.0, PICTURE_LONGEST / max(seen.width, seen.height))
        width, height = (max(1, round(side * scale)) for side in (seen.width, seen.height))
        shown = Page(page.url, page.site, page.title, page.text, width, height)
        return shown, picture

    # -- here -----------------------------------------------------------------------

    async def _keep(self, message: Message, page: Page, picture: bytes) -> str:
        """The picture as a file of who wrote the message, which is not in it yet. Where this ends early, the sweeper
        takes it away."""
        id_ = secrets.token_urlsafe(18)
        author, room, size = message.author_id, message.room_id, len(picture)
        async with self._database.transaction() as tx:
            await files.apply_begin(tx, id_, author, room, "preview.webp", size, 0)
        path = self._spool / id_
        try:
            await asyncio.to_thread(path.write_bytes, picture)
            await self._storage.keep(id_, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
        file = File(id_, "preview.webp", WEBP, size, page.width, page.height)
        async with self._database.transaction() as tx:
            await files.apply_ready(tx, author, room, file, hashlib.sha256(picture).digest())
        return id_
