"""A push service on loopback, and the browsers that it serves: it checks signatures as the real ones do, and opens what
it was given with the browser's key, which the real ones cannot."""

import asyncio
import base64
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def to64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def from64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def open_push(body: bytes, key: EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """RFC 8291 from the reader's side, written apart from ours."""
    salt, record, length = body[:16], int.from_bytes(body[16:20]), body[20]
    sender, sealed = body[21 : 21 + length], body[21 + length :]
    assert len(sealed) <= record
    mine = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = key.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), sender))

    def derive(secret: bytes, salted: bytes, info: bytes, size: int) -> bytes:
        return HKDF(hashes.SHA256(), size, salted, info).derive(secret)

    secret = derive(shared, auth, b"WebPush: info\x00" + mine + sender, 32)
    content = derive(secret, salt, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = derive(secret, salt, b"Content-Encoding: nonce\x00", 12)
    padded = AESGCM(content).decrypt(nonce, sealed, None)
    text, mark = padded.rstrip(b"\0")[:-1], padded.rstrip(b"\0")[-1:]
    assert mark == b"\x02", "the last record"
    return text


def check_signature(header: str, audience: str) -> dict[str, Any]:
    """The claims of a VAPID header (RFC 8292) that was signed by the key it names."""
    scheme, _, rest = header.partition(" ")
    assert scheme == "vapid"
    given = dict(part.strip().split("=", 1) for part in rest.split(","))
    head, claims, signature = given["t"].split(".")
    assert json.loads(from64(head)) == {"typ": "JWT", "alg": "ES256"}
    octets = from64(signature)
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), from64(given["k"]))
    key.verify(
        encode_dss_signature(int.from_bytes(octets[:32]), int.from_bytes(octets[32:])),
        f"{head}.{claims}".encode(),
        ECDSA(hashes.SHA256()),
    )
    found: dict[str, Any] = json.loads(from64(claims))
    assert found["aud"] == audience
    assert time.time() < found["exp"] < time.time() + 24 * 3600
    assert found["sub"].startswith(("https://", "mailto:"))
    return {**found, "key": given["k"]}


class Browser:
    """One that takes pushes. `fields` is what it tells the site."""

    def __init__(self, origin: str, name: str) -> None:
        self._key = generate_private_key(SECP256R1())
        self._auth = os.urandom(16)
        public = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.fields = {
            "endpoint": f"{origin}/push/{name}",
            "p256dh": to64(public),
            "auth": to64(self._auth),
        }

    def read(self, body: bytes) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(open_push(body, self._key, self._auth))
        return found


@dataclass
class Received:
    name: str
    headers: dict[str, str]
    payload: dict[str, Any]
    claims: dict[str, Any]


@dataclass
class PushService:
    """`answers`: statuses for the next pushes, 201 when there are none left."""

    origin: str = ""
    browsers: dict[str, Browser] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)
    received: "asyncio.Queue[Received]" = field(default_factory=asyncio.Queue)

    def browser(self, name: str) -> Browser:
        self.browsers[name] = Browser(self.origin, name)
        return self.browsers[name]

    async def next(self) -> Received:
        return await asyncio.wait_for(self.received.get(), 10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): text for name, text in (line.split(": ", 1) for line in lines)}
            method, path, _ = first.split(" ")
            body = await reader.readexactly(int(headers["content-length"]))
            assert (method, headers["content-encoding"]) == ("POST", "aes128gcm")
            assert len(body) <= 4096
            name = path.rpartition("/")[2]
            claims = check_signature(headers["authorization"], self.origin)
            payload = self.browsers[name].read(body)
            status = self.answers.pop(0) if self.answers else 201
            self.received.put_nowait(Received(name, headers, payload, claims))
        except Exception:
            writer.write(b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n")
            raise
        else:
            more = "Location: http://127.0.0.1:1/\r\n" if status == 307 else ""
            writer.write(f"HTTP/1.1 {status} X\r\n{more}Content-Length: 0\r\n\r\n".encode())
        finally:
            await writer.drain()
            writer.close()


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    service = PushService()
    server = await asyncio.start_server(service._serve, "127.0.0.1", 0)
    service.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield service
