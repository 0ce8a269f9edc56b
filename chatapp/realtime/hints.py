"""What other processes tell. Hints only say where to look: nothing is believed, all is read from the database."""

from collections.abc import Sequence

from chatapp.database import Database
from chatapp.domain import sessions
from chatapp.realtime import frames
from chatapp.realtime.backplane import Hint
from chatapp.realtime.calls import Calls
from chatapp.realtime.catchup import Catchup
from chatapp.realtime.connection import Connection
from chatapp.realtime.drafts import Drafts
from chatapp.realtime.hub import Hub
from chatapp.realtime.mine import Own
from chatapp.realtime.news import News
from chatapp.realtime.presence import Presence
from chatapp.realtime.rings import Rings
from chatapp.realtime.rosters import Rosters
from chatapp.realtime.signalling import Signalling
from chatapp.realtime.supervisor import Supervisor
from chatapp.realtime.typing import Typing
from chatapp.realtime.unread import UnreadMarks


class Hints:
    def __init__(
        self,
        *,
        database: Database,
        hub: Hub,
        rosters: Rosters,
        news: News,
        marks: UnreadMarks,
        drafts: Drafts,
        catchup: Catchup,
        supervisor: Supervisor,
        presence: Presence,
        typing: Typing,
        calls: Calls,
        signalling: Signalling,
        rings: Rings,
        own: Own,
    ) -> None:
        self._database = database
        self._hub = hub
        self._rosters = rosters
        self._news = news
        self._marks = marks
        self._drafts = drafts
        self._catchup = catchup
        self._supervisor = supervisor
        self._presence = presence
        self._typing = typing
        self._calls = calls
        self._signalling = signalling
        self._rings = rings
        self._own = own

    def take(self, hint: Hint) -> None:
        if hint.kind == "room":
            known = 0 < hint.seq <= self._hub.number(hint.room_id)
            if self._hub.is_watched(hint.room_id) and not known:
                self._catchup.fill(hint.room_id)
            self._news.fill(hint.room_id)
        elif hint.kind == "depart":
            self._catchup.verify(hint.room_id, hint.user_id)
            self._rosters.doubt(hint.room_id, hint.user_id)
        elif hint.kind == "sidebar" and hint.user_id is not None:
            self._rosters.renew(hint.user_id)
            self._hub.send_user(hint.user_id, frames.sidebar())
        elif hint.kind == "unread":  # of somebody, or of everybody in a room
            everybody = hint.user_id is None
            people = self._rosters.people(hint.room_id) if everybody else [hint.user_id or 0]
            self._marks.tell(hint.room_id, people)
        elif hint.kind == "draft" and hint.user_id is not None:
            self._drafts.tell(hint.room_id, hint.user_id)
        elif hint.kind == "mine" and hint.user_id is not None:
            self._own.tell(hint.room_id, hint.user_id, hint.seq)
        elif hint.kind == "typing" and hint.user_id is not None:
            self._typing.heard(hint.room_id, hint.user_id)
        elif hint.kind == "person":
            self._presence.doubt(None, hint.user_id)
        elif hint.kind == "session":
            self._look_at(self._hub.of_session(hint.session_id))
        elif hint.kind == "user" and hint.user_id is not None:
            self._look_at(self._hub.of_user(hint.user_id))
        else:
            self._take_of_call(hint)

    def _take_of_call(self, hint: Hint) -> None:
        if hint.kind == "call":
            self._calls.doubt()
        elif hint.kind == "signal":
            self._signalling.heard(hint)
        elif hint.kind == "ring" and hint.user_id is not None:
            self._rings.heard(hint.room_id, hint.user_id, hint.content)
        elif hint.kind == "ring_over" and hint.user_id is not None:
            self._rings.heard_over(hint.room_id, hint.user_id)

    def _look_at(self, connections: list[Connection]) -> None:
        self._hub.doubt()  # whoever is just coming looks again
        if connections:
            self._supervisor.spawn(self.end_the_dead(connections), "sessions")

    async def end_the_dead(self, connections: Sequence[Connection]) -> None:
        """Closes those whose session the database does not know any more."""
        ids = sorted({connection.session_id for connection in connections})
        self._hub.end_sessions(set(ids) - await sessions.living(self._database, ids))
