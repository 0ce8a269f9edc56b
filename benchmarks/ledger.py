"""Who has what: checks each delivery against what was sent, and keeps when it came. Knows no sockets.

All members of a room must see the same messages in the same order. The first to see one writes it into the room's
log; everybody else must find it there at their own place.
"""

from dataclasses import dataclass, field
from typing import Final

NOBODY: Final = -1


@dataclass(slots=True, eq=False)
class Room:
    """A room as the generator sees it. `chunk`: the last bytes that held nothing but deliveries, which took a reader
    from place `start` to `end` of the log: the same bytes need not be looked at again."""

    id: int
    members: list["Member"] = field(default_factory=list)
    log: list[bytes] = field(default_factory=list)
    place: dict[bytes, int] = field(default_factory=dict)
    chunk: bytes = b""
    start: int = 0
    end: int = 0
    seq: int = 0
    goal: int = 0  # closed loop: the place that everybody must reach
    reached: int = 0  # how many have


@dataclass(slots=True, eq=False)
class Member:
    """A reader of one room. `at`: how much of the log it has; `own_at`: the place of the message it waits for."""

    number: int
    room: Room
    at: int = 0
    seq: int = 0
    own_at: int = NOBODY
    is_live: bool = False  # has been told `watching`


@dataclass(slots=True)
class Faults:
    """Deliveries that should not have been, or should. `lost` is known for sure only at the end of a step."""

    doubled: int = 0
    misrouted: int = 0
    unknown: int = 0  # a mark that was never sent
    out_of_order: int = 0
    repeated: int = (
        0  # rows sent again while catching up or in overlapping frames: the protocol allows it
    )

    def bad(self) -> int:
        return self.doubled + self.misrouted + self.unknown + self.out_of_order


class Ledger:
    """Owner of all messages. Times are seconds of `time.perf_counter`."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.rooms_of: list[Room] = []  # by number of message
        self.senders: list[Member] = []
        self.intended: list[float] = []
        self.seen = 0  # messages that somebody has
        self.refused: set[int] = set()  # told `busy`, `refused` or `unknown`
        self.arrivals: list[
            tuple[float, Room, int, int]
        ] = []  # when, where, from which place to which
        self._gaps: set[tuple[int, Room, int]] = set()  # member, room, place: passed over so far

    def sent(self, member: Member, intended: float) -> int:
        """Gives a message its number."""
        self.rooms_of.append(member.room)
        self.senders.append(member)
        self.intended.append(intended)
        return len(self.intended) - 1

    def delivered(
        self, member: Member, marks: list[bytes], now: float, *, overlaps: bool = False
    ) -> None:
        """Marks in the order in which they came to a member. `overlaps`: in a frame that says that it begins before
        what the member has, which the protocol allows; repeated rows are no fault then."""
        room, start = member.room, member.at
        end = start + len(marks)
        if room.log[start:end] == marks:
            member.at = end
        else:
            for mark in marks:
                self._one(member, room, mark, overlaps)
        if member.at > start:
            self.arrivals.append((now, room, start, member.at))

    def _one(self, member: Member, room: Room, mark: bytes, overlaps: bool) -> None:
        place = room.place.get(mark)
        if place is None:
            place = self._first_seen(room, mark)
            if place is None:
                return
        if place == member.at:
            member.at += 1
        elif place > member.at:
            self._gaps.update((member.number, room, gap) for gap in range(member.at, place))
            member.at = place + 1
        elif (member.number, room, place) in self._gaps:
            self._gaps.remove((member.number, room, place))
            self.faults.out_of_order += 1
        elif member.is_live and not overlaps:
            self.faults.doubled += 1
        else:
            self.faults.repeated += 1

    def _first_seen(self, room: Room, mark: bytes) -> int | None:
        number = int(mark)
        if number >= len(self.rooms_of):
            self.faults.unknown += 1
            return None
        if self.rooms_of[number] is not room:
            self.faults.misrouted += 1
            return None
        self.seen += 1
        place = room.place[mark] = len(room.log)
        room.log.append(mark)
        self.senders[number].own_at = place
        return place

    def lost(self, since: int = 0) -> int:
        """How many deliveries of messages from number `since` on are missing now."""
        missing = len(self._gaps)
        due: dict[Room, int] = {}
        for number in range(since, len(self.rooms_of)):
            room = self.rooms_of[number]
            if b"%08d" % number not in room.place and number not in self.refused:
                due[room] = due.get(room, 0) + 1
        for room in set(self.rooms_of[since:]):
            missing += due.get(room, 0) * len(room.members)
            missing += sum(len(room.log) - member.at for member in room.members)
        return missing

    def latencies(self, since: float) -> list[float]:
        """From intended send to delivery, of each delivery of a message that was to leave at `since` or later."""
        intended = self.intended
        return [
            now - due
            for now, room, start, end in self.arrivals
            for mark in room.log[start:end]
            if (due := intended[int(mark)]) >= since
        ]

    def arrived(self, since: float, until: float) -> int:
        """Deliveries between two moments, whenever the messages left."""
        return sum(end - start for now, _, start, end in self.arrivals if since <= now < until)
