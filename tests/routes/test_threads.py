"""The pane of a thread, its bell, and the page of threads."""

from tests.domain import world
from tests.routes import pages
from tests.routes.people import HTMX, Person, services
from tests.routes.test_replies import answers


def thread_of(html: str) -> pages.Element:
    return pages.read(html).one("aside", id="thread")


def said(pane: pages.Element) -> list[str]:
    return [body.text for body in pane.all("div", class_="msg-body")]


async def sees(person: Person, room: int, seq: int, **query: int) -> pages.Element:
    """The pane as scripts ask for it."""
    answer = await person.get(f"/rooms/{room}/threads/{seq}", params=query, headers=HTMX)
    assert answer.status_code == 200, answer.text
    return pages.read(answer.text)


async def waits(person: Person, room: int) -> tuple[int, int]:
    """Unread messages, and threads with some."""
    row = pages.read((await person.get("/sidebar")).text).one("a", href=f"/rooms/{room}")
    return int(row.attributes["data-unread"]), int(row.attributes["data-threads"])


async def listed(person: Person) -> list[str]:
    page = pages.read((await person.get("/threads")).text)
    return [item.one("h2").one("bdi").text for item in page.all("li", class_="list-row")]


async def test_under_a_message_stands_its_thread(ann, bob, lab):
    asked = await ann.says(lab, "Tea?")
    assert pages.read(await ann.sees(lab)).all("a", class_="thread-link") == []
    first = await answers(bob, lab, asked, "Yes.")
    (link,) = pages.read(await ann.sees(lab)).all("a", class_="thread-link")
    assert link.attributes["href"] == f"/rooms/{lab}/threads/{asked}"
    assert link.one("b").text == "1 reply"
    await answers(ann, lab, first, "Good.")
    (link,) = pages.read(await ann.sees(lab)).all("a", class_="thread-link")
    assert link.one("b").text == "2 replies"
    assert [face.text for face in link.all("span", class_="avatar")] == ["BB", "AA"]


async def test_the_pane_has_the_thread_and_nothing_else(ann, bob, lab):
    asked = await ann.says(lab, "Tea?")
    first = await answers(bob, lab, asked, "Yes.")
    await ann.says(lab, "something else")
    await answers(ann, lab, first, "Good.")
    for seq in (asked, first):
        pane = (await sees(bob, lab, seq)).one("aside", id="thread")
        assert said(pane) == ["Tea?", "Yes.", "Good."]
        assert "2 replies" in pane.text
    quotes = [
        quote for quote in pane.all("a", class_="reply-ref") if "hidden" not in quote.attributes
    ]
    assert [quote.one("span").text for quote in quotes] == ["Yes."]
    alone = await ann.says(lab, "nobody answers")
    pane = await sees(bob, lab, alone)
    assert said(pane) == ["nobody answers"]
    assert "No replies yet" in pane.text


async def test_no_id_is_on_a_page_twice(ann, bob, lab):
    asked = await ann.says(lab, "Tea?")
    await answers(bob, lab, asked, "Yes.")
    html = (await bob.get(f"/rooms/{lab}/threads/{asked}")).text
    found = [e.attributes["id"] for e in pages.read(html).everything() if "id" in e.attributes]
    assert len(found) == len(set(found))
    for row in thread_of(html).all("article"):
        assert row.attributes["aria-labelledby"] in found


async def test_long_threads_come_in_pages_from_their_end(ann, bob, lab):
    asked = await ann.says(lab, "Tea?")
    for n in range(53):
        await answers(bob, lab, asked, f"{n}.")
    pane = await sees(ann, lab, asked)
    assert said(pane)[:2] == ["Tea?", "3."]
    assert "53 replies" in pane.text
    link = pane.one("a", class_="older")
    older = await ann.get(link.attributes["hx-get"], headers=HTMX)
    assert said(pages.read(older.text)) == ["0.", "1.", "2."]
    assert "older" not in older.text
    page = (await ann.get(link.attributes["href"])).text
    assert said(thread_of(page)) == ["Tea?", "0.", "1.", "2."]


async def test_without_scripts_a_thread_is_a_page_with_a_box(ann, bob, lab):
    asked = await ann.says(lab, "Tea?")
    pane = thread_of((await bob.get(f"/rooms/{lab}/threads/{asked}")).text)
    form = pane.one("form", class_="composer")
    hidden = form.all("input", type="hidden")
    fields = {field.attributes["name"]: field.attributes["value"] for field in hidden}
    sent = await bob.post(form.attributes["action"], {**fields, "body": "Yes."})
    assert sent.status_code == 303
    place = sent.headers["location"]
    assert place.startswith(f"/rooms/{lab}/threads/{asked}#t-")
    page = (await bob.get(place)).text
    assert said(thread_of(page)) == ["Tea?", "Yes."]
    assert f'id="{place.partition("#")[2]}"' in page
    refused = await bob.post(form.attributes["action"], {**fields, "key": "none", "body": "Mine"})
    assert (refused.status_code, "Mine" in refused.text) == (422, True)


