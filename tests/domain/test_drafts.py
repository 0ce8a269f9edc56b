"""What somebody has written and not sent: one text for each member and room, which no device undoes unseen."""

import pytest

from chatapp.domain import drafts, unread
from chatapp.domain.commands import DeleteAccount, DeleteRoom, JoinRoom
from chatapp.domain.drafts import NOTHING, Draft, Save
from chatapp.errors import Invalid
from tests.domain import world


async def saves(database, who, room_id, body, base=0, tab="laptop"):
    """Returns what is stored then."""
    async with database.transaction() as tx:
        await drafts.apply_saves(tx, {(room_id, who.id): Save(body, base, tab)})
    return await drafts.find(database, room_id, who.id)


async def test_a_draft_is_kept_and_rises_with_each_change(database, ann, lab):
    first = await saves(database, ann, lab, "Earl")
    second = await saves(database, ann, lab, "Earl Grey ", first.at)
    assert (first.body, second.body, second.tab) == ("Earl", "Earl Grey ", "laptop")
    assert second.at > first.at > 0
    assert await saves(database, ann, lab, "Earl Grey ", second.at) == second


async def test_a_tab_replaces_what_it_builds_upon_or_wrote_itself(database, ann, lab):
    first = await saves(database, ann, lab, "Earl")
    own = await saves(database, ann, lab, "Earl Grey", 0)
    assert own.body == "Earl Grey", "its own, though it has not heard of it yet"
    other = await saves(database, ann, lab, "Assam", own.at, "phone")
    assert other.body == "Assam"
    assert await saves(database, ann, lab, "Earl Grey at", first.at) == other
    assert (await saves(database, ann, lab, "Earl Grey at", other.at)).body == "Earl Grey at"


async def test_an_empty_draft_is_none_and_empties_only_what_it_builds_upon(database, ann, lab):
    first = await saves(database, ann, lab, "Earl")
    second = await saves(database, ann, lab, "Assam", first.at, "phone")
    assert await saves(database, ann, lab, "", first.at) == second
    assert await saves(database, ann, lab, "", second.at) == NOTHING
    assert await saves(database, ann, lab, "", second.at) == NOTHING
    again = await saves(database, ann, lab, "Darjeeling", second.at)
    assert again.at >= second.at, "the numbers go on, though the row had gone"


async def test_many_people_are_stored_at_once(database, ann, bob, lab):
    den = await world.opens(database, ann, "Den", bob)
    asked = {
        (room, who.id): Save(f"{who.name} in {room}", 0, "t")
        for room in (lab, den)
        for who in (ann, bob)
    }
    async with database.transaction() as tx:
        await drafts.apply_saves(tx, {**asked, (den, bob.id): Save("", 0, "t")})
    found = await drafts.states(database, list(asked))
    assert {pair: draft.body for pair, draft in found.items()} == {
        pair: "" if pair == (den, bob.id) else save.body for pair, save in asked.items()
    }
    marks = {room.name: bool(room.has_draft) for room in await unread.of_user(database, bob.id)}
    assert marks == {"Den": False, "Lab": True}


async def test_who_is_no_member_stores_and_sees_nothing(database, ann, bob, cat, lab):
    await saves(database, bob, lab, "secret")
    await world.leaves(database, bob, lab)
    for outsider in (bob, cat):
        assert await saves(database, outsider, lab, "mine") == NOTHING
    assert await drafts.states(database, [(lab, bob.id), (lab, cat.id), (999, ann.id)]) == {}


async def test_a_draft_goes_with_the_membership(database, bob, lab):
    await saves(database, bob, lab, "secret")
    await world.leaves(database, bob, lab)
    await world.carry_out(database, JoinRoom(bob.id, lab))
    assert await drafts.find(database, lab, bob.id) == NOTHING


async def test_a_draft_goes_with_the_account_and_with_the_room(database, ann, bob, lab):
    den = await world.opens(database, ann, "Den", bob)
    for who in (ann, bob):
        await saves(database, who, lab, "mine")
        await saves(database, who, den, "mine")
    await world.carry_out(database, DeleteAccount(bob.id))
    await world.carry_out(database, DeleteRoom(ann.id, den))
    assert await drafts.find(database, lab, bob.id) == NOTHING
    assert await drafts.find(database, den, ann.id) == NOTHING
    assert (await drafts.find(database, lab, ann.id)).body == "mine"


async def test_sending_ends_the_draft_that_was_sent_and_no_newer_one(database, ann, lab):
    first = await saves(database, ann, lab, "Earl")
    second = await saves(database, ann, lab, "Earl Grey", first.at)
    for at, left in ((first.at, second), (second.at, NOTHING)):
        async with database.transaction() as tx:
            await drafts.apply_sent(tx, lab, ann.id, at)
        assert await drafts.find(database, lab, ann.id) == left


@pytest.mark.parametrize("body", ["", "  \n", "\u200b\u2060"])
def test_what_nobody_would_see_is_no_draft(body):
    assert drafts.regular(body) == ""


@pytest.mark.parametrize("body", ["a\x00b", "a\ud800b", "x" * 4001])
def test_what_could_never_be_stored_is_refused(body):
    with pytest.raises(Invalid):
        drafts.regular(body)


async def test_the_longest_draft_is_kept_as_it_was_typed(database, ann, lab):
    body = "\U0001f600" * 3990 + "\n  indented"[:10]
    stored = await saves(database, ann, lab, drafts.regular(body))
    assert stored == Draft(stored.at, body, "laptop")
