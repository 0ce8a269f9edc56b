"""Reactions over HTTP: by forms, by scripts, and what windows hear of them."""

import asyncio

import pytest

from chatapp.clock import HeldClock
from chatapp.domain import reactions
from chatapp.limits import REACT
from tests.routes import pages
from tests.routes.people import HTMX, JSON, Person, services, somebody

THUMB, HEART = "👍", "❤️"


@pytest.fixture
async def ann(roomy) -> Person:
    return await somebody(roomy, "Ann Archer")


@pytest.fixture
async def bob(roomy, ann) -> Person:
    return await somebody(roomy, "Bob Baker")


@pytest.fixture
async def lab(ann, bob) -> int:
    room: int = await ann.opens("Lab")
    await bob.joins(room)
    return room


async def reacts(who, room, seq, sign=THUMB, on="true", **given):
    path = f"/rooms/{room}/messages/{seq}/react"
    return await who.post(path, {"emoji": sign, "on": on}, **given)


async def chips(who, room, seq):
    """Emoji, count, and whether it is pressed, as this person's page has them."""
    page = pages.read((await who.get(f"/rooms/{room}?around={seq}")).text)
    (row,) = page.all("article", id=f"m-{seq}")
    return [
        (
            chip.attributes["data-sign"],
            int(chip.one("span", data_count="").text),
            chip.attributes["aria-pressed"] == "true",
        )
        for chip in row.all("button", class_="reaction")
    ]


async def test_a_tap_on_a_chip_is_a_form_that_says_what_is_wanted(ann, bob, lab):
    seq = await ann.says(lab, "tea?")
    answer = await reacts(bob, lab, seq)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/rooms/{lab}?around={seq}#m-{seq}",
    )
    assert await chips(bob, lab, seq) == [(THUMB, 1, True)]
    assert await chips(ann, lab, seq) == [(THUMB, 1, False)]
    page = pages.read(await ann.sees(lab))
    form = page.one("article", id=f"m-{seq}").one("form")
    fields = {
        each.attributes["name"]: each.attributes["value"]
        for each in form.all("input") + form.all("button")
    }
    await ann.post(form.attributes["action"], fields)
    assert await chips(ann, lab, seq) == [(THUMB, 2, True)]
    for _ in range(2):
        await reacts(bob, lab, seq, on="false")
    assert await chips(bob, lab, seq) == [(THUMB, 1, False)]


async def test_taps_at_once_from_two_tabs_are_one_reaction(ann, lab):
    """MD-05"""
    seq = await ann.says(lab, "tea?")
    answers = await asyncio.gather(
        *(reacts(ann, lab, seq, sign, headers=JSON) for sign in (THUMB, "👍\ufe0f") * 5)
    )
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["seq"] for answer in answers} == {seq + 1}
    assert await chips(ann, lab, seq) == [(THUMB, 1, True)]