async def test_what_is_new_in_a_thread_is_counted_until_it_is_seen(ann, bob, lab):
    asked = await ann.says(lab, "Tea?")
    last = await answers(bob, lab, asked)
    assert await waits(ann, lab) == (1, 1)
    link = pages.read((await ann.get("/rooms")).text).one("a", href="/threads")
    assert link.text == "Threads1 with unread replies"
    await sees(ann, lab, asked)
    assert await waits(ann, lab) == (1, 1), "a script may ask for what nobody looks at"
    seen = await ann.post(f"/rooms/{lab}/threads/{asked}/read", {"upto": str(last)})
    assert seen.status_code == 204
    assert await waits(ann, lab) == (1, 0), "in the room it is unread all the same"
    await answers(bob, lab, asked)
    await ann.get(f"/rooms/{lab}/threads/{asked}")
    assert await waits(ann, lab) == (2, 0)
    await answers(bob, lab, asked)
    assert await waits(ann, lab) == (3, 1)
    await ann.post(f"/rooms/{lab}/read")
    assert await waits(ann, lab) == (0, 0)


async def test_nobody_reads_ahead(ann, bob, lab):
    asked = await ann.says(lab, "Tea?")
    await answers(bob, lab, asked)
    await ann.post(f"/rooms/{lab}/threads/{asked}/read", {"upto": "999999"})
    await answers(bob, lab, asked)
    assert (await waits(ann, lab))[1] == 1
    for upto in ("", "x", "-1"):
        answer = await ann.post(f"/rooms/{lab}/threads/{asked}/read", {"upto": upto})
        assert answer.status_code == 204


async def test_the_bell_follows_and_leaves_a_thread(ann, bob, cat, lab):
    await cat.joins(lab)
    asked = await ann.says(lab, "Tea?")
    path = f"/rooms/{lab}/threads/{asked}"

    async def bell() -> str:
        pane = await sees(cat, lab, asked)
        return pane.one("button", title="Notify me of replies").attributes["aria-pressed"]

    assert await bell() == "false"
    answer = await cat.post(f"{path}/follow", {"follow": "on"}, headers=HTMX)
    assert 'aria-pressed="true"' in answer.text
    await answers(bob, lab, asked)
    assert (await waits(cat, lab))[1] == 1
    assert await listed(cat) == [ann.name]
    answer = await cat.post(f"{path}/follow", {"follow": "off"})
    assert answer.headers["location"] == path
    assert await bell() == "false"
    assert (await waits(cat, lab))[1] == 0
    assert await listed(cat) == []


async def test_a_follower_is_told_at_once_in_all_their_windows(ann, bob, lab):
    asked = await ann.says(lab, "Tea?")
    async with ann.socket() as socket:
        await socket.receive_json("hello")
        await answers(bob, lab, asked)
        frame = await socket.receive_json("unread")
        assert (frame["unread"], frame["threads"]) == (1, 1)
        await ann.post(f"/rooms/{lab}/threads/{asked}/read", {"upto": "99"})
        frame = await socket.receive_json("unread")
        assert (frame["unread"], frame["threads"]) == (1, 0)


async def test_who_left_has_no_threads_of_the_room(ann, bob, lab):
    asked = await ann.says(lab, "a secret")
    await answers(bob, lab, asked)
    assert await listed(bob) == [ann.name]
    await bob.leaves(lab)
    assert await listed(bob) == []
    for method, path in (("GET", ""), ("POST", "/follow"), ("POST", "/read")):
        answer = await bob.client.request(method, f"/rooms/{lab}/threads/{asked}{path}")
        assert (answer.status_code, "a secret" in answer.text) == (403, False)


async def test_a_thread_of_nothing_is_missing(ann, lab):
    for seq in (1, 99, 10**15):
        assert (await ann.get(f"/rooms/{lab}/threads/{seq}")).status_code == 404
        assert (await ann.post(f"/rooms/{lab}/threads/{seq}/follow")).status_code == 404


async def test_a_thread_outlives_its_first_message(ann, bob, lab, site):
    asked = await ann.says(lab, "a secret")
    await answers(bob, lab, asked, "Yes.")
    await world.changes(services(site).database, lab, asked, kind="deleted", body="")
    page = (await bob.get(f"/rooms/{lab}/threads/{asked}")).text
    assert "a secret" not in page
    assert said(thread_of(page))[-1] == "Yes."
    assert "Deleted message" in (await bob.get("/threads")).text


async def test_what_is_the_readers_own_is_on_the_rows_of_a_pane(ann, bob, lab):
    asked = await ann.says(lab, "Tea?")
    first = await answers(bob, lab, asked, "Yes.")
    for seq in (asked, first):
        assert (await bob.post(f"/rooms/{lab}/messages/{seq}/bookmark", {"on": "true"})).is_redirect
    reaction = {"emoji": "👍", "on": "true"}
    assert (await bob.post(f"/rooms/{lab}/messages/{first}/react", reaction)).is_redirect
    for reader, marked, pressed in ((bob, [True, True], "true"), (ann, [False, False], "false")):
        pane = await sees(reader, lab, asked)
        assert ["is-bookmarked" in row.classes for row in pane.all("article")] == marked
        chip = pane.one("button", class_="reaction")
        assert chip.attributes["aria-pressed"] == pressed


async def test_without_scripts_a_thread_leads_to_the_pages_that_change_its_messages(ann, bob, lab):
    asked = await ann.says(lab, "Tea?")
    first = await answers(bob, lab, asked, "Yes.")
    address = f"/rooms/{lab}/threads/{asked}"
    plain = thread_of((await bob.get(address)).text)
    assert f"{address}?links=1" in [
        link.attributes.get("href") for link in plain.one("noscript").all("a")
    ]
    row = thread_of((await bob.get(f"{address}?links=1")).text).one("article", id=f"t-{first}")
    there = [link.attributes["href"] for link in row.all("a", class_="text-link")]
    assert there == ["#reply", f"/rooms/{lab}/messages/{first}/edit"]
