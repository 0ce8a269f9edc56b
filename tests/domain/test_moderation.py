"""Roles, removing, muting, banning: who may do it to whom, what it does, how it is undone, and that it is noted."""

import pytest
from sqlalchemy import select, update

from chatapp.domain import (
    audit,
    deletions,
    drafts,
    memberships,
    messages,
    moderation,
    policy,
    rooms,
)
from chatapp.domain.commands import (
    AddMember,
    DeleteAccount,
    DeleteMessage,
    DeleteRoom,
    EditMessage,
    JoinRoom,
    LeaveRoom,
    Message,
    Moderate,
    Pin,
    React,
    RestoreMessage,
    ShapeRoom,
)
from chatapp.errors import Conflict, Forbidden, Invalid, Missing
from chatapp.tables import bans, now_ms
from chatapp.tables import deletions as deletions_table
from chatapp.tables import drafts as drafts_table
from tests.domain import world
from tests.domain.test_policy import becomes, closed, has_role


@pytest.fixture
async def den(database, ann, bob, cat):
    """Bob's room, with cat in it, and dan, who is a moderator. Ann looks after the site, and is not in it."""
    room = await world.opens(database, bob, "Den", cat)
    dan = await world.person(database, "Dan Dyer")
    await world.carry_out(database, JoinRoom(dan.id, room))
    await has_role(database, room, dan, role="moderator")
    return room


@pytest.fixture
async def dan(database, den):
    (found,) = [p for p in await memberships.members(database, den) if p.name == "Dan Dyer"]
    return found


async def does(database, who, room, what, whom, minutes=0, reason=""):
    command = Moderate(who.id, room, whom.id, what, minutes, reason)
    return await world.carry_out(database, command)


async def log_of(database, room):
    found = (await audit.of_room(database, room, None)).entries
    return [(each.by, each.action, each.person, each.detail) for each in reversed(found)]


async def test_the_owner_makes_and_unmakes_moderators(database, bob, cat, den):
    done = await does(database, bob, den, "promote", cat)
    assert [(m.kind, m.author_name, m.body) for m in done.messages] == [
        ("role", "Cat Carver", "moderator")
    ]
    assert (await policy.of(database, den, cat.id)).role == "moderator"
    assert (await does(database, bob, den, "promote", cat)).messages == []
    await does(database, bob, den, "demote", cat)
    assert (await policy.of(database, den, cat.id)).role == "member"
    assert await log_of(database, den) == [
        ("Bob Baker", "promote", "Cat Carver", ""),
        ("Bob Baker", "demote", "Cat Carver", ""),
    ]


async def test_a_room_is_handed_over_and_its_owner_before_stays_a_moderator(
    database, bob, cat, den
):
    await does(database, bob, den, "hand_over", cat)
    assert (await policy.of(database, den, cat.id)).role == "owner"
    assert (await policy.of(database, den, bob.id)).role == "moderator"
    with pytest.raises(Forbidden):
        await does(database, bob, den, "hand_over", bob)


async def test_who_may_not_do_it_may_not_and_nobody_does_it_to_the_owner(
    database, ann, bob, cat, dan, den
):
    eve = await world.person(database, "Eve Eager")
    for who, what, whom in (
        (cat, "remove", dan),
        (cat, "promote", cat),
        (dan, "promote", cat),
        (dan, "hand_over", dan),
        (dan, "remove", bob),
        (dan, "mute", bob),
        (ann, "ban", bob),
        (bob, "remove", bob),
        (eve, "remove", cat),
    ):
        with pytest.raises(Forbidden):
            await does(database, who, den, what, whom)
    fay = await world.person(database, "Fay Finch")
    await world.carry_out(database, JoinRoom(fay.id, den))
    await has_role(database, den, fay, role="moderator")
    with pytest.raises(Forbidden, match="not_each_other"):
        await does(database, dan, den, "remove", fay)
    await does(database, bob, den, "remove", fay)
    await does(database, ann, den, "mute", dan, minutes=5)  # whoever looks after the site
    assert (await policy.of(database, den, dan.id)).is_muted


async def test_a_guest_looks_after_no_room(database, bob, cat, den):
    await becomes(database, cat, is_guest=True)
    for what in ("promote", "hand_over"):
        with pytest.raises(Forbidden, match="guest_role"):
            await does(database, bob, den, what, cat)


