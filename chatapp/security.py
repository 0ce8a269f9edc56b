"""Passwords, session ids and signatures. The one door to `bcrypt` and `itsdangerous`."""

import asyncio
import base64
import hashlib
import os
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import bcrypt
from itsdangerous import BadSignature, TimestampSigner

from chatapp.errors import Busy, Invalid

PASSWORD_LEAST: Final = 8  # characters
PASSWORD_MOST: Final = 1024  # bytes of UTF-8
# Nobody's hash, of random bytes that were thrown away: for the time that a look at it takes.
_NOBODY: Final = "$2b${cost:02}$bPHhZZE8zBWw4.5mAmAKx.fPRmGUX8CbU9fmfWBYiQI5oJrEs4W66"
WAITING_MOST: Final = 50

T = TypeVar("T")


def normal_password(password: str) -> bytes:
    """NFKC, as UTF-8. Raises `Invalid` for what can be no password of ours."""
    normal = unicodedata.normalize("NFKC", password)
    if "\0" in normal or any(0xD800 <= ord(sign) <= 0xDFFF for sign in normal):
        raise Invalid({"password": "password_characters"})
    if len(normal) < PASSWORD_LEAST:
        raise Invalid({"password": "password_short"})
    encoded = normal.encode()
    if len(encoded) > PASSWORD_MOST:
        raise Invalid({"password": "password_long"})
    return encoded


def _digest(password: bytes) -> bytes:
    """bcrypt reads 72 bytes and stops at NUL; 44 characters of base64 hold all of a SHA-256."""
    return base64.b64encode(hashlib.sha256(password).digest())


class Passwords:
    """Hashes in threads, so that the event loop never waits for one.

    At most `WAITING_MOST` wait for a thread; one more is refused with `Busy`. `cost` is bcrypt's work factor.
    """

    def __init__(self, cost: int, threads: int | None = None) -> None:
        # One core stays free for the event loop where there are two or more.
        self._threads = threads or max(1, (os.cpu_count() or 1) - 1)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="bcrypt")
        self._waiting = 0
        self._cost = cost
        self._nobody = _NOBODY.format(cost=cost)

    async def hash(self, password: bytes) -> str:
        return await self._run(
            lambda: bcrypt.hashpw(_digest(password), bcrypt.gensalt(self._cost)).decode()
        )

    async def verify(self, password: bytes, stored: str | None) -> bool:
        """False for a wrong password, a broken hash and, after the same time, for no account at all."""
        known = stored is not None
        wanted = (stored or self._nobody).encode()

        def check() -> bool:
            try:
                return bcrypt.checkpw(_digest(password), wanted)
            except ValueError:
                return False

        return await self._run(check) and known

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MOST:
            raise Busy("busy", 5)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def new_token() -> str:
    """256 random bits as 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What the database keeps of a token. The token is random, so one SHA-256 is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class Seal:
    """Signs the short values that we hand to browsers. One salt per purpose.

    `keys`: oldest first; all are accepted, the last one signs. Signatures carry their time, and
    `open` refuses what is older than `max_age` seconds, altered, or signed for another purpose.
    It takes what seems to be from the future: another process signed it, whose clock is ahead of ours.
    """

    def __init__(self, keys: tuple[str, ...], purpose: str, max_age: int) -> None:
        self.max_age = max_age
        self._signer = TimestampSigner(
            list(keys),
            salt=f"chatapp.{purpose}",
            key_derivation="hmac",
            digest_method=hashlib.sha256,
        )

    def seal(self, value: str) -> str:
        return self._signer.sign(value.encode()).decode("ascii")

    def open(self, sealed: str) -> str | None:
        try:
            value, signed_at = self._signer.unsign(sealed, return_timestamp=True)
            is_old = self._signer.get_timestamp() - signed_at.timestamp() > self.max_age
            return None if is_old else value.decode()
        except (BadSignature, UnicodeError, ValueError):
            return None


def stored_key(data_dir: Path) -> str:
    """The signing key kept in the data folder; made there at the first start, readable by its owner only."""
    path = data_dir / "secret_key"
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        key = secrets.token_hex(32)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:  # another process was quicker
            return path.read_text("ascii").strip()
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(key + "\n")
        return key
