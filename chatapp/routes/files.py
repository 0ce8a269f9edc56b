"""Files as they are fetched: by members of the room alone, as they are at that moment. For anybody else there is
none."""

import re
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from chatapp.domain import files, filetypes
from chatapp.domain.attached import File
from chatapp.errors import Missing
from chatapp.realtime.uploads import THUMBNAIL
from chatapp.routes.door import services, session

# What is opened by its address has no scripts, no forms, no origin.
POLICY: Final = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
)
CACHED: Final = "private, no-cache"  # asked again each time, answered in few bytes
_RANGE: Final = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")


async def show(request: Request) -> Response:
    """The name in the address is for people; the id alone counts."""
    file, digest = await _found(request)
    headers = {
        "Content-Type": _with_charset(file.type),
        "Content-Disposition": filetypes.disposition(file.type, file.name),
        "Accept-Ranges": "bytes",
    }
    return await _answer(request, file.id, file.size, digest.hex()[:32], headers)


async def picture(request: Request) -> Response:
    """A picture that we made, whole."""
    file, digest = await _found(request)
    return await _answer(
        request, file.id, file.size, digest.hex()[:32], {"Content-Type": file.type}
    )


async def thumbnail(request: Request) -> Response:
    file, digest = await _found(request)
    if not file.width:
        raise Missing("not_found")
    tag = f'"{digest.hex()[:32]}-s"'
    headers = {"ETag": tag, "Cache-Control": CACHED, "Content-Security-Policy": POLICY}
    if _is_known(request, tag):
        return Response(status_code=304, headers=headers)
    pieces = services(request).uploads.storage.read(file.id + THUMBNAIL)
    return StreamingResponse(await begun(pieces), 200, {**headers, "Content-Type": "image/webp"})


async def _found(request: Request) -> tuple[File, bytes]:
    """Raises `Missing`, also for who is signed out: nobody learns whether there is such a file."""
    known = await session(request)
    kit = services(request)
    found = known and await files.find(kit.database, request.path_params["id"], known.user.id)
    if not found:
        raise Missing("not_found")
    return found


def _with_charset(kind: str) -> str:
    return f"{kind}; charset=utf-8" if kind == filetypes.TEXT else kind


def _is_known(request: Request, tag: str) -> bool:
    return tag in re.split(r"\s*,\s*", request.headers.get("if-none-match", ""))


async def _answer(
    request: Request, name: str, size: int, digest: str, headers: dict[str, str]
) -> Response:
    tag = f'"{digest}"'
    headers |= {"ETag": tag, "Cache-Control": CACHED, "Content-Security-Policy": POLICY}
    if _is_known(request, tag):
        return Response(status_code=304, headers=headers)
    start, end, status = 0, size, 200
    asked = request.headers.get("range", "")
    if asked and request.headers.get("if-range", tag) == tag:
        part = _part(asked, size)
        if part == (0, 0):
            headers["Content-Range"] = f"bytes */{size}"
            return Response(status_code=416, headers=headers)
        if part is not None:
            (start, end), status = part, 206
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    pieces = services(request).uploads.storage.read(name, start, end)
    return StreamingResponse(await begun(pieces), status, headers)


async def begun(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same pieces, when it is sure that there are some. Raises `Missing`."""
    try:
        first = await anext(pieces)
    except (FileNotFoundError, StopAsyncIteration):
        raise Missing("not_found") from None

    async def all_of_them() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return all_of_them()


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """From where to before where. None: all of it, which is also the answer to several ranges at once, and to nonsense.
    (0, 0): there is no such part."""
    found = _RANGE.fullmatch(asked.strip())
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < int(first):
            return None
    return (start, end) if start < end else (0, 0)
