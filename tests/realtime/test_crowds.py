"""A thousand people come at once: what those who are there get of it."""

import asyncio

import pytest
from msgspec.structs import replace

from chatapp.clock import HeldClock
from chatapp.domain.commands import JoinRoom, LeaveRoom, Message, React
from chatapp.errors import Forbidden
from chatapp.realtime import crowds as rules
from chatapp.realtime.crowds import APART, AT_ONCE, Crowds
from tests.domain import world
from tests.domain.world import a_post
from tests.realtime.core import Core


def row(seq: int, kind: str = "joined") -> Message:
    return Message(7, seq, seq, kind, 1, "Ann", 3, None, "", 0)


class Sent:
    """What went out, one list of numbers for each frame."""

    def __init__(self) -> None:
        self.clock = HeldClock()
        self.crowds = Crowds(self.clock)
        self.frames: list[list[int]] = []
        self.spans: list[tuple[int, int]] = []

    def put(self, *seqs: int, kind: str = "joined") -> None:
        self.crowds.put(7, [row(seq, kind) for seq in seqs], self._send)

    def reacts(self, seq: int, changed: int) -> None:
        """The message `seq` changes for the `changed`th time in its room."""
        self.crowds.put(
            7, [replace(row(seq, "message"), changed_seq=changed)], self._send, patient=True
        )

    def _send(self, _room: int, start: int, rows: list[Message]) -> None:
        self.frames.append([each.seq for each in rows])
        self.spans.append((start, rows[-1].changed_seq))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    monkeypatch.setattr(rules, "APART", 0.05)
    return Sent()


async def until(sent: Sent, frames: int) -> None:
    async with asyncio.timeout(5):
        while len(sent.frames) < frames:
            await asyncio.sleep(0.005)


async def test_the_first_are_seen_at_once_and_the_others_together(sent: Sent) -> None:
    for seq in range(1, AT_ONCE + 6):
        sent.put(seq)
    assert sent.frames == [[seq] for seq in range(1, AT_ONCE + 1)]
    assert sent.crowds.last(7) == AT_ONCE + 5
    await until(sent, AT_ONCE + 1)
    assert sent.frames[-1] == list(range(AT_ONCE + 1, AT_ONCE + 6))
    assert sent.crowds.last(7) == 0


async def test_a_message_waits_for_nobody_and_takes_them_along(sent: Sent) -> None:
    for seq in range(1, AT_ONCE + 3):
        sent.put(seq)
    sent.put(AT_ONCE + 3, kind="message")
    assert sent.frames[AT_ONCE:] == [[AT_ONCE + 1, AT_ONCE + 2, AT_ONCE + 3]]
    await asyncio.sleep(0.1)
    assert len(sent.frames) == AT_ONCE + 1


async def test_what_another_process_stored_in_between_leaves_no_false_whole(sent: Sent) -> None:
    for seq in range(1, AT_ONCE + 2):
        sent.put(seq)
    sent.put(AT_ONCE + 3)
    assert sent.frames[-1] == [AT_ONCE + 1]
    await until(sent, AT_ONCE + 2)
    assert sent.frames[-1] == [AT_ONCE + 3]


async def test_not_too_many_wait(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "ROWS_MOST", 4)
    for seq in range(1, AT_ONCE + 5):
        sent.put(seq)
    assert sent.frames[-1] == list(range(AT_ONCE + 1, AT_ONCE + 5))


async def test_of_many_reactions_to_a_message_the_last_state_goes_out(sent: Sent) -> None:
    for n in range(20):
        sent.reacts(5 + n % 2, 10 + n)
    assert len(sent.frames) == AT_ONCE
    assert sent.crowds.last(7) == 29
    await until(sent, AT_ONCE + 1)
    assert sent.frames[-1] == [5, 6]
    assert sent.spans == [(9, 10), (10, 11), (11, 12), (12, 29)], "no number is missing"


async def test_an_edit_or_a_post_waits_for_no_reactions(sent: Sent) -> None:
    for n in range(AT_ONCE + 2):
        sent.reacts(5, 10 + n)
    sent.put(10 + AT_ONCE + 2, kind="message")
    assert sent.frames[-1] == [5, 10 + AT_ONCE + 2]
    assert sent.spans[-1] == (9 + AT_ONCE, 10 + AT_ONCE + 2)


async def test_not_too_much_waits(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "CHARACTERS_MOST", 100)
    for n in range(AT_ONCE + 2):
        fat = replace(row(5 + n, "message"), changed_seq=10 + n, reactions="x" * 60)
        sent.crowds.put(7, [fat], sent._send, patient=True)
    assert sent.frames[-1] == [5 + AT_ONCE, 6 + AT_ONCE]


async def test_who_comes_later_is_seen_at_once_again(sent: Sent) -> None:
    for seq in range(1, AT_ONCE + 2):
        sent.put(seq)
    await until(sent, AT_ONCE + 1)
    sent.clock.advance(10 * APART)
    sent.put(AT_ONCE + 2)
    assert sent.frames[-1] == [AT_ONCE + 2]


async def test_a_room_that_holds_a_crowd_back_is_whole_for_all_and_not_behind(
    core: Core, ann, lab: int
) -> None:
    core.start()
    tab = await core.watching(ann, lab)
    people = [await world.person(core.database, f"Guest {n}") for n in range(12)]
    await core.ends(*(JoinRoom(each.id, lab) for each in people))
    assert len(tab.of("changes")) <= 1 + AT_ONCE
    await core.catchup.compare()
    await tab.line.drained()
    assert len(tab.of("changes")) <= 1 + AT_ONCE, "what waits is not missing"
    late = await core.watching(people[0], lab)
    await core.ends(a_post(ann, lab, "welcome"), LeaveRoom(people[1].id, lab))
    last = 2 + 12 + 1 + 1
    for each in (tab, late):
        await each.shows(lab, last)


async def test_many_who_react_at_once_cost_few_frames_and_few_commits(
    core: Core, ann, lab: int
) -> None:
    """Two of them may not: what they are told is their own, and the others are stored."""
    seq = (await world.says(core.database, ann, lab, "tea?"))[0].seq
    people = [await world.person(core.database, f"Guest {n}") for n in range(40)]
    for each in people[2:]:
        await world.carry_out(core.database, JoinRoom(each.id, lab))
    tab = await core.watching(ann, lab)
    before = len(tab.of("changes"))
    waiting = [core.submit(React(each.id, lab, seq, "👍", True)) for each in people]
    core.start()
    ends = [await end for end in waiting]
    assert [type(end) for end in ends[:2]] == [Forbidden, Forbidden]
    assert set(ends[2:]) == {lab}
    await tab.frame("changes", before + 1)
    assert tab.of("changes")[-1]["seq"] == seq + 38 + 38
    assert len(tab.of("changes")) == before + 1
    assert core.writer.metrics.value("chatapp_commands_total", end="refused") == 2
    html = tab.of("changes")[-1]["html"]
    assert html.count('id="m-') == 1
    assert "<span data-count>38</span>" in html
