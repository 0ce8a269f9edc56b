"""What tabs in a call say to each other, and to the media server. It has no queue: whoever hears nothing begins again.

MUSTs
1. Only a tab that is in the call (`calls.py`) sends or gets anything.
2. Who sends is what we know, never what a frame or Redis says.
"""

from chatapp.errors import Refused
from chatapp.limits import SIGNAL, Limits
from chatapp.realtime import frames, signals
from chatapp.realtime.backplane import Backplane, Hint
from chatapp.realtime.calls import Calls
from chatapp.realtime.connection import Connection
from chatapp.realtime.media import Media
from chatapp.realtime.media_session import Asked, Told
from chatapp.security import Seal


class Signalling:
    """Passes on at once, or not at all."""

    def __init__(
        self,
        calls: Calls,
        backplane: Backplane,
        limits: Limits,
        seal: Seal,
        media: Media | None = None,
    ) -> None:
        self._calls = calls
        self._backplane = backplane
        self._limits = limits
        self._seal = seal
        self._media = media

    def signal(self, connection: Connection, room_id: int, to: str, data: signals.Data) -> None:
        """To one of the others in the call, or `to` '' to all of them. Raises `Refused`, `TooMany`."""
        parcel = signals.Parcel(self._take(connection, room_id), to, data)
        call = self._calls.of(room_id)
        others = {to} if to else {each.token for each in call.people} if call else set()
        others -= {parcel.sender} | self._deliver(room_id, parcel)
        # what cannot leave now would come too late
        if others and self._backplane.is_connected():
            self._backplane.publish(signals.packed(room_id, parcel, self._seal))

    def media(self, connection: Connection, room_id: int, session: str, asked: Asked) -> None:
        """To the media server, where the call goes through it. Raises `Refused`, `TooMany`."""
        call = self._calls.of(room_id)
        if self._media is None or call is None or not call.is_large:
            raise Refused("not_in_call")
        token = self._take(connection, room_id)

        def tell(told: Told) -> None:
            for tab in self._calls.tabs(room_id):
                if self._calls.token(tab) == token:
                    tab.send(frames.media(room_id, session, told))

        self._media.take(call.id, connection.user_id, token, session, asked, tell)

    def heard(self, hint: Hint) -> None:
        """What another process passes on."""
        parcel = signals.unpacked(hint, self._seal)
        if parcel is not None:
            self._deliver(hint.room_id, parcel)

    def _take(self, connection: Connection, room_id: int) -> str:
        """What the tab that says something is called."""
        if not self._calls.is_in(connection, room_id):
            raise Refused("not_in_call")
        self._limits.take(SIGNAL, connection.user_id)
        return self._calls.token(connection)

    def _deliver(self, room_id: int, parcel: signals.Parcel) -> set[str]:
        """To those it is for who are here. Returns what they are called."""
        found = set()
        frame = frames.signal(room_id, parcel.sender, parcel.data)
        for connection in self._calls.tabs(room_id):
            token = self._calls.token(connection)
            if token != parcel.sender and parcel.to in {"", token}:
                found.add(token)
                connection.send(frame)
        return found
