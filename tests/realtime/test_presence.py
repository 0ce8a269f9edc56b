"""Who is here: what tabs say, for how long it is believed, and who is told."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chatapp.domain.commands import JoinRoom, LeaveRoom
from chatapp.domain.presence import set_invisible
from chatapp.domain.users import User
from chatapp.realtime.presence import NAMED_MOST, PATIENCE_SECONDS, Present
from chatapp.realtime.tabs import GRACE_SECONDS
from tests.domain import world
from tests.realtime.core import Core
from tests.realtime.here import close, screen, seconds
from tests.realtime.tab import Tab

Tell = Callable[..., Awaitable[Tab]]


def shown(core: Core, room_id: int) -> Present:
    found = core.presence.of(room_id)
    assert found is not None
    return found


@pytest.fixture
async def here(core: Core) -> Tell:
    """await here(ann) is a tab with Ann before it."""
    await core.presence.tick()

    async def arrive(user: User, *, is_here: bool = True, room: int = 0) -> Tab:
        tab = await core.watching(user, room) if room else core.tab(user)
        core.presence.tell(tab.connection, is_here=is_here)
        return tab

    return arrive


async def test_somebody_is_online_if_any_of_their_tabs_is_and_away_if_all_are(core, lab, bob, here):
    first, second = await here(bob), await here(bob, is_here=False)
    await core.presence.tick()
    assert shown(core, lab) == Present(frozenset({bob.id}), frozenset())
    assert core.presence.present(lab) == {bob.id}
    core.presence.tell(first.connection, is_here=False)
    await core.presence.tick()
    assert shown(core, lab) == Present(frozenset(), frozenset({bob.id}))
    core.presence.tell(second.connection, is_here=True)
    await core.presence.tick()
    assert shown(core, lab).state(bob.id) == "online"


async def test_a_reload_is_not_seen_and_the_last_tab_is_after_a_while_once(
    core, lab, ann, bob, here
):
    hers, his = await here(ann, room=lab), await here(bob)
    await core.presence.tick()
    for _ in range(10):
        close(core, his)
        await seconds(core, 0.3)
        his = await here(bob)
        await seconds(core, 0.3)
    told = len(hers.of("presence"))
    close(core, his)
    await seconds(core, GRACE_SECONDS - 0.1)
    assert shown(core, lab).state(bob.id) == "online"
    await seconds(core, 0.2)
    await seconds(core, 10)
    await hers.frame("presence", told + 1)
    assert [frame["people"] for frame in hers.of("presence")][told:] == [{str(bob.id): "offline"}]
    assert all(
        frame["people"].get(str(bob.id)) != "offline" for frame in hers.of("presence")[:told]
    )


async def test_a_room_hears_at_most_one_frame_a_tick_and_others_none(
    core, lab, ann, bob, cat, here
):
    hers, theirs = (
        await here(ann, room=lab),
        await here(cat, room=await world.opens(core.database, cat, "Attic")),
    )
    await core.presence.tick()
    await hers.until(lambda: screen(hers, lab).here == 1)
    await theirs.until(lambda: theirs.of("presence")[-1]["here"] == 1)
    before = len(hers.frames), len(theirs.frames)
    for _ in range(5):
        await here(bob)
    await core.presence.tick()
    await core.presence.tick()
    await hers.until(lambda: len(hers.frames) > before[0])
    assert len(hers.frames) == before[0] + 1
    assert len(theirs.frames) == before[1], "bob is not in the attic"


async def test_who_opens_the_room_later_is_told_the_same(core, lab, ann, bob, here):
    hers = await here(ann, room=lab)
    await here(bob, is_here=False)
    await core.presence.tick()
    later = await here(ann, room=lab)
    await later.frame("presence")
    await hers.until(lambda: bob.id in screen(hers, lab).states)
    for tab in (hers, later):
        assert screen(tab, lab).states == {ann.id: "online", bob.id: "away"}
        assert (screen(tab, lab).here, screen(tab, lab).away) == (1, 1)


async def test_who_leaves_a_room_is_not_in_it_any_more_and_hears_nothing_of_it(
    core, lab, ann, bob, here
):
    core.start()
    hers, his = await here(ann, room=lab), await here(bob, room=lab)
    await core.presence.tick()
    await core.ends(LeaveRoom(bob.id, lab))
    await his.frame("removed")
    told = len(his.of("presence"))
    await core.presence.tick()
    assert shown(core, lab).here == {ann.id}
    await hers.until(lambda: screen(hers, lab).here == 1)
    assert len(his.of("presence")) == told


async def test_who_has_just_joined_is_there(core, lab, cat, here):
    core.start()
    await here(cat)
    await core.presence.tick()
    assert shown(core, lab).here == frozenset()
    await core.ends(JoinRoom(cat.id, lab))
    await core.presence.tick()
    assert shown(core, lab).here == {cat.id}


async def test_an_invisible_person_is_nowhere_at_once(core, lab, ann, bob, here):
    hers = await here(ann, room=lab)
    await here(bob)
    await core.presence.tick()
    await set_invisible(core.database, bob.id, is_invisible=True)
    core.presence.hide(bob.id, is_invisible=True)
    assert core.presence.present(lab) == {ann.id}
    await core.presence.tick()
    await hers.until(lambda: screen(hers, lab).states == {ann.id: "online"})
    assert hers.of("presence")[-1]["here"] == 1
    await seconds(core, 30)
    assert shown(core, lab).here == {ann.id}
    await set_invisible(core.database, bob.id, is_invisible=False)
    core.presence.doubt(None, bob.id)  # another process said so
    await core.presence.tick()
    assert shown(core, lab).here == {ann.id, bob.id}


async def test_who_comes_invisible_is_never_shown(core, lab, ann, bob, here):
    await set_invisible(core.database, bob.id, is_invisible=True)
    hers = await here(ann, room=lab)
    await here(bob)
    for _ in range(3):
        await core.presence.tick()
    assert core.presence.present(lab) == {ann.id}
    assert all(str(bob.id) not in frame["people"] for frame in hers.of("presence"))


async def test_where_nobody_can_tell_nobody_is_called_offline(
    core, lab, ann, bob, here, monkeypatch
):
    hers = await here(ann, room=lab)
    await here(bob)
    await core.presence.tick()

    async def silence(_mine: Any) -> None:
        return None

    with monkeypatch.context() as away:
        away.setattr(core.leases, "exchange", silence)
        await seconds(core, PATIENCE_SECONDS - 0.1)
        assert core.presence.present(lab) == {ann.id, bob.id}
        await seconds(core, 1)
        assert core.presence.of(lab) is None
        assert core.presence.present(lab) == frozenset()
    await seconds(core, 1)
    await hers.until(lambda: screen(hers, lab).here == 2)
    frames = [(frame["here"], frame["whole"]) for frame in hers.of("presence")]
    assert frames[-2:] == [(None, True), (2, True)]
    assert all("offline" not in frame["people"].values() for frame in hers.of("presence"))


async def test_a_huge_room_gets_counts_and_some_of_the_people(core, lab, ann, here):
    crowd = [await world.person(core.database, f"Guest {n}") for n in range(NAMED_MOST + 20)]
    room = await world.opens(core.database, ann, "Hall", *crowd)
    hers = await here(ann, room=room)
    await core.presence.tick()
    for guest in crowd:
        await here(guest)
    await hers.line.drained()
    told = len(hers.of("presence"))
    await core.presence.tick()
    await hers.line.drained()
    assert len(hers.of("presence")) == told, "a crowd is told of at every second tick"
    await core.presence.tick()
    await hers.until(lambda: screen(hers, room).here == len(crowd) + 1)
    last = hers.of("presence")[-1]
    assert (len(last["people"]), last["more"]) == (NAMED_MOST, True)
    assert len(core.presence.present(room)) == len(crowd) + 1
