"""Opening rooms, and what they may be called."""

import asyncio

from tests.routes import pages
from tests.routes.people import HTMX, somebody
from tests.routes.test_names import UNSEEN


async def test_who_opens_a_room_is_in_it_and_owns_it(ann):
    room = await ann.opens("Lab", "What we found out")
    page = await ann.sees(room)
    assert pages.read(page).one("h1").text.strip() == "Lab"
    assert "What we found out" in page
    assert pages.events(page) == ["created"]
    assert pages.members(page) == pages.owners(page) == ["Ann Archer"]
    assert "Lab" in (await ann.get("/sidebar", headers=HTMX)).text


async def test_the_start_page_leads_to_the_room_where_something_happened_last(ann, bob, lab):
    other = await ann.opens("Other")
    assert (await ann.get("/")).headers["location"] == f"/rooms/{other}"
    await bob.says(lab, "hello")
    assert (await ann.get("/")).headers["location"] == f"/rooms/{lab}"


async def test_of_twenty_who_open_one_room_at_once_one_wins_and_the_others_keep_their_words(site):
    spellings = ["Tea", "tea", " Tea ", "\uff34\uff45\uff41", "TEA"]
    people = [await somebody(site) for _ in range(20)]
    answers = await asyncio.gather(
        *(
            person.post("/rooms", {"name": spellings[number % 5], "topic": f"topic {number}"})
            for number, person in enumerate(people)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [303] + [422] * 19
    for number, answer in enumerate(answers):
        if answer.status_code == 422:
            assert "already" in pages.complaint(answer.text, "new-name")
            assert pages.typed(answer.text, "new-name") == spellings[number % 5]
            assert pages.typed(answer.text, "new-topic") == f"topic {number}"
    listing = pages.read((await people[0].get("/rooms")).text)
    assert len(listing.all("li", class_="list-row")) == 1


SAME_AS_TEA = ["tea", " Tea ", "\uff34\uff45\uff41", "T\u200dea", "Tea\ufe0f", "te\u24d0"]


async def test_a_name_that_differs_in_nothing_one_can_see_is_taken(ann):
    await ann.opens("Tea")
    for name in SAME_AS_TEA:
        answer = await ann.post("/rooms", {"name": name})
        assert answer.status_code == 422, ascii(name)
        assert "a room with this name already" in pages.complaint(answer.text, "new-name")


async def test_a_room_cannot_be_renamed_to_it_either(ann):
    await ann.opens("Tea")
    room = await ann.opens("Coffee")
    for name in SAME_AS_TEA:
        answer = await ann.post(f"/rooms/{room}/settings", {"name": name, "topic": "hot"})
        assert answer.status_code == 422, ascii(name)
        assert "a room with this name already" in pages.complaint(answer.text, "room-name")
        assert pages.typed(answer.text, "room-name") == name
        assert pages.typed(answer.text, "room-topic") == "hot"


async def test_rooms_may_be_called_what_people_call_them(ann):
    for name in ["A", "x" * 80, "C++ & <b>", "общая", "茶", "100%", "a_b", "#1", "🍵"]:
        room = await ann.opens(name)
        assert pages.read(await ann.sees(room)).one("h1").text.strip() == name
        assert pages.read(await ann.sees(room)).one("title").text.startswith(name)


async def test_a_name_must_show_something(ann):
    for name in ["", "   ", "\t\r\n", *(sign * 2 for sign in UNSEEN)]:
        answer = await ann.post("/rooms", {"name": name, "topic": "kept"})
        assert answer.status_code == 422, ascii(name)
        assert pages.complaint(answer.text, "new-name")
        assert pages.typed(answer.text, "new-topic") == "kept"


async def test_a_name_holds_nothing_that_turns_or_hides_what_stands_beside_it(ann):
    for name in ["\u2067room", "ro\u202eom", "Tea\u200b", "a\0b", "a\x1bb", "a\ufeff"]:
        answer = await ann.post("/rooms", {"name": name})
        assert answer.status_code == 422, ascii(name)
        assert "control or invisible" in pages.complaint(answer.text, "new-name")


async def test_a_name_has_at_most_80_characters_and_a_topic_250(ann):
    answer = await ann.post("/rooms", {"name": "n" * 81, "topic": "t" * 251})
    assert "at most 80" in pages.complaint(answer.text, "new-name")
    assert "at most 250" in pages.complaint(answer.text, "new-topic")
    assert pages.typed(answer.text, "new-name") == "n" * 81
    assert pages.typed(answer.text, "new-topic") == "t" * 251
    await ann.opens("n" * 80, "t" * 250)


async def test_a_topic_is_one_line(ann):
    room = await ann.opens("Lab", " first \r\n second\tthird ")
    assert "first second third" in await ann.sees(room)
