"""The page of a person, and the forms in which people tell about themselves."""

import re

from sqlalchemy import select

from chatapp.tables import users
from tests.routes import pages
from tests.routes.pages import read
from tests.routes.people import services


async def address_of(person):
    query = select(users.c.id).where(users.c.name == person.name)
    return f"/people/{await services(person.site).database.fetch_value(query)}"


async def tells(person, **fields):
    answer = await person.post("/settings/about", {"bio": "", "zone": "", **fields})
    assert answer.status_code == 303, answer.text


async def is_doing(person, status, **fields):
    answer = await person.post("/settings/status", {"status": status, **fields})
    assert answer.status_code == 303, answer.text


async def test_a_person_is_read_about_and_written_to(ann, bob, lab):
    await tells(bob, bio="I bake.\nhttps://bread.example <b>daily</b>", zone="Asia/Tokyo")
    await is_doing(bob, "Kneading", emoji=":bread:", ends="30")
    page = read((await ann.get(await address_of(bob))).text)
    assert page.one("h1").text == "Bob Baker"
    bio = page.one("p", class_="profile-bio")
    assert bio.text == "I bake.\nhttps://bread.example <b>daily</b>"
    assert bio.all("a") == bio.all("b") == []
    assert page.one("p", class_="profile-status").text == "\N{BREAD} Kneading"
    assert "where they are" in page.one("p", class_="profile-facts").text
    (shared,) = page.all("section", class_="section")
    assert len(shared.all("a", href=f"/rooms/{lab}")) == 1
    (button,) = [each for each in page.all("button") if "Message" in each.text]
    opened = await ann.post("/direct", {"user": button.attributes["value"]})
    assert opened.status_code == 303
    side = read((await ann.get("/rooms")).text).one("a", class_="side-row", data_direct="")
    assert side.one("span", class_="status").text == "\N{BREAD} Kneading"
    members = read((await ann.get(f"/rooms/{lab}/members")).text)
    assert members.one("main").one("span", class_="status").text == "\N{BREAD} Kneading"


async def test_what_one_told_stands_in_the_forms_and_can_be_taken_back(bob):
    await tells(bob, bio="I bake.", zone="Asia/Tokyo")
    await is_doing(bob, "Kneading")
    page = read((await bob.get("/settings")).text)
    assert page.one("textarea", name="bio").text == "I bake."
    chosen = page.one("select", name="zone").all("option", selected="")
    assert [each.attributes["value"] for each in chosen] == ["Asia/Tokyo"]
    assert pages.typed((await bob.get("/settings")).text, "status-words") == "Kneading"
    answer = await bob.post("/settings/status", {"status": "Kneading", "do": "clear"})
    assert answer.headers["location"] == "/settings#status"
    assert pages.typed((await bob.get("/settings")).text, "status-words") == ""


async def test_what_cannot_be_is_kept_in_the_form(bob):
    answer = await bob.post("/settings/about", {"bio": "x" * 501, "zone": "Asia/Tokyo"})
    assert answer.status_code == 422
    assert pages.complaint(answer.text, "bio")
    assert read(answer.text).one("textarea", name="bio").text == "x" * 501
    answer = await bob.post("/settings/status", {"status": "x" * 81, "emoji": "no"})
    assert answer.status_code == 422
    assert pages.complaint(answer.text, "status-words")
    assert pages.typed(answer.text, "status-emoji") == "no"


async def test_nobody_and_who_has_gone_are_one_page(ann, bob):
    address = await address_of(bob)
    assert (await bob.get(address)).status_code == 200
    assert (await bob.post("/settings/delete-account", {"password": bob.password})).is_redirect
    gone, nobody = await ann.get(address), await ann.get("/people/999999")
    assert gone.status_code == nobody.status_code == 404
    said = [
        re.sub("reference [0-9a-f]+", "", answer.text).replace(address, "/people/999999")
        for answer in (gone, nobody)
    ]
    assert said[0] == said[1]


async def test_who_is_blocked_hears_no_more_than_that_it_cannot_be_delivered(ann, bob):
    bobs = await address_of(bob)
    room = (await bob.post("/direct", {"names": ann.name})).headers["location"]
    answer = await ann.post(f"{bobs}/block", {"on": "true"})
    assert (answer.status_code, answer.headers["location"]) == (303, bobs)
    assert "Unblock" in (await ann.get(bobs)).text
    refused = await bob.tries_to_say(int(room.removeprefix("/rooms/")), "hello")
    assert (refused.status_code, refused.json()["code"]) == (403, "undeliverable")
    assert "cannot be delivered" in (await bob.get(room)).text
    assert "block" not in read((await bob.get(room)).text).one("main").text.lower()
    page = read((await ann.get("/settings")).text).one("section", id="blocked")
    form = page.one("form")
    answer = await ann.post(form.attributes["action"], {"on": "", "back": "1"})
    assert answer.headers["location"] == "/settings#blocked"
    assert await bob.says(int(room.removeprefix("/rooms/")), "hello")
    assert not read((await ann.get("/settings")).text).all("section", id="blocked")


async def test_who_is_blocked_is_told_in_the_form_for_new_conversations(ann, bob):
    await ann.post(f"{await address_of(bob)}/block", {"on": "true"})
    answer = await bob.post("/direct", {"names": ann.name})
    assert answer.status_code == 422
    assert "cannot be delivered to this person" in answer.text
    assert (await ann.post(f"{await address_of(ann)}/block", {"on": "true"})).status_code == 403
    assert (await ann.post("/people/999999/block", {"on": "true"})).status_code == 404
