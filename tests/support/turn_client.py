"""A TURN client that does as much of RFC 8656 as it takes to ask a server for something and hear what it says."""

import hashlib
import hmac
import ipaddress
import itertools
import os
import socket
import struct
from collections.abc import Iterator
from typing import Final

MAGIC: Final = 0x2112A442
ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND = 0x003, 0x004, 0x008, 0x009
USERNAME, INTEGRITY, ERROR_CODE, CHANNEL, LIFETIME = 0x0006, 0x0008, 0x0009, 0x000C, 0x000D
PEER, REALM, NONCE, RELAYED, FAMILY, TRANSPORT = 0x0012, 0x0014, 0x0015, 0x0016, 0x0017, 0x0019
UNAUTHORIZED, STALE_NONCE = 401, 438
UDP: Final = bytes([17, 0, 0, 0])

Address = tuple[str, int]
Attributes = dict[int, bytes]


class TurnClient:
    """Each question returns 0, or the code of the error that the server answers with."""

    def __init__(self, server: Address, username: str, credential: str) -> None:
        self.relayed: Address | None = None
        self._id = os.urandom(12)  # of all its questions: one is asked after the other
        self._channels = itertools.count(0x4000)
        self._username = username
        self._credential = credential
        self._realm = self._nonce = b""
        kind = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self._socket = socket.socket(kind, socket.SOCK_DGRAM)
        self._socket.settimeout(10)  # nothing is lost on the way within one machine
        self._socket.connect(server)

    def close(self) -> None:
        self._socket.close()

    def allocate(self) -> int:
        """A relay, of the family of the server's address."""
        mine = bytes([2 if self._socket.family == socket.AF_INET6 else 1, 0, 0, 0])
        return self._ask(ALLOCATE, [(TRANSPORT, UDP), (FAMILY, mine)])

    def permit(self, peer: str) -> int:
        """Whether the relay may send to an address, and take from it."""
        return self._ask(CREATE_PERMISSION, [(PEER, self._packed(peer))])

    def bind(self, peer: str) -> int:
        """The other way to say where to send to: a channel."""
        number = struct.pack("!HH", next(self._channels), 0)
        return self._ask(CHANNEL_BIND, [(CHANNEL, number), (PEER, self._packed(peer))])

    def refresh(self, seconds: int) -> int:
        return self._ask(REFRESH, [(LIFETIME, struct.pack("!I", seconds))])

    def _ask(self, method: int, attributes: list[tuple[int, bytes]]) -> int:
        while True:
            found = self._exchange(method, attributes)
            code = _code(found)
            if RELAYED in found:
                self.relayed = _unpacked(found[RELAYED], self._id)
            first = code == UNAUTHORIZED and not self._nonce  # it says for which realm
            if not first and code != STALE_NONCE:
                return code
            self._realm, self._nonce = found[REALM], found[NONCE]

    def _exchange(self, method: int, attributes: list[tuple[int, bytes]]) -> Attributes:
        sent = list(attributes)
        if self._nonce:
            name = self._username.encode()
            sent += [(USERNAME, name), (REALM, self._realm), (NONCE, self._nonce)]
        body = b"".join(
            struct.pack("!HH", kind, len(v)) + v + b"\0" * (-len(v) % 4) for kind, v in sent
        )
        if self._nonce:
            secret = b":".join((self._username.encode(), self._realm, self._credential.encode()))
            key = hashlib.md5(secret, usedforsecurity=False).digest()
            signed = self._header(method, len(body) + 24) + body
            body += struct.pack("!HH", INTEGRITY, 20) + hmac.new(key, signed, hashlib.sha1).digest()
        self._socket.send(self._header(method, len(body)) + body)
        return dict(_attributes(self._socket.recv(2048)))

    def _packed(self, peer: str) -> bytes:
        """XOR-PEER-ADDRESS, of its port 9."""
        raw = ipaddress.ip_address(peer).packed
        family = 1 if len(raw) == 4 else 2
        hidden = bytes(a ^ b for a, b in zip(raw, _mask(self._id), strict=False))
        return struct.pack("!BBH", 0, family, 9 ^ (MAGIC >> 16)) + hidden

    def _header(self, method: int, length: int) -> bytes:
        return struct.pack("!HHI", method, length, MAGIC) + self._id


def _attributes(answer: bytes) -> Iterator[tuple[int, bytes]]:
    at = 20
    while at < len(answer):
        kind, length = struct.unpack_from("!HH", answer, at)
        yield kind, answer[at + 4 : at + 4 + length]
        at += 4 + length + -length % 4


def _code(found: Attributes) -> int:
    value = found.get(ERROR_CODE)
    return 0 if value is None else value[2] * 100 + value[3]


def _mask(transaction: bytes) -> bytes:
    return struct.pack("!I", MAGIC) + transaction


def _unpacked(value: bytes, transaction: bytes) -> Address:
    port = struct.unpack_from("!H", value, 2)[0] ^ (MAGIC >> 16)
    raw = bytes(a ^ b for a, b in zip(value[4:], _mask(transaction), strict=False))
    return str(ipaddress.ip_address(raw)), port
