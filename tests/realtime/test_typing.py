"""Who is seen writing, by whom, and how often."""

import pytest

from chatapp.domain.commands import LeaveRoom
from chatapp.domain.presence import set_invisible
from chatapp.domain.users import User
from chatapp.realtime.typing import LAST_SECONDS, SHOWN_MOST
from tests.domain import world
from tests.realtime.core import Core
from tests.realtime.tab import Tab


async def looking(core: Core, user: User, room: int) -> Tab:
    """A tab with somebody before it, whom presence knows."""
    tab = await core.watching(user, room)
    core.presence.tell(tab.connection, is_here=True)
    return tab


@pytest.fixture
async def hers(core, ann, lab):
    return await looking(core, ann, lab)


@pytest.fixture
async def his(core, bob, lab, hers):
    tab = await looking(core, bob, lab)
    await core.presence.tick()
    return tab


async def writers(tab: Tab) -> list[str]:
    await tab.line.drained()
    return [frame["name"] for frame in tab.of("typing")]


async def test_others_in_the_room_see_it_and_none_of_ones_own_tabs(core, bob, lab, hers, his):
    second = await looking(core, bob, lab)
    core.typing.took(his.connection, lab)
    assert await hers.frame("typing") == {
        "type": "typing",
        "room": lab,
        "user": bob.id,
        "name": bob.name,
    }
    assert await writers(his) == await writers(second) == []
    assert [(h.room_id, h.user_id) for h in core.hints.of("typing")] == [(lab, bob.id)]


async def test_an_outsider_and_who_has_left_are_not_seen(core, cat, bob, lab, hers, his):
    core.start()
    stranger = core.tab(cat)
    core.presence.tell(stranger.connection, is_here=True)
    await core.presence.tick()
    core.hub.watch(stranger.connection, lab)  # asked, and not yet refused
    core.typing.took(stranger.connection, lab)
    core.typing.heard(lab, cat.id)
    await core.ends(LeaveRoom(bob.id, lab))
    core.typing.took(his.connection, lab)
    await core.presence.tick()
    core.typing.heard(lab, bob.id)
    assert await writers(hers) == []
    assert core.hints.of("typing") == []


async def test_an_invisible_person_writes_unseen(core, bob, lab, hers, his):
    await set_invisible(core.database, bob.id, is_invisible=True)
    core.presence.hide(bob.id, is_invisible=True)
    core.typing.took(his.connection, lab)
    core.typing.heard(lab, bob.id)
    assert await writers(hers) == []
    assert core.hints.of("typing") == []


async def test_what_another_process_tells_is_shown_under_the_name_the_database_has(
    core, bob, lab, hers, his
):
    core.typing.heard(lab, bob.id)
    core.typing.heard(lab, 999)
    core.typing.heard(999, bob.id)
    assert await writers(hers) == [bob.name]
    assert core.hints.of("typing") == []


async def test_of_a_crowd_four_are_told_of(core, ann, hers):
    crowd = [await world.person(core.database, f"Guest {n}") for n in range(6)]
    room = await world.opens(core.database, ann, "Hall", *crowd)
    reader = await looking(core, ann, room)
    tabs = [await looking(core, guest, room) for guest in crowd]
    await core.presence.tick()
    for _ in range(3):
        for tab in tabs:
            core.typing.took(tab.connection, room)
        core.clock.advance(1)
    assert sorted(set(await writers(reader))) == [f"Guest {n}" for n in range(SHOWN_MOST)]
    core.clock.advance(LAST_SECONDS)
    core.typing.took(tabs[-1].connection, room)
    assert (await writers(reader))[-1] == "Guest 5"


async def test_a_hundred_in_a_second_are_few(core, lab, hers, his):
    for _ in range(100):
        core.typing.took(his.connection, lab)
    assert len(await writers(hers)) <= 3
