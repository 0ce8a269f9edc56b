"""Links to a message: whole in both directions, whatever the number is, and for whoever follows them."""

import pytest
from sqlalchemy import select

from chatapp.domain import messages
from chatapp.tables import rooms
from tests.routes import pages
from tests.routes.people import HTMX, Person, services, somebody


@pytest.fixture
async def ann(roomy) -> Person:
    return await somebody(roomy, "Ann Archer")


@pytest.fixture
async def lab(ann) -> int:
    return int(await ann.opens("Lab"))


async def change(site, room, seq, **values):
    """As whoever edits or deletes a message does."""
    async with services(site).database.transaction() as tx:
        row = await tx.fetch_one(select(rooms).where(rooms.c.id == room))
        await messages.change(tx, row, seq, **values)


def numbers(page):
    return [
        int(row.attributes["data-seq"])
        for row in page.everything()
        if row.attributes.get("data-seq", "").isdigit()
    ]


def landing(page):
    return page.one("main").attributes["data-landing"]


async def test_from_a_link_all_of_the_room_is_reached_without_gaps_and_once(roomy, ann, lab):
    said = []
    for n in range(130):
        said.append(await ann.says(lab, f"m{n}"))
        if n % 3 == 0:  # a change takes a number, so rows are not numbered one by one
            await ann.post(
                f"/rooms/{lab}/messages/{said[n // 2]}/react", {"emoji": "👍", "on": "true"}
            )
    page = pages.read((await ann.get(f"/rooms/{lab}?around={said[70]}")).text)
    assert landing(page) == f"m-{said[70]}"
    found = numbers(page)
    assert said[70] in found
    for way, number in (("older", min), ("newer", max)):
        links = page.all("a", class_=way)
        while links:
            path = links[0].attributes["hx-get"]
            piece = pages.read((await ann.get(path, headers=HTMX)).text)
            assert number(numbers(piece)) != number(found)
            found += numbers(piece)
            links = piece.all("a", class_=way)
    assert len(found) == len(set(found))
    assert [seq for seq in sorted(found) if seq > 1] == said


async def test_a_link_to_what_was_deleted_opens_at_its_tombstone(roomy, ann, lab):
    seqs = [await ann.says(lab, f"m{n}") for n in range(60)]
    await change(roomy, lab, seqs[10], kind="deleted", body="", reactions=None, pinned_at=None)
    page = pages.read((await ann.get(f"/rooms/{lab}?around={seqs[10]}")).text)
    assert landing(page) == f"m-{seqs[10]}"
    assert (
        page.one("article", id=f"m-{seqs[10]}").one("div", class_="msg-body").text
        == "This message was deleted."
    )
    assert page.all("a", class_="newer")


async def test_a_number_that_shows_nothing_opens_at_the_nearest_that_does(ann, lab):
    seqs = [await ann.says(lab, f"m{n}") for n in range(3)]
    await ann.post(
        f"/rooms/{lab}/messages/{seqs[0]}/pin", {"on": "true"}
    )  # the change, and an event
    await ann.post(
        f"/rooms/{lab}/messages/{seqs[0]}/pin", {"on": "false"}
    )  # the same, and a hidden one
    last = await ann.says(lab, "the last")
    pinned, unpinned = seqs[2] + 2, seqs[2] + 4
    for number, target in {
        1: 1,
        seqs[2] + 1: seqs[2],
        pinned: pinned,
        unpinned - 1: pinned,
        unpinned: pinned,
        last: last,
        last + 1: last,
        10**14: last,
        0: 1,
    }.items():
        page = pages.read((await ann.get(f"/rooms/{lab}?around={number}")).text)
        assert landing(page) == f"m-{target}", number
        assert f"m-{target}" in {row.attributes.get("id") for row in page.everything()}
    link = page.one("article", id=f"m-{last}").one("a", class_="msg-time")
    assert link.attributes["href"] == f"/rooms/{lab}?around={last}#m-{last}"


async def test_who_is_no_member_joins_and_lands_there(roomy, ann, lab):
    seq = await ann.says(lab, "the safe opens with 4711")
    bob = await somebody(roomy, "Bob Baker")
    page = pages.read((await bob.get(f"/rooms/{lab}?around={seq}")).text)
    form = next(each for each in page.all("form") if each.attributes["action"].endswith("/join"))
    fields = {each.attributes["name"]: each.attributes["value"] for each in form.all("input")}
    answer = await bob.post(form.attributes["action"], fields)
    assert answer.headers["location"] == f"/rooms/{lab}?around={seq}#m-{seq}"
    for around in ("", "x", "//evil.example", "9" * 400, "١"):
        answer = await bob.post(f"/rooms/{lab}/join", {"around": around})
        assert answer.headers["location"] == f"/rooms/{lab}"
