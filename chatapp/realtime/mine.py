"""What of a message is one person's own, told to all their windows when it changes in one of them."""

from chatapp.database import Database
from chatapp.domain import bookmarks, memberships, reactions
from chatapp.realtime import frames
from chatapp.realtime.backplane import Backplane, Hint
from chatapp.realtime.hub import Hub
from chatapp.realtime.supervisor import Supervisor


class Own:
    """A state, read afresh each time. Who asks too often for what there is room for is not told: windows ask for
    themselves when they come back."""

    def __init__(
        self, database: Database, hub: Hub, backplane: Backplane, supervisor: Supervisor
    ) -> None:
        self._database = database
        self._hub = hub
        self._backplane = backplane
        self._supervisor = supervisor

    def tell(self, room_id: int, user_id: int, seq: int, *, others: bool = False) -> None:
        """`others`: at other processes too. Comes back at once."""
        if others:
            self._backplane.publish(Hint("mine", room_id=room_id, user_id=user_id, seq=seq))
        if self._hub.count(user_id) and self._supervisor.has_room():
            self._supervisor.spawn(self._send(room_id, user_id, seq), "mine")

    async def _send(self, room_id: int, user_id: int, seq: int) -> None:
        if not await memberships.is_member(self._database, room_id, user_id):
            return
        found = await reactions.of_user(self._database, room_id, user_id, [seq])
        marked = await bookmarks.among(self._database, user_id, room_id, seq, seq)
        frame = frames.mine(room_id, seq, sorted(found.get(seq, ())), is_bookmarked=bool(marked))
        self._hub.send_user(user_id, frame)
