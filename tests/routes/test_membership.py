"""Joining and leaving."""

import asyncio

from tests.routes import pages
from tests.routes.people import HTMX, Person, somebody


async def test_who_joins_reads_what_was_said_before(ann, bob, cat, lab):
    await bob.says(lab, "before cat came")
    page = await cat.sees(lab)
    assert "Join this room" in page
    assert "2 members" in page
    assert pages.bodies(page) == []
    await cat.joins(lab)
    page = await cat.sees(lab)
    assert pages.bodies(page) == ["before cat came"]
    assert pages.events(page) == ["created", "joined", "joined"]
    assert "Lab" in (await cat.get("/sidebar", headers=HTMX)).text


async def test_joining_twice_is_joining_once(ann, bob, lab):
    for _ in range(3):
        await bob.joins(lab)
    assert pages.events(await ann.sees(lab)) == ["created", "joined"]
    assert pages.members(await ann.sees(lab)) == ["Ann Archer", "Bob Baker"]


async def test_joining_ten_times_at_once_is_joining_once(ann, cat, lab):
    await asyncio.gather(*(cat.joins(lab) for _ in range(10)))
    assert pages.events(await ann.sees(lab)) == ["created", "joined", "joined"]
    assert pages.members(await ann.sees(lab)) == ["Ann Archer", "Bob Baker", "Cat Carver"]


async def test_leaving_twice_is_leaving_once(ann, bob, lab):
    await asyncio.gather(*(bob.leaves(lab) for _ in range(5)))
    await bob.leaves(lab)
    assert pages.events(await ann.sees(lab)) == ["created", "joined", "left"]
    assert pages.members(await ann.sees(lab)) == ["Ann Archer"]
    assert "Lab" not in (await bob.get("/sidebar", headers=HTMX)).text


async def test_who_left_is_told_and_reads_no_more(ann, bob, lab):
    answer = await bob.post(f"/rooms/{lab}/leave")
    assert answer.headers["location"] == "/rooms"
    assert pages.status((await bob.get("/rooms")).text) == "You left the room."
    await ann.says(lab, "between us")
    assert "between us" not in await bob.sees(lab)
    assert (await bob.tries_to_say(lab, "but I")).status_code == 403
    assert pages.bodies(await ann.sees(lab)) == ["between us"]
    await bob.joins(lab)
    assert pages.bodies(await bob.sees(lab)) == ["between us"]


async def test_after_joining_and_leaving_at_once_the_room_is_of_one_mind(roomy):
    ann, bob = await somebody(roomy), await somebody(roomy)
    room = await ann.opens("Lab")
    for _ in range(15):
        await asyncio.gather(bob.joins(room), bob.leaves(room))
    page = await ann.sees(room)
    happened = pages.events(page)[1:]
    assert happened == ["joined", "left"] * (len(happened) // 2) + ["joined"] * (len(happened) % 2)
    is_in = bool(happened) and happened[-1] == "joined"
    assert (bob.name in pages.members(page)) is is_in
    assert ("Join this room" in await bob.sees(room)) is not is_in
    assert pages.numbers(page) == list(range(1, len(happened) + 2))


async def test_an_owner_who_leaves_hands_over_to_who_joined_first(ann, bob, cat):
    room = await bob.opens("Bobs")
    await cat.joins(room)
    await ann.joins(room)
    await bob.leaves(room)
    assert pages.owners(await ann.sees(room)) == ["Cat Carver"]
    assert (await bob.get(f"/rooms/{room}/settings")).status_code == 403
    assert (await cat.get(f"/rooms/{room}/settings")).status_code == 200


async def test_an_owner_who_comes_back_is_a_member_like_others(ann, bob, cat):
    room = await bob.opens("Bobs")
    await cat.joins(room)
    await bob.leaves(room)
    await bob.joins(room)
    assert pages.owners(await ann_in(ann, room)) == ["Cat Carver"]


async def ann_in(ann: Person, room: int) -> str:
    await ann.joins(room)
    return await ann.sees(room)


async def test_a_room_that_all_have_left_belongs_to_who_comes_next(bob, cat):
    room = await bob.opens("Bobs")
    await bob.says(room, "kept")
    await bob.leaves(room)
    await cat.joins(room)
    page = await cat.sees(room)
    assert pages.owners(page) == ["Cat Carver"]
    assert pages.bodies(page) == ["kept"]


async def test_nobody_joins_a_room_that_is_not_there(ann):
    for number in (0, 999, 2**53, 10**15):
        for what in ("join", "leave"):
            assert (await ann.post(f"/rooms/{number}/{what}")).status_code == 404


async def test_members_are_listed_for_members(ann, bob, cat, lab):
    for headers in ({}, HTMX):
        html = (await bob.get(f"/rooms/{lab}/members", headers=headers)).text
        assert pages.members(html) == ["Ann Archer", "Bob Baker"]
        assert pages.owners(html) == ["Ann Archer"]
        assert ann.email not in html
