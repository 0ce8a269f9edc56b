"""Live connections by room, user and session."""

import asyncio

import pytest

from chatapp.domain.users import User
from chatapp.realtime import frames
from chatapp.realtime.hub import LATE_MOST, Hub
from tests.realtime.tab import Tab

ANN = User(1, "Ann Archer", "ann@people.example", 0, is_admin=True)
BOB = User(2, "Bob Baker", "bob@people.example", 0, is_admin=False)
ROOM = 5


@pytest.fixture
async def tabs():
    """Makes tabs on one hub, and ends them."""
    made, tasks = [], []

    def make(hub, user, **given):
        tab = Tab(user, **given)
        hub.add(tab.connection)
        tasks.append(asyncio.ensure_future(tab.line.run()))
        made.append(tab)
        return tab

    yield make
    for tab in made:
        tab.blocked.set()
        tab.connection.close(1000)
    await asyncio.gather(*tasks)


@pytest.fixture
def hub():
    return Hub()


def live(hub, tab, seq=0, room=ROOM):
    hub.watch(tab.connection, room)
    assert hub.caught_up(tab.connection, room, seq)
    return tab


def frame(start, seq, room=ROOM):
    rows = "".join(f'<p id="m-{n}"></p>' for n in range(start + 1, seq + 1))
    return frames.changes(room, start, seq, rows)


def deliver(hub, start, seq):
    return hub.deliver(ROOM, start, seq, frame(start, seq))


async def seen(tab, room=ROOM):
    await asyncio.sleep(0.005)
    return [(f["from"], f["seq"]) for f in tab.of("changes")]


async def test_everybody_in_a_room_gets_its_frames_in_order(hub, tabs):
    first, second = live(hub, tabs(hub, ANN)), live(hub, tabs(hub, BOB))
    elsewhere = live(hub, tabs(hub, BOB), room=6)
    assert all(deliver(hub, n, n + 1) for n in range(5))
    assert await seen(first) == await seen(second) == [(n, n + 1) for n in range(5)]
    assert await seen(elsewhere) == []


async def test_an_old_frame_is_dropped_and_a_gap_is_reported(hub, tabs):
    tab = live(hub, tabs(hub, ANN), 10)
    assert deliver(hub, 8, 9)
    assert deliver(hub, 9, 10)
    assert not deliver(hub, 11, 12), "11 is missing"
    assert await seen(tab) == []
    assert hub.watched() == {ROOM: 10}
    assert deliver(hub, 9, 12), "overlap is harmless"
    assert await seen(tab) == [(9, 12)]
    assert hub.watched() == {ROOM: 12}


async def test_nobody_watching_is_no_gap(hub):
    assert deliver(hub, 99, 100)
    assert hub.watched() == {}


async def test_frames_wait_for_those_who_are_catching_up(hub, tabs):
    there, late = live(hub, tabs(hub, ANN), 10), tabs(hub, BOB)
    hub.watch(late.connection, ROOM)
    deliver(hub, 10, 11)
    deliver(hub, 11, 12)
    deliver(hub, 12, 13)
    assert await seen(late) == []
    assert hub.caught_up(late.connection, ROOM, 11)
    deliver(hub, 13, 14)
    assert await seen(late) == [(11, 12), (12, 13), (13, 14)], "what it has read is not repeated"
    assert await seen(there) == [(10, 11), (11, 12), (12, 13), (13, 14)]


async def test_a_hole_between_reading_and_what_was_held_is_known(hub, tabs):
    """The first frame a new channel sees may be far ahead of what its only reader has read."""
    late = tabs(hub, ANN)
    hub.watch(late.connection, ROOM)
    assert deliver(hub, 15, 16)
    assert hub.has_hole(late.connection, ROOM, 10)
    assert not hub.has_hole(late.connection, ROOM, 15)
    assert not hub.has_hole(late.connection, ROOM, 16)
    assert hub.caught_up(late.connection, ROOM, 15)
    assert await seen(late) == [(15, 16)]
    assert not hub.has_hole(late.connection, ROOM, 0), "it is up to date"


async def test_too_much_held_back_means_load_afresh(hub, tabs):
    there, late = live(hub, tabs(hub, ANN)), tabs(hub, BOB)
    hub.watch(late.connection, ROOM)
    for n in range(LATE_MOST):
        deliver(hub, n, n + 1)
    other = tabs(hub, BOB)
    hub.watch(other.connection, ROOM)
    deliver(hub, LATE_MOST, LATE_MOST + 1)
    assert not hub.caught_up(late.connection, ROOM, 0)
    assert hub.caught_up(other.connection, ROOM, LATE_MOST)
    assert late.connection.rooms == set()
    assert len(await seen(there)) == LATE_MOST + 1


