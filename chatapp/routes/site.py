"""What belongs to nobody: health, files, the offline page."""

import gzip
import hmac
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

import rjsmin
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from chatapp.metrics import CONTENT_TYPE
from chatapp.middleware import takes_gzip
from chatapp.routes.door import services, theme
from chatapp.static_files import STATIC

READY_SECONDS: Final = 5.0  # a command that waits longer means: the database does not take them
_TEXTS: Final = frozenset({".css", ".js", ".json", ".svg"})
_YEAR: Final = "public, max-age=31536000, immutable"


class Static:
    """`/static/VERSION/path`. The address changes with the content, so it may be kept for ever; a page of an
    earlier version gets the file of today, to be asked for anew each time.

    Text goes out packed by gzip where it is taken.
    """

    def __init__(self, version: str) -> None:
        self._version = version
        self._files = StaticFiles(directory=STATIC)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        version, _, path = (
            scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/").partition("/")
        )
        if not path or "\0" in path or not re.fullmatch("[0-9a-f]{12}", version):
            raise HTTPException(404)
        response = await self._files.get_response(path, scope)
        if Path(path).suffix in _TEXTS:
            asked = Headers(scope=scope)
            if response.status_code == 200 and takes_gzip(asked):
                response = _packed(path, response, asked.get("if-none-match", ""))
            response.headers["Vary"] = "Accept-Encoding"
        current = version == self._version
        response.headers["Cache-Control"] = _YEAR if current else "no-cache"
        await response(scope, receive, send)


@lru_cache(maxsize=128)
def _gzipped(path: str) -> bytes:
    """A file at its tightest: a few milliseconds for the largest of ours, once. Our scripts go without their comments,
    which are half of them."""
    content = (STATIC / path).read_bytes()
    if path.startswith("js/"):
        content = rjsmin.jsmin(content)
    return gzip.compress(content, 9, mtime=0)


def _packed(path: str, plain: Response, known: str) -> Response:
    """The packed form of a file that was found, under an ETag of its own; `known`: those that the browser has."""
    tag = plain.headers["etag"].removesuffix('"') + '-gzip"'
    if tag in known:
        return Response(status_code=304, headers={"ETag": tag})
    kind = plain.headers["content-type"]
    headers = {"Content-Encoding": "gzip", "Content-Type": kind, "ETag": tag}
    return Response(_gzipped(path), headers=headers)


async def up(_request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("up")


async def ready(request: Request) -> Response:
    """Requests may be sent here: the database answers, commands are stored, nobody is stopping us."""
    kit = services(request)
    state = {
        "stopping": kit.stopping,
        "database": await kit.database.answers(),
        "storing": kit.writer.is_storing(),
        "oldest_command_seconds": round(kit.writer.oldest_seconds(), 1),
    }
    if (redis := kit.backplane.is_connected()) is not None:
        state["redis"] = redis  # without it all goes on, only slower
    good = (
        not kit.stopping
        and state["database"]
        and state["storing"]
        and kit.writer.oldest_seconds() < READY_SECONDS
    )
    return JSONResponse(state, 200 if good else 503)


async def metrics(request: Request) -> Response:
    """Figures for Prometheus, for whoever has the token. Without one there is no such page."""
    kit = services(request)
    token = kit.settings.metrics_token
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not token or not hmac.compare_digest(given.encode(), token.encode()):
        raise HTTPException(404)
    return Response(kit.metrics.text(), headers={"Content-Type": CONTENT_TYPE})


async def offline(request: Request) -> Response:
    html = services(request).templates.render("offline.html", {"theme": theme(request)})
    return Response(html, media_type="text/html")


async def manifest(request: Request) -> Response:
    text = services(request).templates.render("manifest.webmanifest", {})
    return Response(
        text, media_type="application/manifest+json", headers={"Cache-Control": "max-age=3600"}
    )


async def service_worker(request: Request) -> Response:
    """Served from the root, because a service worker sees only what lies below its own address."""
    text = services(request).templates.render("service-worker.js", {})
    return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


async def icon(request: Request) -> Response:
    return Response(
        (STATIC / "img" / "mark.svg").read_bytes(),
        media_type="image/svg+xml",
        headers={"Cache-Control": "max-age=86400"},
    )
