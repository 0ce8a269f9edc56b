"""Reporting a message: who may, who sees it, and how it is done with."""

import pytest

from chatapp.domain import audit, policy, reports
from chatapp.domain.commands import DeleteMessage, LeaveRoom
from chatapp.errors import Forbidden, Missing
from tests.domain import world
from tests.domain.test_policy import closed, has_role


@pytest.fixture
async def den(database, ann, bob, cat):
    return await world.opens(database, bob, "Den", cat)


async def reported(database, who, room, seq, reason=""):
    async with database.transaction() as tx:
        await reports.apply_report(tx, who.id, room, seq, reason)


async def done(database, who, room, seq):
    async with database.transaction() as tx:
        await reports.apply_done(tx, who.id, room, seq)


async def test_what_is_reported_waits_with_its_reasons_until_somebody_looked(
    database, ann, bob, cat, den
):
    dan = await world.person(database, "Dan Dyer")
    await world.carry_out(database, world.JoinRoom(dan.id, den))
    (first,) = await world.says(database, dan, den, "rude words")
    (second,) = await world.says(database, dan, den, "ruder words")
    await reported(database, cat, den, first.seq, "rude")
    await reported(database, cat, den, second.seq)
    await reported(database, bob, den, second.seq, "indeed")
    await reported(database, cat, den, first.seq, "very rude")
    assert await reports.count(database, den) == 2
    found = {each.message.seq: each for each in await reports.of_room(database, den)}
    assert found[first.seq].message.text == "rude words"
    assert found[first.seq].reasons == [("Cat Carver", "very rude")]
    assert sorted(found[second.seq].reasons) == [("Bob Baker", "indeed"), ("Cat Carver", "")]
    assert found[second.seq].count == 2
    for _ in range(2):
        await done(database, bob, den, second.seq)
    assert [each.message.seq for each in await reports.of_room(database, den)] == [first.seq]
    log = (await audit.of_room(database, den, None)).entries
    assert [entry.action for entry in log] == ["report_done"]
    await reported(database, cat, den, second.seq, "again")
    assert await reports.count(database, den) == 2
    await world.carry_out(database, DeleteMessage(dan.id, den, first.seq))
    texts = {each.message.seq: each.message.text for each in await reports.of_room(database, den)}
    assert texts == {first.seq: "", second.seq: "ruder words"}


async def test_only_members_report_and_not_what_they_said_themselves(database, ann, bob, cat, den):
    (said,) = await world.says(database, cat, den, "mine")
    with pytest.raises(Forbidden, match="own_report"):
        await reported(database, cat, den, said.seq)
    with pytest.raises(Forbidden, match="not_member"):
        await reported(database, ann, den, said.seq)
    with pytest.raises(Missing):
        await reported(database, bob, den, 1)  # an event
    vault = await closed(database, bob)
    with pytest.raises(Missing, match="room_gone"):
        await reported(database, ann, vault, 1)


async def test_the_queue_is_for_who_keeps_order_and_reads_the_room(database, ann, bob, cat, den):
    (said,) = await world.says(database, bob, den, "hello")
    await reported(database, cat, den, said.seq)
    for who in (ann, cat):  # who looks after the site is in no charge of words they may not read
        with pytest.raises(Forbidden):
            await done(database, who, den, said.seq)
    await has_role(database, den, cat, role="moderator")
    assert (await reports.check(database, den, cat.id)).role == "moderator"
    await world.carry_out(database, LeaveRoom(cat.id, den))
    with pytest.raises(Forbidden):
        await reports.check(database, den, cat.id)
    assert await policy.of(database, den, cat.id) != policy.NOBODY
