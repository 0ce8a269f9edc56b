"""Deleting an account: what goes, what stays, and to whom."""

import asyncio

import pytest

from tests.routes import pages
from tests.routes.people import PASSWORD, Person, somebody


async def delete(person: Person) -> None:
    answer = await person.post("/settings/delete-account", {"password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (
        pages.status((await person.get("/", follow_redirects=True)).text)
        == "Your account is deleted."
    )


async def test_messages_stay_under_deleted_account(ann, bob, lab):
    await bob.says(lab, "kept")
    await delete(bob)
    page = await ann.sees(lab)
    assert pages.bodies(page) == ["kept"]
    assert pages.authors(page) == ["deleted account"]
    assert "Bob Baker" not in page
    assert bob.email not in page
    assert pages.members(page) == ["Ann Archer"]
    assert "1 member" in (await ann.get("/rooms")).text


async def test_rooms_pass_to_who_joined_first(ann, bob, cat):
    room = await bob.opens("Bobs")
    await cat.joins(room)
    await ann.joins(room)
    await delete(bob)
    assert pages.owners(await ann.sees(room)) == ["Cat Carver"]
    assert (await cat.get(f"/rooms/{room}/settings")).status_code == 200


async def test_who_left_and_came_back_is_not_who_joined_first(ann, bob, cat):
    room = await bob.opens("Bobs")
    await ann.joins(room)
    await cat.joins(room)
    await ann.leaves(room)
    await ann.joins(room)
    await delete(bob)
    assert pages.owners(await ann.sees(room)) == ["Cat Carver"]


async def test_rooms_with_nobody_else_in_them_are_closed(ann, bob):
    room = await bob.opens("Alone")
    left = await bob.opens("Left by all")
    await bob.leaves(left)
    await delete(bob)
    assert (await ann.get(f"/rooms/{room}")).status_code == 404
    assert (await ann.get(f"/rooms/{left}")).status_code == 404
    listing = (await ann.get("/rooms")).text
    assert "Alone" not in listing
    await ann.opens("Alone")


async def test_name_and_address_are_free_again_and_nothing_is_inherited(ann, bob, lab):
    await bob.says(lab, "from the first")
    await delete(bob)
    again = await Person(ann.site, "Bob Baker", bob.email).signs_up()
    assert (
        "Start with one room" in (await again.get("/", follow_redirects=True)).text
        or "Join a first room" in (await again.get("/", follow_redirects=True)).text
    )
    await again.joins(lab)
    assert pages.authors(await again.sees(lab)) == ["deleted account"]


async def test_the_old_password_opens_nothing(bob):
    await delete(bob)
    answer = await bob.tries_to_sign_in()
    assert answer.status_code == 422
    assert pages.alert(answer.text) == "Email or password is not right."


async def test_two_deleted_accounts_do_not_get_in_each_others_way(ann, bob, cat, lab):
    await cat.joins(lab)
    await bob.says(lab, "one")
    await cat.says(lab, "two")
    await asyncio.gather(delete(bob), delete(cat))
    assert pages.authors(await ann.sees(lab)) == ["deleted account"] * 2


@pytest.mark.parametrize("password", ["", "wrong horse battery", "x" * 2000, "a\0b"])
async def test_without_the_password_nothing_happens(bob, lab, password):
    answer = await bob.post("/settings/delete-account", {"password": password})
    assert answer.status_code == 422
    assert pages.complaint(answer.text, "delete-password") == "The password is not right."
    assert await bob.is_signed_in()
    assert "Lab" in (await bob.get("/sidebar")).text


async def test_the_administrators_office_passes_to_the_oldest_account(ann, bob, cat):
    await delete(ann)
    assert "Administrator" in (await bob.get("/settings")).text
    assert "Administrator" not in (await cat.get("/settings")).text


async def test_after_everybody_has_gone_the_next_one_is_first_again(ann, bob):
    await delete(bob)
    await delete(ann)
    dan = await somebody(ann.site)
    assert "Administrator" in (await dan.get("/settings")).text


async def test_those_who_watch_see_the_room_go(ann, bob, cat):
    room = await bob.opens("Bobs")
    await cat.joins(room)
    async with cat.socket() as socket:
        epoch = (await socket.receive_json("hello"))["epoch"]
        await socket.send_json({"type": "watch", "room": room, "cursor": f"{epoch}:0"})
        await socket.receive_json("watching")
        await delete(bob)
        frame = await socket.receive_json("changes")
        assert 'data-kind="left"' in frame["html"]
