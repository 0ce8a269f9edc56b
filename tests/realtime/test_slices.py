"""A frame for many is written in slices: everybody gets it, in order, and whoever leaves meanwhile does not."""

import asyncio
from typing import Any

import pytest

from chatapp.realtime import frames, hub
from chatapp.realtime.connection import Connection
from chatapp.realtime.hub import Hub
from tests.realtime.test_hub import ROOM


class Taking:
    """A line that takes everything at once."""

    def __init__(self):
        self.took = []

    def write(self, frame):
        self.took.append(frame)
        return True


def somebody(user_id):
    line: Any = Taking()
    return Connection(user_id=user_id, session_id=user_id, expires_at=0, line=line)


@pytest.fixture
def crowd(monkeypatch):
    """Ten people in a room whose frames go to three at a time."""
    monkeypatch.setattr(hub, "SLICE", 3)
    it = Hub()
    people = []
    for user_id in range(10):
        connection = somebody(user_id)
        it.add(connection)
        it.watch(connection, ROOM)
        it.caught_up(connection, ROOM, 0)
        people.append(connection)
    return it, people


def deliver(crowd, seq):
    frame = frames.changes(ROOM, seq - 1, seq, "")
    assert crowd.deliver(ROOM, seq - 1, seq, frame)
    return frame


def took(person):
    return person._line.took


async def rounds(count):
    for _ in range(count):
        await asyncio.sleep(0)


async def test_the_loop_goes_round_between_slices(crowd):
    it, people = crowd
    frame = deliver(it, 1)
    counts = []
    for _ in range(5):
        await asyncio.sleep(0)
        counts.append(sum(took(person) == [frame] for person in people))
    assert counts == [3, 6, 9, 10, 10]


async def test_everybody_gets_all_frames_in_order_also_those_that_came_meanwhile(crowd):
    it, people = crowd
    sent = [deliver(it, 1)]
    await rounds(2)
    sent += [deliver(it, 2), deliver(it, 3)]
    await rounds(20)
    assert all(took(person) == sent for person in people)


async def test_who_leaves_meanwhile_gets_nothing_more_of_the_room(crowd):
    it, people = crowd
    deliver(it, 1)
    await asyncio.sleep(0)
    waiting = [person for person in people if not took(person)]
    it.depart(ROOM, waiting[0].user_id, "removed")
    await rounds(10)
    assert took(waiting[0]) == [frames.removed(ROOM, "removed")]
    assert all(len(took(person)) == 1 for person in people)


async def test_who_comes_meanwhile_gets_later_frames_only_and_after_its_catching_up(crowd):
    it, _ = crowd
    deliver(it, 1)
    newcomer = somebody(77)
    it.add(newcomer)
    it.watch(newcomer, ROOM)
    second = deliver(it, 2)
    assert it.caught_up(newcomer, ROOM, 1)
    third = deliver(it, 3)
    await rounds(20)
    assert took(newcomer) == [second, third]


async def test_nobody_is_told_a_number_that_is_still_being_written(crowd):
    it, people = crowd
    deliver(it, 1)
    assert it.numbers(people[-1]) == {}
    await rounds(5)
    assert it.numbers(people[-1]) == {ROOM: 1}


async def test_what_waits_is_bounded(crowd, monkeypatch):
    it, people = crowd
    monkeypatch.setattr(hub, "SLICES_MOST", 8)
    sent = [deliver(it, seq) for seq in range(1, 30)]
    assert len(it._channels[ROOM].slices) <= 8
    await rounds(20)
    assert all(took(person) == sent for person in people)
