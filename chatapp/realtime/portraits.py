"""Pictures of people on their way in: to the spool, through the worker that looks at pictures, into the storage.

1. Nothing of what came is ever served: both sizes are drawn anew, without what cameras write into them.
2. A picture is somebody's once both sizes are stored for good and the writer has said so; whatever ends earlier leaves
   a row that the sweeper finds.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterable
from typing import Final

from chatapp.database import Database
from chatapp.domain import avatars, filetypes
from chatapp.domain.commands import ChangeAvatar
from chatapp.errors import Invalid
from chatapp.realtime.uploads import MB, THUMBNAIL, Part, Uploads, beside
from chatapp.realtime.writer import Writer

MB_MOST: Final = 5
LARGE: Final = (
    256  # pixels of a side; its content has the id as its name, the small one with THUMBNAIL behind
)
SMALL: Final = 64


class Portraits:
    """Takes them, and takes them away."""

    def __init__(self, database: Database, uploads: Uploads, writer: Writer) -> None:
        self._database = database
        self._uploads = uploads
        self._writer = writer

    async def take(self, user_id: int, pieces: AsyncIterable[bytes]) -> None:
        """Somebody is shown by this picture from now on. Raises `Invalid`, `TooLarge`, `Busy`, and what reading the
        pieces raises."""
        uploads = self._uploads
        with uploads.place(user_id):
            await uploads.has_room(MB_MOST * MB)
            id_ = secrets.token_urlsafe(18)
            part = Part(uploads.spool / id_)
            large, small = beside(part.path, ".large"), beside(part.path, THUMBNAIL)
            try:
                await uploads.receive(part, pieces, MB_MOST)
                kind = filetypes.of(part.head)
                for path, side in ((large, LARGE), (small, SMALL)):
                    seen = await uploads.images.look(
                        part.path, kind, target=path, longest=side, square=True
                    )
                    if seen is None or not seen.is_picture:
                        raise Invalid({"file": "not_a_picture"})
                async with self._database.transaction() as tx:
                    await avatars.apply_begin(tx, id_, user_id)
                await uploads.storage.keep(id_, large)
                await uploads.storage.keep(id_ + THUMBNAIL, small)
                await self._writer.ask(ChangeAvatar(user_id, id_))
            except BaseException:
                await asyncio.shield(self._drop(id_))
                raise
            finally:
                await asyncio.shield(uploads.clear(part, large, small))

    async def _drop(self, id_: str) -> None:
        """Where this fails too, the row lapses by itself."""
        with contextlib.suppress(Exception):
            async with self._database.transaction() as tx:
                await avatars.apply_discard(tx, id_)

    async def remove(self, user_id: int) -> None:
        await self._writer.ask(ChangeAvatar(user_id, None))
