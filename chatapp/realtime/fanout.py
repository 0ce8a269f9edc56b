"""From what was committed to what people see: renders once, hands one frame to the hub, hints to other processes."""

from chatapp.domain.commands import Committed, Message
from chatapp.fragments import Fragments
from chatapp.realtime import frames
from chatapp.realtime.backplane import Backplane, Hint
from chatapp.realtime.catchup import Catchup
from chatapp.realtime.crowds import Crowds
from chatapp.realtime.hub import Hub
from chatapp.realtime.linked import Linked
from chatapp.realtime.news import News
from chatapp.realtime.pushes import Pushes
from chatapp.realtime.rosters import Rosters
from chatapp.realtime.tails import Tails
from chatapp.realtime.unread import UnreadMarks


class Fanout:
    """MUST be called in the order of commits. Never waits."""

    def __init__(
        self,
        hub: Hub,
        rosters: Rosters,
        news: News,
        marks: UnreadMarks,
        fragments: Fragments,
        tails: Tails,
        backplane: Backplane,
        catchup: Catchup,
        pushes: Pushes,
        crowds: Crowds,
        linked: Linked | None = None,
    ) -> None:
        """`linked`: who shows what is behind links, if anybody does."""
        self._hub = hub
        self._rosters = rosters
        self._news = news
        self._marks = marks
        self._fragments = fragments
        self._tails = tails
        self._backplane = backplane
        self._catchup = catchup
        self._pushes = pushes
        self._crowds = crowds
        self._linked = linked

    async def ready(self, committed: Committed) -> None:
        """What would hold up the loop in `publish`, made before it. At once when there is nothing of that kind."""
        await self._fragments.ready(committed.messages)

    def publish(self, committed: Committed) -> None:
        """Departures first: who left gets none of the frames that follow."""
        for departure in committed.departures:
            self._hub.depart(departure.room_id, departure.user_id, departure.reason)
            self._rosters.depart(departure.room_id, departure.user_id)
            self._marks.depart(departure.room_id, departure.user_id)
            self._backplane.publish(
                Hint(
                    "depart",
                    room_id=departure.room_id,
                    user_id=departure.user_id,
                    reason=departure.reason,
                )
            )
        by_room: dict[int, list[Message]] = {}
        for message in committed.messages:
            by_room.setdefault(message.room_id, []).append(message)
        for room_id, rows in by_room.items():
            self._room(room_id, rows, patient=committed.patient)
        if committed.linked and self._linked is not None:
            self._linked.offer(committed.linked)
        for told in (committed.mentioned, committed.followers):
            for room_id, user_ids in told.items():
                self._marks.tell(room_id, user_ids, others=True)
        for room_id in committed.recounted:
            self._marks.tell(room_id, self._rosters.people(room_id))
            self._backplane.publish(Hint("unread", room_id=room_id))
        for user_id in committed.gone_users:
            self.end_user(user_id)
        for user_id in committed.sidebars - committed.gone_users:
            self._rosters.renew(user_id)
            self._hub.send_user(user_id, frames.sidebar())
            self._backplane.publish(Hint("sidebar", user_id=user_id))

    def _room(self, room_id: int, rows: list[Message], *, patient: bool) -> None:
        start, end = rows[0].changed_seq - 1, rows[-1].changed_seq
        self._tails.advance(room_id, start, end, rows)
        self._news.committed(room_id, start, end, rows)
        self._pushes.committed(room_id, rows)
        self._crowds.put(room_id, rows, self._send, patient=patient)

    def _send(self, room_id: int, start: int, rows: list[Message]) -> None:
        """To who watches here, and word of it to the other processes."""
        end = rows[-1].changed_seq
        self._backplane.publish(Hint("room", room_id=room_id, seq=end))
        if not self._hub.is_watched(room_id):
            return
        frame = frames.changes(room_id, start, end, self._fragments.many(rows))
        if not self._hub.deliver(room_id, start, end, frame):
            self._catchup.fill(room_id)

    def refresh(self, room_id: int) -> None:
        """Shows rows that were stored without our knowing when."""
        self._catchup.fill(room_id)
        self._news.fill(room_id)
        self._backplane.publish(Hint("room", room_id=room_id, seq=0))

    def end_user(self, user_id: int) -> None:
        self._hub.end_user(user_id)
        self._backplane.publish(Hint("user", user_id=user_id))

    def end_sessions(self, session_ids: list[int]) -> None:
        self._hub.end_sessions(session_ids)
        for session_id in session_ids:
            self._backplane.publish(Hint("session", session_id=session_id))
