"""What the tabs of this process say of the people before them."""

from collections import defaultdict, deque
from typing import Final

from chatapp.realtime.connection import Connection
from chatapp.realtime.leases import State

GRACE_SECONDS: Final = 5.0  # a closed tab still counts: whoever loads the page again was never away


class Tabs:
    """Somebody is online if any of their tabs is, else away. Bounded by the sockets there are, and by those that
    closed within `GRACE_SECONDS`."""

    def __init__(self) -> None:
        self._states: defaultdict[int, dict[Connection, State]] = defaultdict(dict)
        self._closed: deque[tuple[float, Connection]] = deque()

    def tell(self, connection: Connection, state: State) -> None:
        if connection.is_open:
            self._states[connection.user_id][connection] = state

    def has(self, connection: Connection) -> bool:
        return connection in self._states.get(connection.user_id, ())

    def left(self, connection: Connection, now: float) -> None:
        if self.has(connection):
            self._closed.append((now + GRACE_SECONDS, connection))

    def states(self, now: float) -> dict[int, State]:
        """Everybody who has a tab, or had one a moment ago."""
        while self._closed and self._closed[0][0] <= now:
            connection = self._closed.popleft()[1]
            theirs = self._states[connection.user_id]
            theirs.pop(connection, None)
            if not theirs:
                del self._states[connection.user_id]
        return {
            user_id: "online" if "online" in theirs.values() else "away"
            for user_id, theirs in self._states.items()
        }
