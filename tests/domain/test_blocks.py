"""Whoever blocks somebody hears no more from them alone; everywhere else nothing changes."""

import pytest

from chatapp.domain import blocks, policy, profiles
from chatapp.domain.commands import DeleteAccount, DeleteMessage, EditMessage, OpenDirect, React
from chatapp.domain.messages import living
from chatapp.errors import Forbidden, Invalid
from tests.domain import world


async def opened(database, who, *others):
    command = OpenDirect(who.id, tuple(each.id for each in others))
    return (await world.carry_out(database, command)).value


async def tries_to_say(database, who, *rooms):
    """What becomes of a message in each of these rooms, sent at once."""
    outcomes = await world.store(database, [world.a_post(who, room) for room in rooms])
    return [getattr(outcome, "code", "stored") for outcome in outcomes]


async def test_who_is_blocked_cannot_write_to_the_one_who_did_it(database, ann, bob, cat, lab):
    two, three = await opened(database, ann, bob), await opened(database, ann, bob, cat)
    await blocks.block(database, ann.id, bob.id)
    await blocks.block(database, ann.id, bob.id)
    assert await tries_to_say(database, bob, lab, two, three) == [
        *("stored", "undeliverable", "stored")
    ]
    assert await tries_to_say(database, ann, two) == ["stored"]
    await blocks.unblock(database, ann.id, bob.id)
    assert await tries_to_say(database, bob, two) == ["stored"]


async def test_they_cannot_begin_a_conversation_but_one_of_more(database, ann, bob, cat):
    await blocks.block(database, ann.id, bob.id)
    with pytest.raises(Invalid) as caught:
        await opened(database, bob, ann)
    assert caught.value.codes == {"names": "undeliverable"}
    assert await opened(database, bob, ann, cat)
    two = await opened(database, ann, bob)
    assert await opened(database, bob, ann) == two
    assert await tries_to_say(database, bob, two) == ["undeliverable"]


async def test_nor_get_through_by_what_is_there_already(database, ann, bob):
    two = await opened(database, ann, bob)
    (said,) = await world.says(database, bob, two, "hello")
    await blocks.block(database, ann.id, bob.id)
    stand = await policy.of(database, two, bob.id)
    assert [action for action in policy.ACTIONS if stand.may(action)] == ["read", "change"]
    edit = EditMessage(bob.id, two, said.seq, "listen!", 0, 60)
    for command in (edit, React(bob.id, two, said.seq, "\N{THUMBS UP SIGN}", on=True)):
        with pytest.raises(Forbidden) as caught:
            await world.carry_out(database, command)
        assert caught.value.code == "undeliverable"
    assert (await living(database, two, said.seq)).body == "hello"
    await world.carry_out(database, DeleteMessage(bob.id, two, said.seq))


async def test_a_message_sent_again_was_delivered_before(database, ann, bob):
    two = await opened(database, ann, bob)
    post = world.a_post(bob, two)
    (first,) = await world.store(database, [post])
    await blocks.block(database, ann.id, bob.id)
    assert await world.store(database, [post]) == [first]


async def test_nobody_blocks_themselves_and_who_has_gone_is_in_no_list(database, ann, bob, cat):
    with pytest.raises(Forbidden):
        await blocks.block(database, ann.id, ann.id)
    await blocks.block(database, ann.id, cat.id)
    await blocks.block(database, ann.id, bob.id)
    assert [person.name for person in await blocks.of(database, ann.id)] == [bob.name, cat.name]
    await world.carry_out(database, DeleteAccount(bob.id))
    assert [person.name for person in await blocks.of(database, ann.id)] == [cat.name]
    assert (await profiles.find(database, ann.id, cat.id)).is_reachable
