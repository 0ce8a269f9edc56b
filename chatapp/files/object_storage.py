"""The content of files in a bucket that speaks S3, for several machines. The one door to `obstore`.

As `storage.py` says. A file is sent in parts of a few MB, straight from the spool, and fetched in pieces.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from obstore import delete_async, get_async, put_async
from obstore.exceptions import BaseError
from obstore.store import S3Store

from chatapp.errors import Busy
from chatapp.files.storage import PIECE_BYTES

if TYPE_CHECKING:
    from obstore import GetOptions

PART_BYTES: Final = 8 * 1024 * 1024
AT_ONCE: Final = 2  # parts of one file on their way
SECONDS: Final = 60.0  # for one request
TRIES: Final = 3
log = logging.getLogger(__name__)

REGION: Final = "us-east-1"  # what those take that have none


class ObjectStorage:
    """`url`: https://KEY:SECRET@s3.example.org/BUCKET, with a ?region=… where there are some."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        options = dict(each.partition("=")[::2] for each in parts.query.split("&") if each)
        self._store = S3Store(
            parts.path.strip("/"),
            endpoint=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
            access_key_id=unquote(parts.username or ""),
            secret_access_key=unquote(parts.password or ""),
            region=options.get("region", REGION),
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": parts.scheme == "http",
                "timeout": timedelta(seconds=SECONDS),
            },
            retry_config={"max_retries": TRIES, "retry_timeout": timedelta(seconds=SECONDS)},
        )

    async def keep(self, name: str, path: Path) -> None:
        with _away():
            await put_async(self._store, name, path, chunk_size=PART_BYTES, max_concurrency=AT_ONCE)
        await asyncio.to_thread(path.unlink)

    async def read(self, name: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        if end is not None and end <= start:
            return
        options: GetOptions = {}
        if end is not None:
            options["range"] = (start, end)
        elif start:
            options["range"] = {"offset": start}
        with _away():
            found = await get_async(self._store, name, options=options)
            async for piece in found.stream(min_chunk_size=PIECE_BYTES):
                yield bytes(piece)

    async def forget(self, names: Sequence[str]) -> None:
        with _away():
            await delete_async(self._store, list(names))

    async def close(self) -> None:
        return


@contextlib.contextmanager
def _away() -> Iterator[None]:
    """Whatever is wrong over there: it may be right in a moment. What is not there raises `FileNotFoundError`."""
    try:
        yield
    except FileNotFoundError:
        raise
    except BaseError as error:
        log.warning("the object storage refused or is away", exc_info=error)
        raise Busy("busy", 5) from error
