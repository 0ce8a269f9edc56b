"""Answering over HTTP and over the socket."""

from uuid import uuid4

from tests.domain import world
from tests.routes import pages
from tests.routes.people import Person, services


def quotes(html: str) -> list[tuple[str, str]]:
    """Whom and what the answers on a page quote."""
    return [
        (quote.one("bdi").text, quote.one("span").text)
        for quote in pages.read(html).all("a", class_="reply-ref")
    ]


async def answers(person: Person, room: int, reply: int, body: str = "Gladly.") -> int:
    answer = await person.tries_to_say(room, body, reply=str(reply))
    assert answer.status_code == 200, answer.text
    return int(answer.json()["seq"])


async def test_an_answer_is_a_message_that_leads_to_what_it_answers(ann, bob, lab):
    asked = await ann.says(lab, "**Earl Grey** at four?")
    await answers(bob, lab, asked)
    page = await ann.sees(lab)
    assert pages.bodies(page) == ["Earl Grey at four?", "Gladly."]
    assert quotes(page) == [(ann.name, "Earl Grey at four?")]
    (link,) = pages.read(page).all("a", class_="reply-ref")
    assert link.attributes["href"] == f"/rooms/{lab}?around={asked}#m-{asked}"


async def test_over_the_socket_as_well(ann, bob, lab):
    asked = await ann.says(lab, "Tea?")
    async with bob.socket() as socket:
        for reply, kind in ((asked, "ack"), (99, "refused"), (-1, "refused"), (2**60, "refused")):
            key = str(uuid4())
            frame = {"type": "post", "room": lab, "key": key, "body": "Yes.", "reply": reply}
            await socket.send_json(frame)
            answer = await socket.receive_json(kind)
            assert answer["key"] == key
            assert answer.get("code", "reply_gone") == "reply_gone"
    assert quotes(await ann.sees(lab)) == [(ann.name, "Tea?")]


async def test_without_scripts_an_address_opens_the_box_for_an_answer(ann, bob, lab):
    asked = await ann.says(lab, "Tea <b>?")
    page = pages.read((await bob.get(f"/rooms/{lab}?reply={asked}")).text)
    form = page.one("form", class_="composer")
    assert f"Answering {ann.name}: Tea <b>?" in form.one(id="answering").text
    fields = {
        field.attributes["name"]: field.attributes["value"]
        for field in form.all("input")
        if "name" in field.attributes
    }
    assert fields["reply"] == str(asked)
    answer = await bob.post(form.attributes["action"], {**fields, "body": "Yes."})
    assert answer.status_code == 303
    assert quotes(await ann.sees(lab)) == [(ann.name, "Tea <b>?")]


async def test_a_link_for_each_message_leads_there(ann, bob, lab):
    asked = await ann.says(lab, "Tea?")
    page = await bob.sees(lab)
    assert "links=1" in page, "inside noscript"
    assert f"?reply={asked}" not in page
    page = (await bob.get(f"/rooms/{lab}?links=1")).text
    assert f'href="?reply={asked}#composer"' in page


async def test_a_box_for_an_answer_to_nothing_is_a_plain_box(ann, lab):
    for reply in ("1", "99", "x", "-1", "9" * 40):
        page = pages.read((await ann.get(f"/rooms/{lab}?reply={reply}")).text)
        assert page.one("form", class_="composer").all(id="answering") == []


async def test_a_refused_answer_comes_back_with_its_words_and_what_it_answers(ann, bob, lab):
    asked = await ann.says(lab, "Tea?")
    form = {"key": "no key", "body": "My words", "reply": str(asked)}
    refused = await bob.post(f"/rooms/{lab}/messages", form)
    page = pages.read(refused.text)
    assert refused.status_code == 422
    assert "My words" in page.one("textarea").text
    assert page.one("input", name="reply").attributes["value"] == str(asked)


async def test_words_for_an_answer_to_nothing_come_back_and_go_out_the_next_time(ann, bob, lab):
    form = {"key": str(uuid4()), "body": "My words", "reply": "99"}
    refused = await bob.post(f"/rooms/{lab}/messages", form)
    page = pages.read(refused.text)
    assert refused.status_code == 422
    assert "My words" in page.one("textarea").text
    assert "sent without it" in page.one(id="composer-state").text
    box = page.one("form", class_="composer")
    assert box.all("input", name="reply") == []
    key = box.one("input", name="key").attributes["value"]
    again = await bob.post(f"/rooms/{lab}/messages", {"key": key, "body": "My words"})
    assert again.status_code == 303
    assert pages.bodies(await ann.sees(lab)) == ["My words"]


async def test_a_message_of_another_room_is_not_quoted(ann, bob, lab):
    den = await bob.opens("Bobs den")
    for n in range(3):
        await bob.says(den, f"secret {n}")
    refused = await ann.tries_to_say(lab, "Yes.", reply="4")
    assert refused.json()["code"] == "reply_gone"
    refused = await ann.tries_to_say(den, "Yes.", reply="3")
    assert (refused.status_code, "secret" in refused.text) == (403, False)
    page = (await ann.get(f"/rooms/{lab}?reply=4")).text
    assert "secret" not in page


async def test_an_answer_counts_as_unread_like_any_message(ann, bob, lab, site):
    asked = await ann.says(lab, "Tea?")
    await answers(bob, lab, asked)
    row = pages.read((await ann.get("/sidebar")).text).one("a", href=f"/rooms/{lab}")
    assert row.attributes["data-unread"] == "1"


async def test_what_was_deleted_is_quoted_no_more(ann, bob, lab, site):
    asked = await ann.says(lab, "a secret")
    await answers(bob, lab, asked)
    assert quotes(await bob.sees(lab)) == [(ann.name, "a secret")]
    await world.changes(services(site).database, lab, asked, kind="deleted", body="")
    page = await bob.sees(lab)
    assert quotes(page) == [(ann.name, "Deleted message")]
    assert "a secret" not in page
