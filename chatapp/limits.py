"""Rate limits: so many in so many seconds, for each key.

Algorithm: the generic cell rate algorithm (GCRA, ITU-T I.371): one number per key, the time at which the key
will have spent nothing. Keys are kept in a bounded table; when it is full, the key that was idle longest goes,
which can only be to the favour of its owner.
"""

from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from chatapp.clock import Clock
from chatapp.errors import TooMany


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` at once, refilled evenly over `seconds`."""

    name: str
    count: int
    seconds: float


# per account or address
SIGN_IN = Rate("sign-in", 10, 15 * 60)
SIGN_IN_ADDRESS = Rate("sign-in-address", 50, 15 * 60)
SIGN_UP_ADDRESS = Rate("sign-up-address", 20, 60 * 60)
PASSWORD = Rate("password", 10, 15 * 60)
INVITE_ADDRESS = Rate(
    "invite-address", 300, 15 * 60
)  # looks at links that let people in or give passwords
INVITED_ADDRESS = Rate("invited-address", 200, 60 * 60)  # a class that signs up together
RECOVER_ADDRESS = Rate("recover-address", 20, 15 * 60)
FORGOT = Rate("forgot", 3, 60 * 60)
FORGOT_ADDRESS = Rate("forgot-address", 20, 60 * 60)
# per person
POST = Rate("post", 60, 10)
CALL_ALL = Rate("call-all", 10, 60)  # a row for each member of the room
EDIT = Rate("edit", 60, 60)  # and deleting, and bringing back
CREATE_ROOM = Rate("create-room", 20, 60 * 60)
MEMBERSHIP = Rate("membership", 60, 60)
READ_THREAD = Rate("read-thread", 60, 30)
INVITE = Rate("invite", 30, 60 * 60)
ADMINISTER = Rate("administer", 60, 60)
EDIT_ROOM = Rate("edit-room", 30, 60)
SEARCH = Rate("search", 60, 30)
UPLOAD = Rate("upload", 120, 60)
PREVIEW = Rate("preview", 60, 30)
SUGGEST = Rate("suggest", 60, 15)
SWITCH = Rate("switch", 60, 15)
AVATAR = Rate("avatar", 10, 10 * 60)
PROFILE = Rate("profile", 30, 60)
PUSH = Rate("push", 20, 60)
CONNECT = Rate("connect", 60, 60)
PIN = Rate("pin", 20, 60)
REPORT = Rate("report", 10, 10 * 60)
BOOKMARK = Rate("bookmark", 60, 60)
REACT = Rate("react", 60, 30)
TYPING = Rate("typing", 3, 2.5)
DRAFT = Rate("draft", 120, 30)
PRESENCE = Rate("presence", 30, 30)
CALL = Rate("call", 30, 60)  # joining and leaving
SIGNAL = Rate("signal", 200, 20)
RING = Rate("ring", 10, 60)
MEDIA = Rate("media", 20, 60)  # sessions with the media server
# per address
CONNECT_ADDRESS = Rate("connect-address", 1200, 60)
# per socket
FRAMES = Rate("frames", 60, 3)


DUST = 1e-4  # seconds: what adding up floats may be wrong by


class Limits:
    """MUST be used from one event loop. `factor` multiplies every count.

    `capacity` keys at most, about 200 bytes each.
    """

    def __init__(self, clock: Clock, factor: int = 1, capacity: int = 100_000) -> None:
        self._clock = clock
        self._factor = factor
        self._capacity = capacity
        self._free_at: OrderedDict[tuple[str, object], float] = OrderedDict()

    def wait(self, rate: Rate, key: object) -> float:
        """Takes one if there is one. Returns 0, or the seconds until there is."""
        place = (rate.name, key)
        wait, free_at = self.spend(rate, self._free_at.get(place, 0.0))
        if not wait:
            self._free_at[place] = free_at
            self._free_at.move_to_end(place)
            if len(self._free_at) > self._capacity:
                self._free_at.popitem(last=False)
        return wait

    def spend(self, rate: Rate, free_at: float) -> tuple[float, float]:
        """The same for whoever keeps the time itself (0.0 at first): the seconds to wait, and the time to keep."""
        now = self._clock.monotonic()
        each = rate.seconds / (rate.count * self._factor)
        spent = free_at - now
        if spent < 0:
            spent = 0.0
        if spent > rate.seconds - each + DUST:
            return spent - rate.seconds + each, free_at
        return 0.0, now + spent + each

    def take(self, rate: Rate, key: object) -> None:
        """Takes one or raises `TooMany`."""
        if wait := self.wait(rate, key):
            raise TooMany("too_many", wait)


@lru_cache(maxsize=4096)
def address_key(address: str) -> str:
    """Who an address counts as: itself, or its /64 for IPv6, since one household has as many as it likes."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return parsed.exploded[:19]
    return str(parsed)
