"""Renaming a room, giving it a topic, deleting it."""

import asyncio

import pytest

from tests.routes import pages
from tests.routes.people import HTMX, somebody


async def test_a_new_name_and_topic_are_announced_with_the_name_of_who_did_it(ann, bob, lab):
    answer = await ann.post(
        f"/rooms/{lab}/settings", {"name": "Workshop", "topic": "Now with tools"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"/rooms/{lab}")
    page = await bob.sees(lab)
    assert pages.events(page) == ["created", "joined", "renamed", "topic"]
    renamed, topic = pages.read(page).all("p", class_="event")[2:]
    assert "Ann Archer named this room Workshop." in renamed.text
    assert "Ann Archer set the topic: Now with tools" in topic.text
    assert "Workshop" in (await bob.get("/sidebar", headers=HTMX)).text
    assert "The room is saved." in await ann.sees(lab)


async def test_saving_without_a_change_announces_nothing(ann, lab):
    await ann.post(f"/rooms/{lab}/settings", {"name": "Lab", "topic": "What we found out"})
    assert pages.events(await ann.sees(lab)) == ["created", "joined"]


async def test_a_topic_can_be_taken_away_and_a_name_change_its_case(ann, lab):
    await ann.post(f"/rooms/{lab}/settings", {"name": "LAB", "topic": ""})
    page = await ann.sees(lab)
    assert pages.read(page).one("h1").text.strip() == "LAB"
    assert "took the topic away" in pages.read(page).all("p", class_="event")[-1].text


async def test_an_old_name_is_free_for_others(ann, lab):
    await ann.post(f"/rooms/{lab}/settings", {"name": "Workshop", "topic": ""})
    assert await ann.opens("Lab") != lab


async def test_a_member_keeps_their_hands_off(bob, lab):
    assert (await bob.post(f"/rooms/{lab}/settings", {"name": "Mine"})).status_code == 403
    assert (await bob.post(f"/rooms/{lab}/delete", {"confirm": "Lab"})).status_code == 403
    page = await bob.sees(lab)
    assert pages.read(page).one("h1").text.strip() == "Lab"
    assert f'href="/rooms/{lab}/settings"' not in page


@pytest.mark.parametrize("typed", ["", "Labs", "La", "yes", "\0", "Lab\u202e"])
async def test_a_room_is_deleted_only_by_typing_its_name(ann, bob, lab, typed):
    answer = await ann.post(f"/rooms/{lab}/delete", {"confirm": typed})
    assert answer.status_code == 422
    assert "type the name" in pages.complaint(answer.text, "confirm")
    assert pages.typed(answer.text, "confirm") == typed
    assert pages.typed(answer.text, "room-name") == "Lab"
    assert pages.members(await bob.sees(lab)) == ["Ann Archer", "Bob Baker"]


@pytest.mark.parametrize("typed", ["Lab", "lab", " LAB "])
async def test_a_deleted_room_is_gone_with_all_its_addresses(ann, bob, lab, typed):
    await bob.says(lab, "gone with it")
    answer = await ann.post(f"/rooms/{lab}/delete", {"confirm": typed})
    assert (answer.status_code, answer.headers["location"]) == (303, "/rooms")
    assert pages.status((await ann.get("/rooms")).text) == "The room is deleted."
    for path in ("", "?around=3", "/messages", "/members", "/settings"):
        assert (await bob.get(f"/rooms/{lab}{path}")).status_code == 404, path
        assert (await ann.get(f"/rooms/{lab}{path}", headers=HTMX)).status_code == 404, path
    for path in ("join", "leave", "settings", "delete"):
        assert (await ann.post(f"/rooms/{lab}/{path}", {"name": "x"})).status_code == 404, path
    refused = await bob.tries_to_say(lab, "hello?")
    assert (refused.status_code, refused.json()["code"]) == (404, "room_gone")
    assert "Lab" not in (await bob.get("/sidebar", headers=HTMX)).text
    assert "This room does not exist" in (await bob.get(f"/rooms/{lab}")).text


async def test_a_new_room_of_that_name_has_a_number_and_a_story_of_its_own(ann, bob, lab):
    await bob.says(lab, "old")
    await ann.post(f"/rooms/{lab}/delete", {"confirm": "Lab"})
    again = await ann.opens("Lab")
    assert again > lab
    page = await ann.sees(again)
    assert pages.bodies(page) == []
    assert pages.members(page) == ["Ann Archer"]
    assert "Join this room" in await bob.sees(again)


async def test_the_newest_number_is_not_given_out_again(ann):
    seen = set()
    for _ in range(4):
        room = await ann.opens("Again")
        assert room not in seen
        seen.add(room)
        await ann.post(f"/rooms/{room}/delete", {"confirm": "Again"})


async def test_deleting_twice_at_once_deletes_once(ann, bob, lab):
    answers = await asyncio.gather(
        *(ann.post(f"/rooms/{lab}/delete", {"confirm": "Lab"}) for _ in range(5))
    )
    assert sorted({answer.status_code for answer in answers}) in ([303], [303, 404])
    assert (await ann.get(f"/rooms/{lab}")).status_code == 404


async def test_while_a_room_is_deleted_each_message_is_stored_before_or_refused(roomy):
    ann, bob = await somebody(roomy), await somebody(roomy)
    room = await ann.opens("Short")
    await bob.joins(room)
    *said, deleted = await asyncio.gather(
        *(bob.tries_to_say(room, f"x{number}") for number in range(20)),
        ann.post(f"/rooms/{room}/delete", {"confirm": "Short"}),
    )
    assert deleted.status_code == 303
    ends = {(answer.status_code, answer.json().get("code")) for answer in said}
    assert ends <= {(200, None), (404, "room_gone"), (403, "not_member")}
    assert (await bob.get(f"/rooms/{room}")).status_code == 404


async def test_deleting_and_opening_a_room_of_one_name_at_once_breaks_nothing(roomy):
    ann, bob = await somebody(roomy), await somebody(roomy)
    for _ in range(10):
        room = await ann.opens("Same")
        deleted, opened = await asyncio.gather(
            ann.post(f"/rooms/{room}/delete", {"confirm": "Same"}),
            bob.post("/rooms", {"name": "Same"}),
        )
        assert deleted.status_code == 303
        assert opened.status_code in {303, 422}
        if opened.status_code == 303:
            number = opened.headers["location"].removeprefix("/rooms/")
            assert int(number) > room
            await bob.post(f"/rooms/{number}/delete", {"confirm": "Same"})
