"""Which servers help two browsers to find a way to each other: STUN, and TURN with credentials for a short while.

TURN credentials as coturn's `use-auth-secret` takes them (draft-uberti-behave-turn-rest-00): the name is the second in
which they lapse and who they are for, the password is that name's HMAC-SHA1 under the shared secret, in base64.
"""

import base64
import hashlib
import hmac
import time
from typing import Final

CREDENTIAL_SECONDS: Final = 600


class IceServers:
    """MUST be asked only for members of a call that goes on. `secret` is TURN's; without it there is no TURN."""

    def __init__(self, stun: tuple[str, ...], turn: tuple[str, ...], secret: str) -> None:
        self._stun = stun
        self._turn = turn if secret else ()
        self._secret = secret.encode()

    def of(self, user_id: int) -> list[dict[str, object]]:
        """As RTCConfiguration's `iceServers` has them."""
        found: list[dict[str, object]] = []
        if self._stun:
            found.append({"urls": list(self._stun)})
        if self._turn:
            name = f"{int(time.time()) + CREDENTIAL_SECONDS}:{user_id}"
            digest = hmac.new(self._secret, name.encode(), hashlib.sha1).digest()
            found.append(
                {
                    "urls": list(self._turn),
                    "username": name,
                    "credential": base64.b64encode(digest).decode(),
                }
            )
        return found
