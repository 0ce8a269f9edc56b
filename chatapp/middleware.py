"""What every HTTP request passes, outermost first: Requests, Hosts, CrossSite, Bodies, Packed."""

import logging
import re
import secrets
import time
from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatapp.errors import TooLarge
from chatapp.logs import request_id

log = logging.getLogger("chatapp.requests")

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; media-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
NO_DEVICES: Final = "geolocation=(), payment=(), usb=()"
NO_MEDIA: Final = "camera=(), microphone=(), display-capture=()"  # but for the page of a call
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_BYTES: Final = 128 * 1024
GONE: Final = 499  # in our log only: the browser left before it had said all (as nginx writes it)
_SECRET_PATH: Final = re.compile(
    r"^(/(?:invite|recover|join)/).*", re.DOTALL
)  # whose rest lets people in
UPLOADS: Final = re.compile(r"/rooms/[0-9]{1,16}/files|/settings/avatar")
PACKED_OR_DENSE: Final = ("/static/", "/files/", "/thumbnails/", "/avatars/")
_HOST: Final = re.compile(r"^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[0-9]{1,5})?$")


class Requests:
    """Gives each request an id, a log line and the security headers, and answers for what nobody caught.

    `failed` is the body of the answer when something broke: it must need no template, session or query.
    """

    def __init__(self, app: ASGIApp, failed: bytes) -> None:
        self._app = app
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = secrets.token_hex(8)
        request_id.set(known)
        scope["request_id"] = known
        started = time.perf_counter()
        status = 0

        async def send_secured(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _secure(MutableHeaders(scope=message), scope, known)
            await send(message)

        try:
            await self._app(scope, receive, send_secured)
        except ClientDisconnect:
            # in mid-sentence: nobody is left to be answered, and nothing is wrong here
            status = GONE
        except Exception:
            log.exception("a request failed")
            if not status:
                await _answer(send_secured, 500, self._failed)
        finally:
            log.info(
                "request",
                extra={
                    "method": scope["method"],
                    "path": _SECRET_PATH.sub(r"\1…", scope["path"][:200]),
                    "status": status,
                    "ms": round((time.perf_counter() - started) * 1000, 1),
                },
            )


def _secure(headers: MutableHeaders, scope: Scope, known: str) -> None:
    headers["X-Request-Id"] = known
    headers.setdefault("Content-Security-Policy", POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "same-origin")
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers.setdefault("Permissions-Policy", f"{NO_DEVICES}, {NO_MEDIA}")
    headers.setdefault("Cache-Control", "no-store")
    if scope.get("scheme") == "https":
        headers["Strict-Transport-Security"] = "max-age=31536000"


async def _answer(send: Send, status: int, body: bytes, kind: bytes = b"text/html") -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", kind + b"; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


def host_name(headers: Headers) -> str | None:
    """The name of the Host header without its port, lower case; None when it is no host."""
    values = headers.getlist("host")
    if len(values) != 1 or not (found := _HOST.match(values[0].lower())):
        return None
    return found[1].strip("[]")


def origin_of(scope: Scope) -> str:
    """Our own origin as the browser of this request writes it: 'https://chat.example:444'."""
    scheme = {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"])
    return _regular(f"{scheme}://{Headers(scope=scope).get('host', '')}")


def is_own_origin(scope: Scope, origin: str) -> bool:
    return _regular(origin) == origin_of(scope)


def _regular(origin: str) -> str:
    origin = origin.lower()
    for scheme, port in (("http://", ":80"), ("https://", ":443")):
        if origin.startswith(scheme) and origin.endswith(port):
            return origin[: -len(port)]
    return origin


class Hosts:
    """Refuses requests for names we are not: links and redirects would carry them on."""

    def __init__(self, app: ASGIApp, allowed: Iterable[str], refusal: str) -> None:
        self._app = app
        self._allowed = frozenset(allowed)
        self._refusal = refusal.encode()

    def allows(self, scope: Scope) -> bool:
        name = host_name(Headers(scope=scope))
        return name is not None and name in self._allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.allows(scope):
            await self._app(scope, receive, send)
        else:
            await _answer(send, 400, self._refusal, b"text/plain")


class CrossSite:
    """Refuses unsafe requests that another site made a browser send.

    Browsers say where a request comes from in Sec-Fetch-Site; older ones in Origin. A client that says neither
    is no browser, so there is nobody whose cookies it could misuse. (Datasette and Go's CrossOriginProtection do so.)
    """

    def __init__(self, app: ASGIApp, refusal: str) -> None:
        self._app = app
        self._refusal = refusal.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in SAFE_METHODS or self._is_own(scope):
            await self._app(scope, receive, send)
        else:
            await _answer(send, 403, self._refusal, b"text/plain")

    @staticmethod
    def _is_own(scope: Scope) -> bool:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        site = headers.get("sec-fetch-site")
        if site is not None and site not in {"same-origin", "none"}:
            return False
        return origin is None or is_own_origin(scope, origin)


def takes_gzip(headers: Headers) -> bool:
    """Whether an answer may be packed: `gzip;q=0` says no."""
    for part in headers.get("accept-encoding", "").split(","):
        name, _, weight = part.strip().lower().partition(";")
        if name.strip() in {"gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


class Packed:
    """Packs pages for whoever takes it; files do so for themselves.

    Pages hold no secret that a stranger's text beside it could give away by its packed length (BREACH): sessions are
    in cookies, and forms need no token. Starlette's own middleware would pack for `gzip;q=0` as well.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._packing = GZipMiddleware(app, minimum_size=1000, compresslevel=4)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        packs = not scope["path"].startswith(PACKED_OR_DENSE) and takes_gzip(Headers(scope=scope))
        await (self._packing if packs else self._app)(scope, receive, send)


class Bodies:
    """Cuts bodies over `most` bytes, whatever Content-Length says. Uploads have a bound of their own, which whoever
    takes them holds them to."""

    def __init__(self, app: ASGIApp, refusal: str, most: int = BODY_BYTES) -> None:
        self._app = app
        self._refusal = refusal.encode()
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST" and UPLOADS.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        # isdigit() alone lets ² through, and int() refuses thousands of digits.
        if not (length.isascii() and length.isdigit() and len(length) < 10) or (
            int(length) > self._most
        ):
            await _answer(send, 413, self._refusal, b"text/plain")
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most:
                raise TooLarge("too_large")  # the application answers this like any other refusal
            return message

        await self._app(scope, counted, send)
