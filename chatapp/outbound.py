"""Requests that the server sends to addresses which people gave it. Such an address may be meant to reach what only the
server can reach (SSRF), so:

1. What is posted goes by https alone, on port 443 or above 1023; pages are asked for by http and https, on ports 80 and
   443. No address has a user or password in it.
2. The host's addresses are looked up once, all of them must be public, and the connection goes to one that was checked:
   a name that resolves to something else a moment later gains nothing.
3. The answer to a post is not followed elsewhere, and is not shown to whoever gave the address. A page may lead on
   `REDIRECTS_MOST` times, and each time everything is checked anew.
4. No head is read beyond `ANSWER_BYTES`, no body beyond what was asked for, packed or unpacked.
5. All of it together takes `SECONDS` at most. Nothing is kept for the next request: no cookies, no connection.

For tests and development `insecure` names hosts to which none but 3 to 5 apply, not even that it be https.
"""

import asyncio
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import Message
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import httptools

SECONDS: Final = 10.0
ANSWER_BYTES: Final = 64 * 1024
URL_CHARACTERS: Final = 1_000
REDIRECTS_MOST: Final = 3
WEB_PORTS: Final = frozenset({80, 443})
USER_AGENT: Final = "chatapp (link previews)"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEPT_SIGNS: Final = "%/?:@!$&'()*+,;=~-._"
_NAT64: Final = int(ip_address("64:ff9b::")) >> 32

_TROUBLE: Final = (
    OSError,
    TimeoutError,
    EOFError,
    httptools.HttpParserError,
    httptools.HttpParserUpgrade,
)

Address = IPv4Address | IPv6Address


class Unsafe(ValueError):
    """We do not send to this address."""


