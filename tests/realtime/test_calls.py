"""Calls as tabs see them: coming, coming back, talking to each other, and being rung."""

import json

import pytest
from sqlalchemy import update

from chatapp.domain.commands import DeleteRoom, JoinRoom, LeaveRoom
from chatapp.errors import Refused, TooMany
from chatapp.limits import RING, SIGNAL
from chatapp.realtime import calls as rules
from chatapp.realtime.backplane import Hint
from chatapp.realtime.signals import Data, Description, Parcel, State, packed, unpacked
from chatapp.security import Seal
from chatapp.tables import participants
from tests.domain import world
from tests.realtime.core import Core
from tests.realtime.tab import Tab

STATE = Data(state=State(mic=True, camera=False, hand=False, screen=""))
OFFER = Data(session="s1", description=Description("offer", "v=0"))


@pytest.fixture(autouse=True)
async def started(core: Core) -> None:
    core.start()


async def comes(core: Core, tab: Tab, room: int, before: str = "") -> str:
    """Returns what the tab is called in the call."""
    count = len(tab.of("call_joined"))
    core.calls.join(tab.connection, room, before)
    await tab_settles(core, tab, lambda: len(tab.of("call_joined")) > count)
    return str(tab.of("call_joined")[-1]["id"])


async def tab_settles(core: Core, tab: Tab, true) -> None:
    """Looks until it is so: the writer has stored it by then."""
    for _ in range(200):
        await core.ends(LeaveRoom(10**6, 10**6))  # whatever was queued before is stored now
        await core.calls.look()
        await tab.line.drained()
        if true():
            return
    raise AssertionError(tab.frames)


async def people(tab: Tab) -> list[str]:
    await tab.line.drained()
    return [person["name"] for person in tab.of("call")[-1]["people"]]


async def signals(tab: Tab) -> list[tuple[str, dict[str, object]]]:
    await tab.line.drained()
    return [(frame["from"], frame["data"]) for frame in tab.of("signal")]


async def test_who_watches_sees_who_is_in_the_call(core, ann, bob, lab):
    hers, his = await core.watching(ann, lab), await core.watching(bob, lab)
    token = await comes(core, hers, lab)
    assert await people(his) == ["Ann Archer"]
    await comes(core, his, lab)
    assert await people(hers) == await people(his) == ["Ann Archer", "Bob Baker"]
    assert hers.of("call_joined")[0]["ice"] == [{"urls": ["stun:turn.example.org:3478"]}]
    assert hers.of("call")[-1]["people"][0]["id"] == token
    core.calls.leave(hers.connection, lab)
    await tab_settles(core, his, lambda: len(his.of("call")[-1]["people"]) == 1)
    assert await people(his) == ["Bob Baker"]
    assert [frame["reason"] for frame in hers.of("call_over")] == ["left"]


async def test_who_follows_the_room_without_watching_it_hears_of_it_too(core, ann, bob, cat, lab):
    hers, his, strangers = await core.watching(ann, lab), core.tab(bob), core.tab(cat)
    await core.rosters.follow(his.connection)
    await core.rosters.follow(strangers.connection)
    await comes(core, hers, lab)
    assert await people(his) == ["Ann Archer"]
    assert strangers.of("call") == []
    late = core.tab(bob)
    core.calls.show_all(late.connection)
    assert await people(late) == ["Ann Archer"]


async def test_only_who_watches_may_come_and_only_members_can(core, ann, cat, lab):
    stranger = core.tab(cat)
    with pytest.raises(Refused, match="not_watching"):
        core.calls.join(stranger.connection, lab, "")
    core.hub.watch(stranger.connection, lab)  # asked, and not yet refused
    with pytest.raises(Refused, match="not_watching"):
        core.calls.join(stranger.connection, lab, "")
    core.hub.caught_up(stranger.connection, lab, 99)  # even if the hub were wrong
    core.calls.join(stranger.connection, lab, "")
    refused = await stranger.frame("call_refused")
    assert refused["code"] == "not_member"
    await core.calls.look()
    assert core.calls.of(lab) is None


async def test_signals_go_to_one_or_to_all_and_say_who_they_are_from(core, ann, bob, cat, lab):
    await core.ends(JoinRoom(cat.id, lab))
    tabs = [await core.watching(user, lab) for user in (ann, bob, cat)]
    tokens = [await comes(core, tab, lab) for tab in tabs]
    core.signalling.signal(tabs[0].connection, lab, tokens[1], OFFER)
    core.signalling.signal(tabs[0].connection, lab, "", STATE)
    assert [data.keys() for _, data in await signals(tabs[1])] == [
        {"session", "description"},
        {"state"},
    ]
    assert [sender for sender, _ in await signals(tabs[2])] == [tokens[0]]
    assert await signals(tabs[0]) == []


