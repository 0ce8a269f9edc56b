"""Reading what was said: pages of history in both directions."""

from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from sqlalchemy import update

from chatapp import fragments
from chatapp.domain import messages as log
from chatapp.domain.messages import PAGE
from chatapp.tables import messages
from tests.routes import pages
from tests.routes.people import HTMX, Person, services, somebody


async def chat(person: Person, room: int, count: int) -> None:
    """Over the socket, which takes many at once."""
    async with person.socket() as socket:
        for number in range(count):
            post = {"type": "post", "room": room, "key": str(uuid4())}
            await socket.send_json({**post, "body": f"message {number}"})
        for _ in range(count):
            await socket.receive_json("ack")


def link(html: str, kind: str) -> str | None:
    found = pages.read(html).all("a", class_=kind)
    assert len(found) <= 1
    return found[0].attributes["href"] if found else None


def fragment_link(html: str, kind: str) -> str | None:
    found = pages.read(html).all("a", class_=kind)
    if not found:
        return None
    target = found[0].attributes["hx-get"]
    assert urlsplit(target).query == urlsplit(found[0].attributes["href"]).query
    return target


@pytest.mark.parametrize("count", [0, PAGE - 2, PAGE - 1, PAGE, 2 * PAGE - 1, 2 * PAGE + 7])
async def test_all_of_history_is_read_backwards_and_forwards_without_a_gap(roomy, count):
    """With links, as without scripts, and with the pieces that scripts ask for."""
    ann = await somebody(roomy)
    room = await ann.opens("Long")
    await chat(ann, room, count)
    everything = list(range(1, count + 2))

    html = await ann.sees(room)
    assert link(html, "newer") is None
    backwards = [pages.numbers(html)]
    while (older := link(html, "older")) is not None:
        assert "begins here" not in html
        html = (await ann.get(older)).text
        backwards.insert(0, pages.numbers(html))
    assert "begins here" in html
    assert [number for page in backwards for number in page] == everything

    forwards = pages.numbers(html)
    while (newer := link(html, "newer")) is not None:
        assert 'data-newest="false"' in html
        html = (await ann.get(newer)).text
        forwards += pages.numbers(html)
    assert 'data-newest="true"' in html
    assert forwards == everything

    html = await ann.sees(room)
    pieces = [pages.numbers(html)]
    while (older := fragment_link(html, "older")) is not None:
        html = (await ann.get(older, headers=HTMX)).text
        assert link(html, "newer") is None
        pieces.insert(0, pages.numbers(html))
    assert [number for piece in pieces for number in piece] == everything

    html = (await ann.get(f"/rooms/{room}/messages?after=0", headers=HTMX)).text
    ahead = pages.numbers(html)
    while (newer := fragment_link(html, "newer")) is not None:
        html = (await ann.get(newer, headers=HTMX)).text
        assert link(html, "older") is None
        ahead += pages.numbers(html)
    assert ahead == everything


async def test_what_is_said_while_somebody_reads_back_shifts_nothing(roomy):
    ann = await somebody(roomy)
    room = await ann.opens("Long")
    await chat(ann, room, 120)
    html = await ann.sees(room)
    seen = pages.numbers(html)
    while (older := fragment_link(html, "older")) is not None:
        await chat(ann, room, 3)
        html = (await ann.get(older, headers=HTMX)).text
        seen = pages.numbers(html) + seen
    assert seen == list(range(1, 122))


async def test_a_link_to_a_message_shows_it_with_its_surroundings(roomy):
    ann = await somebody(roomy)
    room = await ann.opens("Long")
    await chat(ann, room, 130)
    for number in (1, 2, 26, 66, 120, 131):
        html = (await ann.get(f"/rooms/{room}?around={number}")).text
        shown = pages.numbers(html)
        assert number in shown
        assert shown == list(range(shown[0], shown[-1] + 1))
        assert (link(html, "older") is None) == (shown[0] == 1)
        assert (link(html, "newer") is None) == (shown[-1] == 131)
    middle = (await ann.get(f"/rooms/{room}?around=66")).text
    assert pages.numbers(middle)[0] < 66 - 20
    assert pages.numbers(middle)[-1] > 66 + 20


ODD_PLACES = [
    "before=0", "after=0", "around=0", "after=999999999999999", "before=999999999999999",
    "around=999999999999999", "before=-1", "before=x", "before=", "before=1e3", "before=%00", "before=١",
    "before=" + "9" * 400, "before=3&after=1&around=2", "q=1",
]  # fmt: skip