async def test_who_is_removed_is_out_at_once_and_may_come_back(database, bob, cat, dan, den):
    async with database.transaction() as tx:
        await drafts.apply_saves(tx, {(den, cat.id): drafts.Save("half a word", 0, "t")})
    done = await does(database, dan, den, "remove", cat, reason="was loud")
    (event,) = done.messages
    assert (event.kind, event.author_name, event.body) == ("removed", "Cat Carver", "Dan Dyer")
    assert [(d.user_id, d.reason) for d in done.departures] == [(cat.id, "removed")]
    assert done.sidebars == {cat.id}
    assert not await memberships.is_member(database, den, cat.id)
    left = select(drafts_table.c.body).where(drafts_table.c.user_id == cat.id)
    assert await database.fetch_value(left) is None
    assert (await does(database, dan, den, "remove", cat)).messages == []
    await world.carry_out(database, JoinRoom(cat.id, den))
    assert await log_of(database, den) == [("Dan Dyer", "remove", "Cat Carver", "was loud")]


async def test_who_is_muted_writes_edits_reacts_and_pins_nothing(database, bob, cat, dan, den):
    (said,) = await world.says(database, cat, den, "one")
    await does(database, dan, den, "mute", cat, minutes=10)
    assert world.codes(await world.store(database, [world.a_post(cat, den)])) == ["muted"]
    for command in (
        EditMessage(cat.id, den, said.seq, "two", 0, 3600),
        React(cat.id, den, said.seq, "👍", True),
        Pin(cat.id, den, said.seq, True),
        DeleteMessage(cat.id, den, said.seq),
    ):
        with pytest.raises(Forbidden, match="muted"):
            await world.carry_out(database, command)
    await world.carry_out(database, LeaveRoom(cat.id, den))
    await world.carry_out(database, JoinRoom(cat.id, den))  # is no way around it
    assert world.codes(await world.store(database, [world.a_post(cat, den)])) == ["muted"]
    await does(database, dan, den, "unmute", cat)
    await world.says(database, cat, den, "at last")
    assert [entry[1] for entry in await log_of(database, den)] == ["mute", "unmute"]


async def test_nobody_but_those_in_charge_reads_who_is_muted(database, bob, cat, dan, den):
    done = await does(database, dan, den, "mute", cat, minutes=10)
    (event,) = done.messages
    assert event.is_quiet
    assert (event.author_name, event.body) == ("Dan Dyer", "")


async def test_who_is_banned_cannot_come_back_until_it_is_over_or_lifted(
    database, ann, bob, cat, dan, den
):
    done = await does(database, dan, den, "ban", cat, minutes=60, reason="was very loud")
    assert [d.reason for d in done.departures] == ["removed"]
    with pytest.raises(Forbidden, match="banned"):
        await world.carry_out(database, JoinRoom(cat.id, den))
    with pytest.raises(Invalid, match="banned_person"):
        await world.carry_out(database, AddMember(bob.id, den, cat.name))
    (ban,) = await moderation.bans_of(database, den)
    assert (ban.person.name, ban.by, ban.reason) == ("Cat Carver", "Dan Dyer", "was very loud")
    assert ban.until is not None
    assert ban.until - ban.at == pytest.approx(3_600_000, abs=60_000)
    async with database.transaction() as tx:
        await tx.execute(update(bans).values(until=now_ms() - 1))
    await world.carry_out(database, JoinRoom(cat.id, den))
    await does(database, dan, den, "ban", cat)
    (ban,) = await moderation.bans_of(database, den)
    assert ban.until is None
    await does(database, bob, den, "unban", cat)
    await world.carry_out(database, JoinRoom(cat.id, den))
    assert [(entry[1], entry[3]) for entry in await log_of(database, den)] == [
        ("ban", "60 was very loud"),
        ("ban", "0"),
        ("unban", ""),
    ]


async def test_somebody_may_be_banned_before_they_ever_come(database, bob, cat):
    room = await closed(database, bob)
    await does(database, bob, room, "ban", cat, minutes=60)
    with pytest.raises(Missing):  # and learns nothing by trying
        await world.carry_out(database, JoinRoom(cat.id, room))
    await does(database, bob, room, "unban", cat)
    await world.carry_out(database, AddMember(bob.id, room, cat.name))


async def test_what_is_done_to_nobody_is_refused(database, bob, cat, den):
    eve = await world.person(database, "Eve Eager")
    for what in ("promote", "demote", "hand_over", "mute"):
        with pytest.raises(Missing, match="person_gone"):
            await does(database, bob, den, what, eve)
    await world.carry_out(database, DeleteAccount(cat.id))
    with pytest.raises(Missing, match="person_gone"):
        await does(database, bob, den, "ban", cat)


async def test_an_owner_names_who_comes_after_them(database, bob, cat, dan, den):
    with pytest.raises(Conflict, match="heir_gone"):
        await world.carry_out(database, LeaveRoom(bob.id, den, heir_id=999))
    assert (await rooms.find(database, den)).owner_id == bob.id
    await world.carry_out(database, LeaveRoom(bob.id, den, heir_id=cat.id))
    assert (await rooms.find(database, den)).owner_id == cat.id