async def test_who_is_in_no_call_or_another_signals_to_nobody(core, ann, bob, cat, lab):
    hers, his = await core.watching(ann, lab), await core.watching(bob, lab)
    token = await comes(core, hers, lab)
    den = await world.opens(core.database, bob, "Den")
    with pytest.raises(Refused, match="not_in_call"):
        core.signalling.signal(his.connection, lab, token, OFFER)
    other = await core.watching(bob, den)
    await comes(core, other, den)
    for room in (lab, den, 999):
        if room != den:
            with pytest.raises(Refused, match="not_in_call"):
                core.signalling.signal(other.connection, room, token, OFFER)
    core.signalling.signal(other.connection, den, token, OFFER)  # a token of another room's call
    assert await signals(hers) == []


async def test_whoever_floods_is_told_and_others_hear_them_no_more(core, ann, bob, lab):
    hers, his = await core.watching(ann, lab), await core.watching(bob, lab)
    await comes(core, hers, lab)
    await comes(core, his, lab)
    for _ in range(SIGNAL.count):
        core.signalling.signal(his.connection, lab, "", STATE)
    with pytest.raises(TooMany):
        core.signalling.signal(his.connection, lab, "", STATE)
    assert len(await signals(hers)) == SIGNAL.count
    core.signalling.signal(hers.connection, lab, "", STATE)


async def test_who_leaves_the_room_is_out_at_once_and_told_why(core, ann, bob, lab):
    hers, his = await core.watching(ann, lab), await core.watching(bob, lab)
    await comes(core, hers, lab)
    token = await comes(core, his, lab)
    await core.ends(LeaveRoom(bob.id, lab))
    core.signalling.signal(hers.connection, lab, token, OFFER)
    with pytest.raises(Refused, match="not_in_call"):
        core.signalling.signal(his.connection, lab, "", STATE)
    await core.calls.look()
    assert await signals(his) == []
    assert his.of("call_over")[-1]["reason"] == "removed"
    assert await people(hers) == ["Ann Archer"]


async def test_a_call_ends_with_its_room(core, ann, lab):
    hers = await core.watching(ann, lab)
    await comes(core, hers, lab)
    await core.ends(DeleteRoom(ann.id, lab))
    await core.calls.look()
    await hers.line.drained()
    assert hers.of("call_over")[-1]["reason"] == "removed"
    assert core.calls.of(lab) is None


async def test_another_tab_of_the_person_takes_the_place(core, ann, bob, lab):
    hers = await core.watching(ann, lab)
    first, second = await core.watching(bob, lab), await core.watching(bob, lab)
    await comes(core, hers, lab)
    await comes(core, first, lab)
    token = await comes(core, second, lab)
    await first.line.drained()
    assert [frame["reason"] for frame in first.of("call_over")] == ["elsewhere"]
    assert [person["id"] for person in hers.of("call")[-1]["people"]][1:] == [token]


async def test_whose_line_breaks_comes_back_as_the_same(core, ann, bob, lab):
    hers, his = await core.watching(ann, lab), await core.watching(bob, lab)
    await comes(core, hers, lab)
    token = await comes(core, his, lab)
    his.connection.ended()
    core.hub.remove(his.connection)
    core.calls.left(his.connection)
    await core.calls.look()
    assert await people(hers) == ["Ann Archer", "Bob Baker"], "media goes on meanwhile"
    again = await core.watching(bob, lab)
    assert await comes(core, again, lab, before=token) == token
    core.clock.advance(rules.GRACE_SECONDS + 1)
    await tab_settles(core, hers, lambda: True)
    assert await people(hers) == ["Ann Archer", "Bob Baker"]
    core.signalling.signal(hers.connection, lab, token, OFFER)
    assert len(await signals(again)) == 1


async def test_a_tab_that_crashed_is_out_after_a_moment(core, ann, bob, lab):
    hers, his = await core.watching(ann, lab), await core.watching(bob, lab)
    await comes(core, hers, lab)
    await comes(core, his, lab)
    his.connection.ended()
    core.hub.remove(his.connection)
    core.calls.left(his.connection)
    core.clock.advance(rules.GRACE_SECONDS + 1)
    await tab_settles(core, hers, lambda: len(hers.of("call")[-1]["people"]) == 1)
    assert await people(hers) == ["Ann Archer"]