async def test_what_is_no_emoji_is_refused_with_a_word(ann, lab):
    seq = await ann.says(lab, "tea?")
    for sign in (":+1:", "a", "", "<b>", "👍👍", "👍" * 50, "a\x00b"):
        answer = await reacts(ann, lab, seq, sign, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (422, "emoji_unknown"), sign
        assert (await reacts(ann, lab, seq, sign)).status_code == 422
    assert await chips(ann, lab, seq) == []


async def test_who_is_not_in_the_room_reacts_to_nothing_and_is_told_nothing(roomy, ann, bob, lab):
    seq = await ann.says(lab, "tea?")
    await reacts(ann, lab, seq)
    eve = await somebody(roomy)
    await bob.leaves(lab)
    for who in (eve, bob):
        assert (await reacts(who, lab, seq)).status_code == 403
        for path in (f"messages/{seq}/reactions", f"mine?crowded={seq}"):
            answer = await who.get(f"/rooms/{lab}/{path}")
            assert answer.status_code == 403
            assert "Ann" not in answer.text
    assert await chips(ann, lab, seq) == [(THUMB, 1, True)]
    assert (await reacts(ann, lab, 1)).status_code == 400, "an event"
    assert (await reacts(ann, lab, 99)).status_code == 404
    assert (await reacts(ann, lab, 10**16 - 1)).status_code == 404


async def test_too_many_taps_are_told_to_wait(make_site, sqlite_url):
    ann = await somebody(await make_site(clock=HeldClock(1000.0), DATABASE_URL=sqlite_url))
    lab = await ann.opens()
    seq = await ann.says(lab, "tea?")
    for n in range(REACT.count):
        assert (await reacts(ann, lab, seq, on=str(n % 2 == 0).lower())).status_code == 303
    assert (await reacts(ann, lab, seq, headers=JSON)).status_code == 429


async def test_who_reacted_is_said_in_names_of_today(roomy, ann, bob, lab):
    seq = await ann.says(lab, "tea?")
    for who in (bob, ann):
        await reacts(who, lab, seq)
    await reacts(bob, lab, seq, HEART)
    await bob.post("/settings/profile", {"name": "Robert Baker", "hue": "3"})
    path = f"/rooms/{lab}/messages/{seq}/reactions"
    said = (await ann.get(path, headers=JSON)).json()["said"]
    assert said == {THUMB: "You and Robert Baker", HEART: "Robert Baker"}
    for headers in ({}, HTMX):
        page = pages.read((await ann.get(path, headers=headers)).text)
        assert [each.text for each in page.one("ul", class_="people").all("bdi")] == [
            "Robert Baker",
            "Ann Archer",
        ]
    people = pages.read((await ann.get(f"{path}?emoji={HEART}&page=9")).text).one(
        "ul", class_="people"
    )
    assert [each.text for each in people.all("bdi")] == ["Robert Baker"]
    assert (await ann.get(f"/rooms/{lab}/messages/1/reactions")).status_code == 404
    other = await ann.says(lab, "nothing yet")
    empty = await ann.get(f"/rooms/{lab}/messages/{other}/reactions?emoji=x")
    assert "Nobody has reacted" in empty.text


async def test_in_a_crowd_everybody_still_sees_their_own(roomy, ann, bob, lab, monkeypatch):
    monkeypatch.setattr(reactions, "LISTED_MOST", 1)
    cat = await somebody(roomy, "Cat Carver")
    await cat.joins(lab)
    seq = await ann.says(lab, "tea?")
    for who in (ann, bob):
        await reacts(who, lab, seq)
    assert await chips(bob, lab, seq) == [(THUMB, 2, True)]
    assert await chips(cat, lab, seq) == [(THUMB, 2, False)]
    page = pages.read((await bob.get(f"/rooms/{lab}/messages?before=99", headers=HTMX)).text)
    (chip,) = page.all("button", class_="reaction")
    assert (chip.attributes["aria-pressed"], chip.attributes["value"]) == ("true", "false")
    answer = await bob.get(f"/rooms/{lab}/mine?crowded={seq},1,x,{'9' * 40}")
    assert answer.json()["reactions"] == {str(seq): [THUMB], "1": []}
    said = (await cat.get(f"/rooms/{lab}/messages/{seq}/reactions", headers=JSON)).json()["said"]
    assert said == {THUMB: "Ann Archer and 1 other"}
    async with bob.socket() as other:
        await reacts(bob, lab, seq, on="false")
        await reacts(bob, lab, seq)
        frame = await other.receive_json("mine")
        assert frame == {
            "type": "mine",
            "room": lab,
            "seq": seq,
            "reactions": [THUMB],
            "bookmarked": False,
        }
    assert services(roomy).writer.depth() == 0


async def test_a_reaction_comes_live_as_the_row_changed_and_nobody_has_news(ann, bob, lab):
    seq = await ann.says(lab, "tea?")
    async with bob.socket() as socket:
        epoch = (await socket.receive_json("hello"))["epoch"]
        await socket.send_json({"type": "watch", "room": lab, "cursor": f"{epoch}:{seq}"})
        await socket.receive_json("watching")
        await socket.send_json({"type": "follow"})
        await socket.receive_json("following")
        await reacts(ann, lab, seq)
        assert (await socket.receive_json("news"))["rows"] == []
        frame = await socket.receive_json("changes")
        assert (frame["from"], frame["seq"]) == (seq, seq + 1)
        (chip,) = pages.read(frame["html"]).all("button", class_="reaction")
        assert chip.attributes["data-sign"] == THUMB
        assert chip.attributes["aria-pressed"] == "false", "one HTML for all"
