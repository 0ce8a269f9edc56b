"""Bookmarks over HTTP, and what a person's other windows hear of them."""

import pytest

from tests.routes import pages
from tests.routes.people import HTMX, JSON, Person, somebody


@pytest.fixture
async def ann(roomy) -> Person:
    return await somebody(roomy, "Ann Archer")


@pytest.fixture
async def lab(ann) -> int:
    return int(await ann.opens("Lab"))


async def mark(who, room, seq, on="true", **given):
    return await who.post(f"/rooms/{room}/messages/{seq}/bookmark", {"on": on}, **given)


async def listed(who):
    page = pages.read((await who.get("/bookmarks")).text)
    return [each.text for each in page.all("p", class_="inbox-text")]


async def test_a_bookmark_is_on_the_row_for_its_owner_only_and_in_all_their_windows(
    roomy, ann, lab
):
    bob = await somebody(roomy, "Bob Baker")
    await bob.joins(lab)
    seq = await ann.says(lab, "the plan")
    async with ann.socket() as window, bob.socket() as other:
        assert (await mark(ann, lab, seq, headers=JSON)).json() == {}
        frame = await window.receive_json("mine")
        assert (frame["room"], frame["seq"], frame["bookmarked"]) == (lab, seq, True)
        await other.receive_json("hello")
        await other.silence(0.15)
    for who, theirs in ((ann, True), (bob, False)):
        row = pages.read(await who.sees(lab)).one("article", id=f"m-{seq}")
        assert ("is-bookmarked" in row.classes, "aria-description" in row.attributes) == (
            theirs,
            theirs,
        )
        answer = await who.get(f"/rooms/{lab}/mine?from=1&to=99")
        assert answer.json()["bookmarks"] == ([seq] if theirs else [])
    html = (await ann.get(f"/rooms/{lab}/messages?before=99", headers=HTMX)).text
    assert "is-bookmarked" in pages.read(html).one("article", id=f"m-{seq}").classes


async def test_the_page_lists_them_and_lets_them_go(ann, lab):
    seqs = [await ann.says(lab, body) for body in ("one", "two")]
    for seq in seqs:
        answer = await mark(ann, lab, seq)
        assert answer.headers["location"] == f"/rooms/{lab}?around={seq}#m-{seq}"
    assert sorted(await listed(ann)) == ["one", "two"]
    page = pages.read((await ann.get("/bookmarks")).text)
    form = page.all("form", class_="list-action")[0]
    fields = {each.attributes["name"]: each.attributes["value"] for each in form.all("input")}
    assert (await ann.post(form.attributes["action"], fields)).headers["location"] == "/bookmarks"
    (left,) = await listed(ann)
    assert left in {"one", "two"}
    for seq in seqs:
        answer = await mark(ann, lab, seq, "false", headers=HTMX)
        assert (answer.status_code, answer.text) == (200, "")
    assert await listed(ann) == []
    assert (await ann.get("/bookmarks?page=9")).headers["location"] == "/bookmarks?page=1"


async def test_nothing_of_a_room_is_told_to_who_has_left_it(roomy, ann, lab):
    bob = await somebody(roomy, "Bob Baker")
    await bob.joins(lab)
    seq = await ann.says(lab, "the safe opens with 4711")
    await mark(bob, lab, seq)
    assert await listed(bob) == ["the safe opens with 4711"]
    await bob.leaves(lab)
    assert await listed(bob) == []
    assert (await mark(bob, lab, seq)).status_code == 403
    await bob.joins(lab)
    assert await listed(bob) == ["the safe opens with 4711"]