async def test_a_moderator_deletes_what_others_said_and_that_is_noted_without_words(
    database, bob, cat, dan, den
):
    (said,) = await world.says(database, cat, den, "secret words")
    (own,) = await world.says(database, dan, den, "mine")
    await world.carry_out(database, DeleteMessage(dan.id, den, said.seq))
    await world.carry_out(database, DeleteMessage(dan.id, den, own.seq))
    assert await log_of(database, den) == [("Dan Dyer", "delete", "Cat Carver", str(said.seq))]


async def test_the_administrator_reads_what_was_done_everywhere_but_not_where_it_is_closed(
    database, ann, bob, cat, den
):
    vault = await closed(database, bob, "Vault", cat)
    await does(database, bob, vault, "remove", cat, reason="told secrets")
    await does(database, bob, den, "remove", cat, reason="was loud")
    await world.carry_out(database, ShapeRoom(bob.id, den, slow_seconds=30))
    await world.carry_out(database, DeleteRoom(bob.id, den))
    entries = (await audit.of_site(database, ann.id, None)).entries
    assert [(e.action, e.room_name, e.detail, e.room_id) for e in entries] == [
        ("delete_room", "", "", None),
        ("rules", "", "", None),
        ("remove", "", "", None),
        ("remove", "", "", None),
        ("add", "", "", None),
    ]
    await world.carry_out(database, AddMember(bob.id, vault, ann.name))
    entries = (await audit.of_site(database, ann.id, None)).entries
    assert ("remove", "Vault", "told secrets") in [
        (e.action, e.room_name, e.detail) for e in entries
    ]


async def test_the_log_is_read_page_by_page(database, bob, cat, den, monkeypatch):
    monkeypatch.setattr(audit, "PAGE", 2)
    for _ in range(2):
        await does(database, bob, den, "promote", cat)
        await does(database, bob, den, "demote", cat)
    first = await audit.of_room(database, den, None)
    second = await audit.of_room(database, den, first.older)
    assert [e.action for e in first.entries + second.entries] == ["demote", "promote"] * 2
    assert second.older is None


async def test_posts_of_moderators_may_call_everybody(database, bob, cat, dan, den):
    first, second = await world.store(
        database, [world.a_post(dan, den, "@room hi"), world.a_post(cat, den, "@room hi")]
    )
    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert first.marks is not None
    assert second.marks is None


async def test_the_last_hour_of_what_somebody_said_is_hidden_and_brought_back_at_once(
    database, bob, cat, dan, den
):
    (old,) = await world.says(database, cat, den, "long ago")
    await world.changes(database, den, old.seq, at=1)
    first, second = await world.says(database, cat, den, "one @Bob Baker", "two")
    await world.answers(database, bob, den, first.seq)
    reply = await world.answers(database, cat, den, first.seq, "an answer of mine")
    await world.carry_out(database, DeleteMessage(cat.id, den, second.seq))
    await world.says(database, bob, den, "what others say stays")

    async def kinds():
        return {row.seq: row.kind for row in await world.log_of(database, den) if row.key}

    before = await kinds()
    done = await does(database, dan, den, "hide", cat)
    assert done.recounted == {den}
    assert await kinds() == before | {first.seq: "deleted", reply.seq: "deleted"}
    assert (await does(database, dan, den, "hide", cat)).messages == []
    with pytest.raises(Conflict, match="restore_over"):  # not theirs to bring back
        await world.carry_out(database, RestoreMessage(cat.id, den, first.seq))
    await does(database, bob, den, "unhide", cat)  # and another one may
    assert await kinds() == before
    found = await messages.living(database, den, first.seq)
    assert (found.body, found.marks is not None) == ("one @Bob Baker", True)
    assert (await does(database, bob, den, "unhide", cat)).messages == []
    assert [entry[1] for entry in await log_of(database, den)] == ["hide", "unhide"]


async def test_what_is_hidden_outlives_a_ban_and_is_wiped_after_a_week(
    database, bob, cat, dan, den
):
    (said,) = await world.says(database, cat, den, "loud words")
    await does(database, dan, den, "ban", cat)
    await does(database, dan, den, "hide", cat)
    async with database.transaction() as tx:
        assert await deletions.wipe(tx) == set()
        await tx.execute(update(deletions_table).values(until=now_ms() - 1))
        assert await deletions.wipe(tx) == {den}
    assert (await does(database, dan, den, "unhide", cat)).messages == []
    assert (await world.log_of(database, den))[said.seq - 1].body == ""
