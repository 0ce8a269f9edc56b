"""Saying something over HTTP."""

import asyncio
import unicodedata
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from chatapp.tables import MESSAGE_BYTES, MESSAGE_CHARACTERS, messages
from tests.routes import pages
from tests.routes.people import JSON, Person, services, somebody


async def over_the_form(person: Person, room: int, body: str, key: str = "") -> httpx.Response:
    """As a browser without scripts does it."""
    return await person.post(f"/rooms/{room}/messages", {"body": body, "key": key or str(uuid4())})


async def over_the_socket(person: Person, room: int, body: str) -> dict[str, Any]:
    async with person.socket() as socket:
        frame = {"type": "post", "room": room, "key": str(uuid4()), "body": body}
        await socket.send_json(frame)
        while True:
            answer = await socket.receive_json()
            if answer["type"] != "hello":
                return answer


async def test_the_form_leads_to_the_message_that_was_sent(ann, bob, lab):
    answer = await over_the_form(bob, lab, "hello there")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/rooms/{lab}#m-3")
    assert pages.bodies(await ann.sees(lab)) == ["hello there"]


async def test_the_form_of_the_page_itself_sends(bob, lab):
    page = pages.read(await bob.sees(lab))
    form = page.one("form", class_="composer")
    key = form.one("input", name="key").attributes["value"]
    answer = await bob.post(form.attributes["action"], {"key": key, "body": "without scripts"})
    assert answer.status_code == 303
    assert pages.bodies(await bob.sees(lab)) == ["without scripts"]


async def test_a_program_is_told_the_number(bob, lab):
    key = str(uuid4())
    answer = await bob.tries_to_say(lab, "hello", key=key)
    assert answer.json() == {"outcome": "ack", "key": key, "seq": 3}


async def test_a_message_sent_again_is_the_same_message(ann, bob, lab):
    key = str(uuid4())
    first = await bob.tries_to_say(lab, "pay 5", key=key)
    answers = await asyncio.gather(
        *(bob.tries_to_say(lab, "pay 5", key=key) for _ in range(8)),
        over_the_form(bob, lab, "pay 5", key),
        bob.tries_to_say(lab, "pay 5", key=key.upper()),
    )
    seqs = {answer.json()["seq"] for answer in answers if answer.status_code == 200}
    assert seqs == {first.json()["seq"]}
    assert answers[8].headers["location"] == f"/rooms/{lab}#m-{first.json()['seq']}"
    assert pages.bodies(await ann.sees(lab)) == ["pay 5"]


async def test_the_same_words_said_twice_are_two_messages(ann, bob, lab):
    await bob.says(lab, "ok")
    await bob.says(lab, "ok")
    assert pages.bodies(await ann.sees(lab)) == ["ok", "ok"]


async def test_one_key_for_two_messages_is_a_conflict(bob, lab):
    key = str(uuid4())
    await bob.tries_to_say(lab, "one", key=key)
    answer = await bob.tries_to_say(lab, "two", key=key)
    assert answer.status_code == 409
    assert answer.json()["outcome"] == "refused"
    assert (answer.json()["code"], answer.json()["key"]) == ("key_reused", key)
    assert (await over_the_form(bob, lab, "three", key)).status_code == 409
    assert pages.bodies(await bob.sees(lab)) == ["one"]


async def test_two_people_may_have_the_same_key(ann, bob, lab):
    key = str(uuid4())
    await ann.tries_to_say(lab, "one", key=key)
    await bob.tries_to_say(lab, "two", key=key)
    assert pages.bodies(await bob.sees(lab)) == ["one", "two"]


async def test_a_key_is_a_uuid(bob, lab):
    for key in ["", "1", "x" * 36, "\0", "a" * 1000, "ÿ"]:
        answer = await bob.tries_to_say(lab, "hello", key=key)
        assert (answer.status_code, answer.json()["code"]) == (422, "key_invalid"), ascii(key)
        assert pages.bodies(await bob.sees(lab)) == []


async def test_who_is_no_member_says_nothing(cat, bob, lab):
    answer = await cat.tries_to_say(lab, "psst")
    assert answer.status_code == 403
    assert answer.json()["code"] == "not_member"
    assert answer.json()["message"].startswith("You are not a member")
    assert (await over_the_form(cat, lab, "psst")).status_code == 403
    assert (await cat.tries_to_say(999, "psst")).json()["code"] == "room_gone"
    assert pages.bodies(await bob.sees(lab)) == []


async def test_nobody_speaks_as_somebody_else(ann, bob, lab):
    fields = {"author_id": "1", "user": "1", "actor_id": "1", "seq": "1", "at": "0"}
    await bob.tries_to_say(lab, "it was me", **fields)
    assert pages.authors(await ann.sees(lab)) == ["Bob Baker"]


# -- one rule for every way --------------------------------------------------------------

