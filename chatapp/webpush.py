"""Messages that only one browser can read: RFC 8291 over RFC 8188, signed as RFC 8292 has it. The one door to
`cryptography`.

Written here rather than taken from `pywebpush`: that one brings `requests` and `aiohttp` along and opens the
connection itself, while ours has to go to an address that was checked (`outbound.py`). What is left is a page of code,
and RFC 8291 has an example to hold it against.
"""

import base64
import os
import struct
import time
from typing import Final

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PAYLOAD_BYTES: Final = 3_000  # push services take 4,096 with all that is around it
SIGNED_SECONDS: Final = 12 * 3600  # a service takes no more than 24 hours
_RECORD: Final = 4_096


def base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def unbase64(text: str) -> bytes:
    """Raises `ValueError`."""
    if not text.isascii():
        raise ValueError("not base64url")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _point(key: EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def check_keys(p256dh: str, auth: str) -> None:
    """What a browser gave is a point of the curve and 16 octets. Raises `ValueError`."""
    EllipticCurvePublicKey.from_encoded_point(SECP256R1(), unbase64(p256dh))
    if len(unbase64(auth)) != 16:
        raise ValueError("the secret has 16 octets")


def encrypt(
    payload: bytes,
    p256dh: str,
    auth: str,
    *,
    salt: bytes | None = None,
    key: EllipticCurvePrivateKey | None = None,
) -> bytes:
    """The body of a push, with `Content-Encoding: aes128gcm`. Salt and key are made afresh, except to try the example.

    Raises `ValueError` for a subscription that makes no sense.
    """
    theirs = unbase64(p256dh)
    reader = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), theirs)
    key = key or generate_private_key(SECP256R1())
    salt = salt or os.urandom(16)
    ours = _point(key.public_key())
    shared = key.exchange(ECDH(), reader)
    secret = _derive(shared, unbase64(auth), b"WebPush: info\0" + theirs + ours, 32)
    content = _derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\0", 12)
    sealed = AESGCM(content).encrypt(nonce, payload + b"\x02", None)
    return salt + struct.pack(">IB", _RECORD, len(ours)) + ours + sealed


class Vapid:
    """The site's key, by which push services know that pushes of one site come from one sender."""

    def __init__(self, private: str) -> None:
        """`private`: as `new` makes it."""
        self._key = derive_private_key(int.from_bytes(unbase64(private)), SECP256R1())
        self.public = base64url(_point(self._key.public_key()))

    @staticmethod
    def new() -> str:
        number = generate_private_key(SECP256R1()).private_numbers().private_value
        return base64url(number.to_bytes(32))

    def authorization(self, origin: str, subject: str, now: float | None = None) -> str:
        """The header for pushes to the service at `origin`. `subject`: whom it may ask about us."""
        claims = {
            "aud": origin,
            "exp": int((time.time() if now is None else now) + SIGNED_SECONDS),
            "sub": subject,
        }
        head = base64url(msgspec.json.encode({"typ": "JWT", "alg": "ES256"}))
        text = f"{head}.{base64url(msgspec.json.encode(claims))}"
        r, s = decode_dss_signature(self._key.sign(text.encode(), ECDSA(hashes.SHA256())))
        return f"vapid t={text}.{base64url(r.to_bytes(32) + s.to_bytes(32))}, k={self.public}"
