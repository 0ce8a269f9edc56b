"""Requests that the server sends to addresses which people gave it. Such an address may be meant to reach what only the
server can reach (SSRF), so:

1. https alone, on port 443 or above 1023, without a user or password in the address.
2. The host's addresses are looked up once, all of them must be public, and the connection goes to one that was checked:
   a name that resolves to something else a moment later gains nothing.
3. No answer is followed elsewhere, none is read beyond `ANSWER_BYTES`, none is shown to whoever gave the address.
4. All of it together takes `SECONDS` at most.

For tests and development `insecure` names hosts to which none but 3 and 4 apply, not even that it be https.
"""

import asyncio
import socket
import ssl
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httptools

SECONDS: Final = 10.0
ANSWER_BYTES: Final = 64 * 1024
URL_CHARACTERS: Final = 1_000
_NAT64: Final = int(ip_address("64:ff9b::")) >> 32

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

    def __init__(self, insecure: tuple[str, ...] = ()) -> None:
        self._insecure = frozenset(insecure)
        self._tls: ssl.SSLContext | None = None  # made when first needed: it takes 60 ms

    def target(self, url: str) -> Target:
        """Where an address leads, if we send there, as far as can be told without looking its host up. Raises
        `Unsafe`."""
        if len(url) > URL_CHARACTERS or not url.isascii() or not url.isprintable() or " " in url:
            raise Unsafe
        try:
            parts = urlsplit(url)
            host, given = parts.hostname or "", parts.port
        except ValueError:
            raise Unsafe from None
        free = host in self._insecure
        if parts.scheme not in ({"https", "http"} if free else {"https"}) or not host:
            raise Unsafe
        is_tls = parts.scheme == "https"
        port = given if given is not None else (443 if is_tls else 80)
        if "@" in parts.netloc or "\\" in url or not (port == 443 or port >= 1024 or free):
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
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        addresses = [str(each[4][0]) for each in found]
        if target.host not in self._insecure:
            for address in addresses:
                if not is_public(ip_address(address.partition("%")[0])):
                    raise Unsafe
        return addresses[0]

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """Sends once. Raises `Unsafe`, `Failed`."""
        target = self.target(url)
        try:
            async with asyncio.timeout(SECONDS):
                address = await self._address(target)
                reader, writer = await asyncio.open_connection(
                    address,
                    target.port,
                    ssl=await self._context() if target.is_tls else None,
                    server_hostname=target.host if target.is_tls else None,
                    limit=ANSWER_BYTES,
                )
                try:
                    writer.write(_request(target, headers, body))
                    await writer.drain()
                    return await _answer(reader)
                finally:
                    writer.transport.abort()  # nothing more is wanted of whoever it is
        except (OSError, TimeoutError, EOFError, httptools.HttpParserError) as error:
            raise Failed(type(error).__name__) from error


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


def _request(target: Target, headers: dict[str, str], body: bytes) -> bytes:
    host = target.origin.partition("://")[2]
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"Host: {host}",
        "Connection: close",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body


class _Heard:
    """What `httptools` tells of an answer's head."""

    def __init__(self) -> None:
        self.headers: dict[bytes, bytes] = {}
        self.is_whole = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self.is_whole = True


async def _answer(reader: asyncio.StreamReader) -> Answer:
    """Its head; the rest is for nobody."""
    heard = _Heard()
    parser = httptools.HttpResponseParser(heard)
    read = 0
    while not heard.is_whole:
        octets = await reader.read(4096)
        read += len(octets)
        if not octets or read > ANSWER_BYTES:
            raise EOFError
        parser.feed_data(octets)
    after = heard.headers.get(b"retry-after", b"")
    seconds = float(after) if after.isdigit() and len(after) < 7 else None
    return Answer(parser.get_status_code(), seconds)
