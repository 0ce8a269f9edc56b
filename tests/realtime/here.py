"""Who is here, as a browser has it from the frames of a room."""

from chatapp.realtime.leases import State
from tests.realtime.core import Core
from tests.realtime.tab import Frame, Tab


class Screen:
    """What a browser makes of the frames of one room."""

    def __init__(self) -> None:
        self.states: dict[int, str] = {}
        self.here: int | None = None
        self.away: int | None = None
        self.has_more = False

    def apply(self, frame: Frame) -> None:
        if frame["whole"]:
            self.states.clear()
        self.states.update({int(user_id): state for user_id, state in frame["people"].items()})
        self.states = {who: state for who, state in self.states.items() if state != "offline"}
        self.here, self.away, self.has_more = frame["here"], frame["away"], frame["more"]

    def of(self, state: State) -> set[int]:
        return {user_id for user_id, said in self.states.items() if said == state}


def screen(tab: Tab, room_id: int) -> Screen:
    found = Screen()
    for frame in tab.of("presence"):
        if frame["room"] == room_id:
            found.apply(frame)
    return found


async def seconds(core: Core, count: float) -> None:
    core.clock.advance(count)
    await core.presence.tick()


def close(core: Core, tab: Tab) -> None:
    core.hub.remove(tab.connection)
    core.presence.left(tab.connection)
