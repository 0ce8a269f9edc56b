"""Large calls: the tabs of this process that send and get their media through the media server.

The replica that has a tab's line speaks to Janus for it. All replicas give a call's room in Janus the same number, and
whoever comes first makes it.

MUSTs
1. A tab has one session at most; it ends when the tab is no longer in the call, or leaves to another replica.
2. Which tab sends something, we tell Janus; no browser can.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Final

from chatapp.errors import Refused
from chatapp.limits import MEDIA, Limits
from chatapp.realtime.janus import Janus, JanusAway, JanusRefused, Said
from chatapp.realtime.media_session import Asked, MediaSession, Told
from chatapp.realtime.supervisor import Supervisor

LARGE_MOST: Final = 30  # people: twice as many lines are as many as one may want


def room_number(site: str, call_id: int) -> int:
    """A call's room in Janus, for every replica alike: within what numbers of JSON hold."""
    digest = hashlib.sha256(f"{site} {call_id}".encode()).digest()
    return int.from_bytes(digest[:6]) + 1


class Media:
    """Owner of the sessions. `site`: a name of this site, since others may have the same media server. Calls of more
    than `direct` people are large."""

    def __init__(
        self, janus: Janus, supervisor: Supervisor, limits: Limits, site: str, direct: int
    ) -> None:
        self.direct = direct
        self._janus = janus
        self._supervisor = supervisor
        self._limits = limits
        self._site = site
        self._sessions: dict[str, MediaSession] = {}  # by the tab's token

    def name(self, token: str) -> str:
        """The browser's name for the session that its tab has here, or ''."""
        session = self._sessions.get(token)
        return session.name if session else ""

    @property
    def is_there(self) -> bool:
        """Whether the media server answers."""
        return self._janus.is_there

    def count(self) -> int:
        return len(self._sessions)

    def take(
        self,
        call_id: int,
        user_id: int,
        token: str,
        name: str,
        asked: Asked,
        tell: Callable[[Told], None],
    ) -> None:
        """From a tab that is in the call. An offer under a new name begins a session. Raises `TooMany`, `Refused`."""
        session = self._sessions.get(token)
        if session is None or session.name != name:
            if not asked.offer:
                tell(Told(over=True))
                return
            self._limits.take(MEDIA, user_id)
            if not self._supervisor.has_room():
                raise Refused("busy")
            self._end(token)
            session = MediaSession(
                janus=self._janus,
                room=room_number(self._site, call_id),
                most=LARGE_MOST,
                token=token,
                name=name,
                tell=tell,
            )
            self._sessions[token] = session
            self._supervisor.spawn(self._run(token, session), "media")
        session.take(asked)

    def keep(self, tokens: Iterable[str]) -> None:
        """Ends the sessions of all other tabs."""
        for token in self._sessions.keys() - set(tokens):
            self._end(token)

    def end_call(self, call_id: int) -> None:
        """The call is over: its room in Janus goes, if it had one."""
        if self._janus.is_there:
            self._supervisor.spawn(self._destroy(room_number(self._site, call_id)), "media room")

    def _end(self, token: str) -> None:
        session = self._sessions.pop(token, None)
        if session:
            session.end()

    async def _run(self, token: str, session: MediaSession) -> None:
        try:
            await session.run()
        finally:
            if self._sessions.get(token) is session:
                del self._sessions[token]

    async def _destroy(self, room: int) -> None:
        """Another replica may have been quicker."""
        try:
            handle = await self._janus.attach(_ignore)
            try:
                await handle.ask({"request": "destroy", "room": room})
            finally:
                handle.drop()
        except (JanusAway, JanusRefused):
            pass


def _ignore(_said: Said | None) -> None:
    """Nothing matters to whoever only destroys a room."""