async def test_a_slow_reader_is_cut_while_the_others_get_everything(hub, tabs):
    slow, quick = live(hub, tabs(hub, ANN)), live(hub, tabs(hub, BOB))
    slow.blocked.clear()
    body = "x" * 8000
    for n in range(150):
        hub.deliver(ROOM, n, n + 1, frames.changes(ROOM, n, n + 1, body))
        await asyncio.sleep(0)
    assert len(await seen(quick)) == 150
    assert not slow.connection.is_open
    assert slow.aborted


async def test_who_left_gets_nothing_more_of_the_room(hub, tabs):
    ann, bob, other = live(hub, tabs(hub, ANN)), live(hub, tabs(hub, BOB)), tabs(hub, BOB)
    hub.watch(other.connection, ROOM)
    hub.depart(ROOM, BOB.id, "left")
    deliver(hub, 0, 1)
    assert hub.caught_up(other.connection, ROOM, 0), "its catching up comes to nothing"
    deliver(hub, 1, 2)
    assert await seen(bob) == await seen(other) == []
    assert [f["reason"] for f in (*bob.of("removed"), *other.of("removed"))] == ["left", "left"]
    assert len(await seen(ann)) == 2
    assert hub.watchers(ROOM) == {ANN.id}


async def test_a_deleted_room_ends_for_everybody(hub, tabs):
    both = [live(hub, tabs(hub, who)) for who in (ANN, BOB)]
    hub.depart(ROOM, None, "deleted")
    for tab in both:
        assert (await tab.frame("removed")) == {
            "type": "removed",
            "room": ROOM,
            "reason": "deleted",
        }
        assert tab.connection.rooms == set()
    assert not hub.is_watched(ROOM)


async def test_a_reload_ends_watching_for_those_who_are_up_to_date(hub, tabs):
    ann, late = live(hub, tabs(hub, ANN), 3), tabs(hub, BOB)
    hub.watch(late.connection, ROOM)
    hub.reload(ROOM)
    await ann.frame("reload")
    assert ann.connection.rooms == set()
    assert hub.watched() == {}, "the number starts anew with the next reader"
    assert hub.caught_up(late.connection, ROOM, 90)
    assert hub.watched() == {ROOM: 90}


async def test_a_session_and_a_user_can_be_ended(hub, tabs):
    phone = live(hub, tabs(hub, ANN, session_id=71))
    laptop = live(hub, tabs(hub, ANN, session_id=72))
    other = live(hub, tabs(hub, BOB))
    hub.end_sessions([71, 99])
    deliver(hub, 0, 1)
    assert await phone.closed() == 4401
    assert await seen(phone) == []
    assert len(await seen(laptop)) == 1
    hub.end_user(ANN.id)
    hub.send_user(ANN.id, frames.sidebar())
    deliver(hub, 1, 2)
    assert await laptop.closed() == 4401
    assert laptop.kinds() == ["changes"]
    assert len(await seen(other)) == 2
    assert hub.count() == hub.count(BOB.id) == 1


def test_who_is_just_coming_is_asked_for_again_only_where_somebody_was_ended(hub):
    hub.end_sessions(set())
    assert hub.endings == 0
    hub.end_sessions({99})
    assert hub.endings == 1


async def test_a_session_that_expires_is_closed(hub, tabs):
    soon, later = tabs(hub, ANN, expires_at=100), tabs(hub, BOB, expires_at=200)
    hub.expire(99.9)
    assert soon.connection.is_open
    hub.expire(100)
    assert await soon.closed() == 4401
    assert later.connection.is_open


async def test_a_closed_connection_is_not_registered(hub, tabs):
    """A tab may ask to watch and be gone before its request is looked at: nobody would take it out again."""
    tab = tabs(hub, ANN)
    tab.connection.close(1000)
    hub.remove(tab.connection)
    hub.watch(tab.connection, ROOM)
    assert not hub.is_watched(ROOM)
    assert hub.watchers(ROOM) == set()


async def test_nothing_is_left_of_those_who_are_gone(hub, tabs):
    for n in range(20):
        tab = tabs(hub, ANN if n % 2 else BOB, session_id=n + 1)
        for room in range(n, n + 5):
            hub.watch(tab.connection, room)
            if room % 2:
                hub.caught_up(tab.connection, room, 0)
    assert hub.count() == 20
    for connection in hub.connections():
        hub.remove(connection)
    assert hub.count() == 0
    left = {name: held for name, held in vars(hub).items() if name != "_follow"}
    assert left == {"_channels": {}, "_by_user": {}, "_by_session": {}, "endings": 0}