async def test_whose_process_died_is_out_when_the_place_lapses(core, ann, bob, lab):
    hers, his = await core.watching(ann, lab), await core.watching(bob, lab)
    await comes(core, hers, lab)
    await comes(core, his, lab)
    async with core.database.transaction() as tx:
        theirs = participants.c.user_id == bob.id
        await tx.execute(update(participants).where(theirs).values(until=0, holder="elsewhere"))
    await tab_settles(core, hers, lambda: len(hers.of("call")[-1]["people"]) == 1)
    assert [frame["reason"] for frame in his.of("call_over")] == ["lost"]


async def test_a_place_is_put_off_while_its_tab_is_there(core, ann, lab):
    hers = await core.watching(ann, lab)
    await comes(core, hers, lab)
    async with core.database.transaction() as tx:
        await tx.execute(update(participants).values(until=0))
    core.clock.advance(rules.PUT_OFF_SECONDS)
    await core.calls.look()
    assert hers.of("call_over") == []
    assert await people(hers) == ["Ann Archer"]


# -- between processes ----------------------------------------------------------------


async def test_signals_cross_processes_and_nobody_else_can_write_them(core, ann, bob, lab):
    his = await core.watching(bob, lab)
    token = await comes(core, his, lab)
    seal = Seal(("k" * 32,), "signal", 60)
    core.signalling.heard(packed(lab, Parcel("hers", token, OFFER), seal))
    assert [sender for sender, _ in await signals(his)] == ["hers"]
    forged = packed(lab, Parcel("eve", token, OFFER), Seal(("e" * 32,), "signal", 60))
    good = packed(lab, Parcel("hers", token, OFFER), seal)
    changed = Hint(
        "signal", room_id=lab, content=good.content.replace("v=0", "v=1"), proof=good.proof
    )
    moved = Hint("signal", room_id=lab + 1, content=good.content, proof=good.proof)
    for hint in (forged, changed, moved, Hint("signal", room_id=lab)):
        assert unpacked(hint, seal) is None
        core.signalling.heard(hint)
    assert len(await signals(his)) == 1


async def test_what_is_for_somebody_elsewhere_goes_to_the_bus(core, ann, lab):
    hers = await core.watching(ann, lab)
    token = await comes(core, hers, lab)
    core.signalling.signal(hers.connection, lab, "somebody-else", OFFER)
    assert core.hints.of("signal") == [], "there is no bus"
    core.hints.is_connected = lambda: True
    core.signalling.signal(hers.connection, lab, "somebody-else", OFFER)
    [hint] = core.hints.of("signal")
    assert json.loads(hint.content)["sender"] == token


# -- ringing ---------------------------------------------------------------------------


async def test_a_member_is_rung_in_all_tabs_and_declines_in_all(core, ann, bob, lab):
    hers = await core.watching(ann, lab)
    tabs = [core.tab(bob), core.tab(bob)]
    await core.rosters.follow(tabs[0].connection)
    await comes(core, hers, lab)
    core.rings.ring(hers.connection, lab, bob.id)
    for tab in tabs:
        frame = await tab.frame("ring")
        assert (frame["room_name"], frame["name"]) == ("Lab", "Ann Archer")
    core.rings.decline(tabs[0].connection, lab)
    for tab in (*tabs, hers):
        assert (await tab.frame("ring_over"))["user"] == bob.id


async def test_nobody_is_rung_by_or_about_a_call_they_have_no_part_in(core, ann, bob, cat, lab):
    hers, his, strangers = await core.watching(ann, lab), core.tab(bob), core.tab(cat)
    with pytest.raises(Refused, match="not_in_call"):
        core.rings.ring(hers.connection, lab, bob.id)
    await comes(core, hers, lab)
    with pytest.raises(Refused, match="not_in_call"):
        core.rings.ring(his.connection, lab, ann.id)
    core.rings.ring(hers.connection, lab, cat.id)
    core.rings.heard(lab, bob.id, str(cat.id))  # who is not in the call
    core.rings.heard(lab, bob.id, "no number")
    with pytest.raises(Refused, match="not_member"):
        core.rings.decline(strangers.connection, lab)
    core.rings.ring(hers.connection, lab, bob.id)
    await his.frame("ring")
    assert strangers.of("ring") == []
    assert len(his.of("ring")) == 1


async def test_ringing_has_a_limit(core, ann, bob, lab):
    hers = await core.watching(ann, lab)
    await comes(core, hers, lab)
    for _ in range(RING.count):
        core.rings.ring(hers.connection, lab, bob.id)
    with pytest.raises(TooMany):
        core.rings.ring(hers.connection, lab, bob.id)