FITS = {
    "4,000 characters": "a" * MESSAGE_CHARACTERS,
    "4,000 emoji of four bytes": "😀" * MESSAGE_CHARACTERS,
    "spaces around are not counted": " " * 100 + "a" * MESSAGE_CHARACTERS + "\n" * 100,
    "line ends count once": "a\r\n" * 1999 + "a",
    "accents are counted composed": "e\u0301" * MESSAGE_CHARACTERS,
    "a family": "👨‍👩‍👧‍👦",
    "Persian with its joiner": "می‌خواهم",
    "Hebrew with numbers": "שלום (42) ann!",
    "an override beside text": "\u202eabc",
    "a tab and a line": "a\tb\n\nc",
    "stacked marks": ("e" + "\u0301" * 50 + "\u0323" * 50) * 15,
    "a noncharacter beside text": "a\ufffe",
    "one digit": "0",
    "a dot": ".",
}
TOO_LONG = {
    "4,001 characters": "a" * (MESSAGE_CHARACTERS + 1),
    "4,001 emoji": "😀" * (MESSAGE_CHARACTERS + 1),
}
INVISIBLE = [
    "", " ", "\n\n", "\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u180e", "\u2800",
    "\u3164", "\u00a0", "\u3000", "\u115f", "\u1160", "\uffa0", "\u034f", "\u17b4", "\ufe0f",
    "\U000e0041", "\u2028", "\u200b\n\u200d \ufeff",
]  # fmt: skip
UNSTORABLE = ["a\0b", "\0", "a\x07b", "\x1b[31m", "a\x7fb", "a\x85b"]


def test_the_limits_are_the_documented_ones():
    assert (MESSAGE_CHARACTERS, MESSAGE_BYTES) == (4000, 16 * 1024)
    assert len(FITS["4,000 emoji of four bytes"].encode()) <= MESSAGE_BYTES


async def test_what_fits_goes_through_on_every_way_and_comes_back_unchanged(ann, bob, lab):
    for body in FITS.values():
        assert (await over_the_form(bob, lab, body)).status_code == 303, ascii(body[:50])
        assert (await bob.tries_to_say(lab, body)).status_code == 200
        assert (await over_the_socket(bob, lab, body))["type"] == "ack"
        shown = pages.bodies(await ann.sees(lab))[-3:]
        wanted = unicodedata.normalize("NFC", body.replace("\r\n", "\n")).strip()
        assert shown == [wanted.replace("\n\n", "\n")] * 3  # a blank line begins a paragraph


async def refused_everywhere(bob: Person, room: int, body: str, code: str) -> None:
    by_form = await over_the_form(bob, room, body)
    assert by_form.status_code == 422, ascii(body[:50])
    assert pages.typed(by_form.text, "composer") == body.replace("\r\n", "\n").replace("\r", "\n")
    assert pages.read(by_form.text).one(id="composer").attributes["aria-invalid"] == "true"
    state = pages.read(by_form.text).one(id="composer-state").text
    by_program = await bob.tries_to_say(room, body)
    assert (by_program.status_code, by_program.json()["code"]) == (422, code)
    by_socket = await over_the_socket(bob, room, body)
    assert (by_socket["type"], by_socket["code"]) == ("refused", code)
    assert state == by_program.json()["message"] == by_socket["message"]
    assert pages.bodies(await bob.sees(room)) == []


async def test_what_is_too_long_is_refused_on_every_way_and_kept(bob, lab):
    for body in TOO_LONG.values():
        await refused_everywhere(bob, lab, body, "message_too_long")


async def test_a_text_is_measured_after_it_was_made_regular(bob, lab):
    """U+0958 is one character as typed and two when composed as Unicode says."""
    await bob.says(lab, "\u0958" * 2000)
    assert (await bob.tries_to_say(lab, "\u0958" * 2001)).json()["code"] == "message_too_long"


async def test_what_shows_nothing_is_not_sent(bob, lab):
    for body in INVISIBLE:
        await refused_everywhere(bob, lab, body, "message_empty")


async def test_control_characters_are_refused(bob, lab):
    for body in UNSTORABLE:
        by_program = await bob.tries_to_say(lab, body)
        assert by_program.status_code == 422, ascii(body)
        assert by_program.json()["code"] == "message_characters"
        assert (await over_the_form(bob, lab, body)).status_code == 422
        assert (await over_the_socket(bob, lab, body))["code"] == "message_characters"
        assert (await over_the_socket(bob, lab, "fine"))["type"] == "ack"


async def test_the_database_would_not_take_more_either(ann, lab):
    """The last of the three checks: in the table itself."""
    for body in ("a" * 4001, "\U0001f600" * 4000 + "a" * 1000):
        with pytest.raises(IntegrityError):
            async with services(ann.site).database.transaction() as tx:
                await tx.execute(
                    insert(messages).values(
                        room_id=lab,
                        seq=99,
                        changed_seq=99,
                        kind="message",
                        author_id=1,
                        body=body,
                        at=0,
                    )
                )


async def test_five_hundred_messages_of_twenty_people_are_stored_once_while_others_read(roomy):
    ann = await somebody(roomy)
    room = await ann.opens("Busy")
    people = [await somebody(roomy) for _ in range(20)]
    for person in people:
        await person.joins(room)

    async def talk(person: Person) -> list[int]:
        return [await person.says(room, f"{person.name} {number}") for number in range(25)]

    async def look(person: Person) -> None:
        for _ in range(5):
            await person.sees(room)

    looking = asyncio.gather(*(look(person) for person in people))
    numbers = await asyncio.gather(*(talk(person) for person in people))
    await looking
    taken = sorted(number for mine in numbers for number in mine)
    assert taken == list(range(22, 522))
    assert all(mine == sorted(mine) for mine in numbers)


async def test_a_program_that_sends_no_form_is_told_so(bob, lab):
    answer = await bob.client.post(
        f"/rooms/{lab}/messages", json={"body": "hello", "key": str(uuid4())}, headers=JSON
    )
    assert answer.status_code == 422
    assert answer.json()["outcome"] == "refused"