class Failed(Exception):
    """Nobody answered, or not in a way that can be understood."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes. `origin` as push services want it signed."""

    host: str
    port: int
    path: str
    is_tls: bool

    @property
    def origin(self) -> str:
        usual = self.port == (443 if self.is_tls else 80)
        scheme = "https" if self.is_tls else "http"
        return f"{scheme}://{self.netloc}" if usual else f"{scheme}://{self.netloc}:{self.port}"

    @property
    def netloc(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


@dataclass(frozen=True, slots=True)
class Answer:
    """`retry_after`: seconds, None when it does not say."""

    status: int
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """What was at an address. `url`: where it led to in the end; `kind`: its media type, `charset` '' when it does not
    say."""

    url: str
    kind: str
    charset: str
    body: bytes


# The addresses of a host and port.
Resolve = Callable[[str, int], Awaitable[list[str]]]


async def look_up(host: str, port: int) -> list[str]:
    """Raises `OSError`."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


def is_public(address: Address) -> bool:
    """Whether an address belongs to the open internet, also when it carries another one inside."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address.teredo is not None:
            inner = address.teredo[1]
        if inner is None and int(address) >> 32 == _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class Outbound:
    """MUST be the only way out to addresses that people gave."""

    def __init__(self, insecure: tuple[str, ...] = (), resolve: Resolve = look_up) -> None:
        self._insecure = frozenset(insecure)
        self._resolve = resolve
        self._tls: ssl.SSLContext | None = None  # made when first needed: it takes 60 ms

    def target(self, url: str, *, web: bool = False) -> Target:
        """Where an address leads, if we send there, as far as can be told without looking its host up. `web`: to ask
        for a page. Raises `Unsafe`."""
        if len(url) > URL_CHARACTERS or not url.isascii() or not url.isprintable() or " " in url:
            raise Unsafe
        try:
            parts = urlsplit(url)
            host, given = parts.hostname or "", parts.port
        except ValueError:
            raise Unsafe from None
        free = host in self._insecure
        if parts.scheme not in ({"https", "http"} if free or web else {"https"}) or not host:
            raise Unsafe
        is_tls = parts.scheme == "https"
        port = given if given is not None else (443 if is_tls else 80)
        if "@" in parts.netloc or "\\" in url:
            raise Unsafe
        if not free and not (port in WEB_PORTS if web else port == 443 or port >= 1024):
            raise Unsafe
        literal = _literal(host)
        if not free and (literal is None and "." not in host.strip(".")):
            raise Unsafe  # a name of the local network
        if not free and literal is not None and not is_public(literal):
            raise Unsafe
        return Target(host, port, _path(parts), is_tls)

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return self._tls

    async def _address(self, target: Target) -> str:
        """The address to connect to, checked. Raises `Unsafe`, `OSError`."""
        addresses = await self._resolve(target.host, target.port)
        if not addresses:
            raise OSError
        if target.host not in self._insecure:
            for address in addresses:
                if not is_public(ip_address(address.partition("%")[0])):
                    raise Unsafe
        return addresses[0]

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """Sends once. Raises `Unsafe`, `Failed`."""
        target = self.target(url)
        async with _bounded(SECONDS), self._line(target) as (reader, writer):
            writer.write(
                _request("POST", target, {"Content-Length": f"{len(body)}", **headers}, body)
            )
            await writer.drain()
            return await _answer(reader)

    async def get(self, url: str, kinds: tuple[str, ...], most: int, seconds: float) -> Found:
        """What is at an address, of these media types (`text/html`, `image/`), as far as `most` bytes. Raises
        `Unsafe`, `Failed`."""
        accept = ", ".join(kind + "*" if kind.endswith("/") else kind for kind in kinds)
        headers = {"User-Agent": USER_AGENT, "Accept": accept, "Accept-Encoding": "gzip"}
        async with _bounded(seconds):
            for _ in range(REDIRECTS_MOST + 1):
                url = in_ascii(url)
                target = self.target(url, web=True)
                async with self._line(target) as (reader, writer):
                    writer.write(_request("GET", target, headers))
                    await writer.drain()
                    heard = await _hear(reader, kinds, most)
                if heard.status not in _REDIRECTS:
                    return heard.found(url, kinds, most)
                url = joined(url, heard.header("location"))
        raise Failed("redirects")

    @asynccontextmanager
    async def _line(
        self, target: Target
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """To the address that was checked, and no other."""
        address = await self._address(target)
        reader, writer = await asyncio.open_connection(
            address,
            target.port,
            ssl=await self._context() if target.is_tls else None,
            server_hostname=target.host if target.is_tls else None,
            limit=ANSWER_BYTES,
        )
        try:
            yield reader, writer
        finally:
            writer.transport.abort()  # nothing more is wanted of whoever it is


@asynccontextmanager
async def _bounded(seconds: float) -> AsyncIterator[None]:
    """Whatever goes wrong with a line is `Failed`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except _TROUBLE as error:
        raise Failed(type(error).__name__) from error


def joined(url: str, other: str) -> str:
    """An address as the page at `url` writes it. Raises `Unsafe`."""
    try:
        return urljoin(url, other)
    except ValueError:
        raise Unsafe from None


def in_ascii(url: str) -> str:
    """An address as people write it, as it goes over the line: names in Punycode, other signs in percents. Raises
    `Unsafe`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if not host.isascii():
            host = host.encode("idna").decode()
    except ValueError:
        raise Unsafe from None
    if "@" in parts.netloc or not host:
        raise Unsafe
    netloc = (f"[{host}]" if ":" in host else host) + ("" if port is None else f":{port}")
    path, query = (quote(part, safe=_KEPT_SIGNS) for part in (parts.path, parts.query))
    return f"{parts.scheme}://{netloc}{path or '/'}" + (f"?{query}" if query else "")


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:  # forms that only the C library takes, such as 127.1 and 0x7f000001
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _request(method: str, target: Target, headers: dict[str, str], body: bytes = b"") -> bytes:
    host = target.origin.partition("://")[2]
    lines = [
        f"{method} {target.path} HTTP/1.1",
        f"Host: {host}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body


class _Heard:
    """What `httptools` tells of an answer."""

    def __init__(self) -> None:
        self.headers: dict[bytes, bytes] = {}
        self.has_head = False
        self.is_whole = False
        self.body = bytearray()
        self.status = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self.has_head = True

    def on_body(self, octets: bytes) -> None:
        self.body += octets

    def on_message_complete(self) -> None:
        self.is_whole = True

    def header(self, name: str) -> str:
        return self.headers.get(name.encode(), b"").decode("latin-1")

    def is_of(self, kinds: tuple[str, ...]) -> bool:
        kind = self.header("content-type").partition(";")[0].strip().lower()
        return any(kind.startswith(each) if each.endswith("/") else kind == each for each in kinds)

    def found(self, url: str, kinds: tuple[str, ...], most: int) -> Found:
        """Raises `Failed` for all but a page of these kinds."""
        if self.status != 200 or not self.is_of(kinds):
            raise Failed(f"{self.status} {self.header('content-type')[:40]}")
        said = Message()
        said["content-type"] = self.header("content-type")
        packing = self.header("content-encoding").strip().lower()
        body = bytes(self.body)
        if packing in {"gzip", "x-gzip"}:
            try:
                body = zlib.decompressobj(wbits=31).decompress(body, most)
            except zlib.error as error:
                raise Failed("gzip") from error
        elif packing not in {"", "identity"}:
            raise Failed(packing[:20])
        kind, charset = said.get_content_type(), said.get_param("charset", "")
        return Found(url, kind, charset if isinstance(charset, str) else "", body[:most])


async def _answer(reader: asyncio.StreamReader) -> Answer:
    """Its head; the rest is for nobody."""
    heard = await _hear(reader, (), 0)
    after = heard.headers.get(b"retry-after", b"")
    seconds = float(after) if after.isdigit() and len(after) < 7 else None
    return Answer(heard.status, seconds)


async def _hear(reader: asyncio.StreamReader, kinds: tuple[str, ...], most: int) -> _Heard:
    """An answer's head, and `most` bytes of its body if it is of these kinds. What ends early ends there."""
    heard = _Heard()
    parser = httptools.HttpResponseParser(heard)
    read = 0
    while not heard.has_head:
        octets = await reader.read(4096)
        read += len(octets)
        if not octets or read > ANSWER_BYTES:
            raise EOFError
        parser.feed_data(octets)
    heard.status = parser.get_status_code()
    if heard.status != 200 or not heard.is_of(kinds):
        return heard
    while not heard.is_whole and len(heard.body) < most and read < most + ANSWER_BYTES:
        octets = await reader.read(ANSWER_BYTES)
        if not octets:
            break
        read += len(octets)
        parser.feed_data(octets)
    return heard
