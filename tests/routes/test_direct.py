"""Conversations among a few: from a person to their room, on pages and over the socket."""

import re

from tests.routes.pages import read
from tests.routes.people import HTMX, somebody


async def talks_to(person, *others):
    """The room of these people."""
    names = "\n".join(each.name for each in others)
    answer = await person.post("/direct", {"names": names})
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].removeprefix("/rooms/"))


def conversations(html):
    """Those that stand in the sidebar."""
    rows = [row for row in read(html).all("li") if "hidden" not in row.attributes]
    found = [row.all("a", class_="side-row") for row in rows]
    links = [link for each in found for link in each if "data-direct" in link.attributes]
    return [link.one("bdi").text for link in links]


async def test_a_person_is_found_and_written_to_with_one_click(ann, bob, cat):
    page = read((await ann.get("/direct/new?q=bob+baker")).text)
    (button,) = [each for each in page.all("button") if each.attributes.get("name") == "user"]
    answer = await ann.post("/direct", {"user": button.attributes["value"]})
    room = int(answer.headers["location"].removeprefix("/rooms/"))
    assert await talks_to(bob, ann) == room
    shown = read(await ann.sees(room))
    assert shown.one("h1").text.strip() == "Bob Baker"
    assert shown.one("title").text.startswith("Bob Baker")
    assert read(await bob.sees(room)).one("h1").text.strip() == "Ann Archer"
    assert "Leave room" not in await ann.sees(room)
    assert (await cat.get(f"/rooms/{room}")).status_code == 404
    assert (await ann.post(f"/rooms/{room}/leave")).status_code == 403
    assert (await ann.get(f"/rooms/{room}/settings")).status_code == 403


async def test_the_switcher_opens_a_conversation_with_who_shares_a_room(ann, bob, lab):
    found = read((await ann.get("/switch?q=@bob", headers=HTMX)).text)
    (option,) = found.all("button", class_="option")
    room = await ann.post("/direct", {"user": option.attributes["value"]})
    assert room.status_code == 303
    assert "Bob Baker" in conversations((await ann.get("/sidebar", headers=HTMX)).text)


async def test_several_are_named_one_in_each_line_and_who_is_not_here_is_said(ann, bob, cat):
    room = await talks_to(ann, bob, cat)
    assert await talks_to(cat, bob, ann) == room
    answer = await ann.post("/direct", {"names": "Bob Baker\nNobody Known"})
    assert answer.status_code == 422
    assert "Nobody here has this name" in answer.text
    assert "Nobody Known" in read(answer.text).one("textarea").text
    assert (await ann.post("/direct", {"user": "999"})).status_code == 404
    assert (await ann.post("/direct", {"names": "Ann Archer"})).status_code == 422


async def test_it_appears_with_the_first_message_and_counts_in_the_title(ann, bob):
    room = await talks_to(ann, bob)
    async with bob.socket() as socket:
        await socket.receive_json("hello")
        await socket.send_json({"type": "follow"})
        await socket.receive_json("following")
        assert conversations((await bob.get("/sidebar", headers=HTMX)).text) == []
        await ann.says(room, "hello bob")
        news = await socket.receive_json("news")
        assert news["room"] == room
        await socket.receive_json("sidebar")
    page = (await bob.get("/rooms")).text
    assert conversations(page) == ["Ann Archer"]
    badge = read(page).one("span", class_="mention", data_badge="mentions")
    assert badge.text == "@1 messages"
    inbox = read(page).one("a", href="/mentions")
    assert "is-unread" not in inbox.classes
    assert re.search(r"<title>[^<]*Rooms", page)


async def test_nobody_else_finds_it_anywhere(roomy):
    ann, bob, other = [await somebody(roomy) for _ in range(3)]
    room = await talks_to(ann, bob)
    await ann.says(room, "only for you")
    for path in (f"/rooms/{room}", f"/rooms/{room}/members", f"/rooms/{room}/pins"):
        assert (await other.get(path)).status_code == 404
    assert (await other.post(f"/rooms/{room}/join")).status_code == 404
    for path in ("/rooms", "/search?q=only", "/sidebar", "/switch?q=a"):
        text = (await other.get(path, headers=HTMX)).text
        assert f"/rooms/{room}" not in text
