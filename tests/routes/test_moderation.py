"""Keeping order on pages: what one person's page offers to whom, and what everybody sees of it."""

import re

from sqlalchemy import select

from chatapp.tables import users
from tests.routes.pages import members, read
from tests.routes.people import services


async def number_of(person):
    query = select(users.c.id).where(users.c.name == person.name)
    return await services(person.site).database.fetch_value(query)


async def page_of(who, room, person):
    return await who.get(f"/rooms/{room}/members/{await number_of(person)}")


async def does(who, room, person, what, **fields):
    address = f"/rooms/{room}/members/{await number_of(person)}"
    return await who.post(address, {"do": what, **fields})


def offered(html):
    """What can be done on a page."""
    buttons = read(html).all("button", name="do")
    return [button.attributes["value"] for button in buttons]


async def test_everybody_sees_a_persons_page_and_only_those_in_charge_can_do_something(
    ann, bob, cat, lab
):
    await cat.joins(lab)
    assert offered((await page_of(ann, lab, bob)).text) == [
        *("promote", "hand_over", "mute", "remove", "ban", "hide", "unhide")
    ]
    page = (await page_of(bob, lab, cat)).text
    assert offered(page) == []
    assert read(page).all("button", name="user", value=str(await number_of(cat)))
    assert offered((await page_of(ann, lab, ann)).text) == []
    assert (await bob.get(f"/rooms/{lab}/members/999")).status_code == 404


async def test_a_moderator_removes_a_member_and_all_tabs_hear_of_it(ann, bob, cat, lab):
    await cat.joins(lab)
    assert (await does(ann, lab, bob, "promote")).status_code == 303
    assert "Moderator" in (await bob.get(f"/rooms/{lab}/members")).text
    async with cat.socket() as socket:
        epoch = (await socket.receive_json("hello"))["epoch"]
        await socket.send_json({"type": "watch", "room": lab, "cursor": f"{epoch}:0"})
        await socket.receive_json("watching")
        await does(bob, lab, cat, "remove", reason="was loud")
        frame = await socket.receive_json("removed")
        assert (frame["room"], frame["reason"]) == (lab, "removed")
        await ann.says(lab, "only for us")
        await socket.receive_json("sidebar")
        await socket.silence(0.2)
    assert members(await ann.sees(lab)) == ["Ann Archer", "Bob Baker"]
    words = re.sub("<[^>]+>", "", await ann.sees(lab))
    assert "Cat Carver was removed by Bob Baker." in words


async def test_a_ban_is_listed_with_its_reason_and_lifted(ann, bob, lab):
    assert (await does(ann, lab, bob, "ban", minutes="1440", reason="was loud")).status_code == 303
    assert (await bob.post(f"/rooms/{lab}/join")).status_code == 403
    log = (await ann.get(f"/rooms/{lab}/audit")).text
    assert "Banned now" in log
    assert "was loud" in log
    assert offered((await page_of(ann, lab, bob)).text) == ["unban", "hide", "unhide"]
    await does(ann, lab, bob, "unban")
    await bob.joins(lab)
    assert (await bob.get(f"/rooms/{lab}/audit")).status_code == 403


async def test_who_is_muted_reads_why_they_cannot_write(ann, bob, lab):
    await does(ann, lab, bob, "mute", minutes="10")
    assert "You are muted here for now" in await bob.sees(lab)
    refused = await bob.tries_to_say(lab, "hello")
    assert (refused.status_code, refused.json()["code"]) == (403, "muted")
    assert "muted until" in (await page_of(ann, lab, bob)).text
    assert "muted" not in (await page_of(bob, lab, bob)).text
    await does(ann, lab, bob, "unmute")
    await bob.says(lab, "thank you")


async def test_what_makes_no_sense_changes_nothing(ann, bob, lab):
    for fields in ({"minutes": "9" * 15}, {"minutes": "x"}, {"reason": "x" * 300}):
        assert (await does(ann, lab, bob, "ban", **fields)).status_code == 422
    assert (await does(ann, lab, bob, "explode")).status_code == 422
    assert members(await ann.sees(lab)) == ["Ann Archer", "Bob Baker"]


async def test_an_owner_is_asked_whose_the_room_shall_be(ann, bob, cat, lab):
    await cat.joins(lab)
    answer = await ann.post(f"/rooms/{lab}/leave")
    assert answer.headers["location"] == f"/rooms/{lab}/leave"
    page = read((await ann.get(f"/rooms/{lab}/leave")).text)
    options = page.one("select", id="heir").all("option")
    assert [option.text for option in options] == ["Bob Baker", "Cat Carver"]
    assert "selected" in options[0].attributes
    answer = await ann.post(f"/rooms/{lab}/leave", {"heir": options[1].attributes["value"]})
    assert answer.headers["location"] == "/rooms"
    assert "Owner" in (await page_of(bob, lab, cat)).text


async def test_the_site_has_a_log_for_its_administrator(ann, bob, cat):
    room = await bob.opens("Den")
    await cat.joins(room)
    await does(bob, room, cat, "remove")
    page = (await ann.get("/audit")).text
    assert "Den" in page
    assert "removed" in page
    assert (await bob.get("/audit")).status_code == 404


async def test_a_message_is_reported_and_stands_in_the_queue_until_it_is_done(ann, bob, cat, lab):
    await cat.joins(lab)
    seq = await cat.says(lab, "rude words")
    links = read((await bob.get(f"/rooms/{lab}?links=1")).text)
    assert links.one("a", href=f"/rooms/{lab}/messages/{seq}/report").text.startswith("Report")
    assert "/report" not in (await cat.get(f"/rooms/{lab}?links=1")).text
    form = (await bob.get(f"/rooms/{lab}/messages/{seq}/report")).text
    assert "rude words" in form
    answer = await bob.post(f"/rooms/{lab}/messages/{seq}/report", {"reason": "rude"})
    assert answer.status_code == 303
    assert "Those who look after this room will see it" in await bob.sees(lab)
    menu = read(await ann.sees(lab)).one("a", href=f"/rooms/{lab}/reports")
    assert menu.text == "Reports 1"
    assert read(await bob.sees(lab)).all("a", href=f"/rooms/{lab}/reports") == []
    queue = (await ann.get(f"/rooms/{lab}/reports")).text
    assert "rude words" in queue
    assert "Bob Baker" in queue
    await ann.post(f"/rooms/{lab}/reports/{seq}/done")
    assert "Nothing was reported" in (await ann.get(f"/rooms/{lab}/reports")).text
    too_long = {"reason": "x" * 300}
    answer = await bob.post(f"/rooms/{lab}/messages/{seq}/report", too_long)
    assert answer.status_code == 422