@pytest.mark.parametrize("path", ["", "/messages"])
async def test_an_odd_place_in_history_is_still_an_answer(bob, lab, path):
    for query in ODD_PLACES:
        answer = await bob.get(f"/rooms/{lab}{path}?{query}", headers=HTMX if path else {})
        assert answer.status_code == 200, query
        shown = pages.numbers(answer.text)
        assert shown == sorted(set(shown)), query
        for following in (link(answer.text, "older"), link(answer.text, "newer")):
            if following is not None:
                assert following.rpartition("=")[2].isdigit(), f"{query} leads to {following}"
                assert (await bob.get(following)).status_code == 200


async def test_without_scripts_a_piece_of_history_is_the_page_at_that_place(bob, lab):
    answer = await bob.get(f"/rooms/{lab}/messages?before=2")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/rooms/{lab}?before=2")


async def test_a_room_looks_the_same_after_a_reload(ann, bob, lab):
    for number in range(5):
        await bob.says(lab, f"message {number}")
        await ann.says(lab, f"answer {number}")

    def rows(html: str) -> list[str]:
        return [row.text for row in pages.read(html).all("article", class_="msg")]

    assert rows(await ann.sees(lab)) == rows(await ann.sees(lab)) == rows(await bob.sees(lab))


async def test_days_begin_at_the_readers_midnight(ann, lab):
    first, second = await ann.says(lab, "half past eleven"), await ann.says(lab, "a quarter later")
    for number, at in ((first, 1_768_476_600_000), (second, 1_768_477_500_000)):
        async with services(ann.site).database.transaction() as tx:
            await tx.execute(update(messages).where(messages.c.seq == number).values(at=at))

    async def days(zone: str) -> list[str]:
        ann.client.cookies.set("tz", zone)
        html = await ann.sees(lab)
        ann.client.cookies.delete("tz")
        page = pages.read(html)
        assert (
            page.one(id=f"m-{first}").one("time").attributes["datetime"] == "2026-01-15T11:30:00Z"
        )
        sections = page.all("section", class_="day")
        return [
            day.attributes["data-day"]
            for number in (first, second)
            for day in sections
            if day.all(id=f"m-{number}")
        ]

    assert await days("UTC") == ["2026-01-15"] * 2
    assert await days("Pacific/Auckland") == ["2026-01-16"] * 2
    assert await days("America/Los_Angeles") == ["2026-01-15"] * 2
    assert await days("Asia/Kathmandu") == ["2026-01-15"] * 2
    assert await days("Asia%2FTokyo") == ["2026-01-15"] * 2


async def test_an_unknown_time_zone_is_read_as_utc(ann, lab):
    for zone in [
        "",
        "Nowhere/City",
        "../../etc/passwd",
        "/etc/passwd",
        "Europe",
        "x" * 5000,
        "a%00",
        "<b>",
        "tzdata.zi",
        "..",
        "__init__.py",
        "UTC\\",
        "ÿ",
    ]:
        answer = await ann.get(
            f"/rooms/{lab}", headers={"Cookie": f"sid={ann.cookie}; tz={zone}".encode()}
        )
        assert answer.status_code == 200, ascii(zone)


async def test_opening_a_busy_room_reads_and_renders_nothing_twice(site, monkeypatch):
    ann = await somebody(site)
    room = await ann.opens()
    for number in range(5):
        await ann.says(room, f"words {number}")
    first = pages.bodies(await ann.sees(room))
    rendered = []
    fill = fragments._Mould.fill

    def counted(mould, message, html):
        rendered.append(message.body)
        return fill(mould, message, html)

    monkeypatch.setattr(fragments._Mould, "fill", counted)
    monkeypatch.setattr(log, "latest", None)  # whoever calls them fails
    monkeypatch.setattr(log, "newest", None)
    assert pages.bodies(await ann.sees(room)) == first
    assert rendered == []
    await ann.says(room, "one more")
    assert pages.bodies(await ann.sees(room)) == [*first, "one more"]
    assert rendered == ["one more"]


async def test_a_page_never_shows_less_than_is_stored(site, monkeypatch):
    """Another process stored it: this one's memory of the room is behind, and is not believed."""
    ann = await somebody(site)
    room = await ann.opens()
    await ann.says(room, "here")
    await ann.sees(room)
    monkeypatch.setattr(type(services(site).tails), "advance", lambda *_: None)
    await ann.says(room, "elsewhere")
    assert pages.bodies(await ann.sees(room)) == ["here", "elsewhere"]
