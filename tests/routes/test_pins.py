"""Pinned messages over HTTP."""

import pytest

from tests.routes import pages
from tests.routes.people import JSON, Person, somebody


@pytest.fixture
async def ann(roomy) -> Person:
    return await somebody(roomy, "Ann Archer")


@pytest.fixture
async def lab(ann) -> int:
    return int(await ann.opens("Lab"))


async def pin(who, room, seq, on="true", **given):
    return await who.post(f"/rooms/{room}/messages/{seq}/pin", {"on": on}, **given)


async def listed(who, room):
    page = pages.read((await who.get(f"/rooms/{room}/pins")).text)
    return [each.text for each in page.all("p", class_="inbox-text")]


async def test_what_is_pinned_is_listed_counted_marked_and_linked(ann, lab):
    seqs = [await ann.says(lab, body) for body in ("one", "two")]
    for seq in seqs:
        assert (await pin(ann, lab, seq)).headers[
            "location"
        ] == f"/rooms/{lab}?around={seq}#m-{seq}"
    assert await listed(ann, lab) == ["two", "one"]
    page = pages.read(await ann.sees(lab))
    assert page.one("a", class_="pins-link").one("span", class_="num").text == "2"
    assert "data-pinned" in page.one("article", id=f"m-{seqs[0]}").attributes
    told = page.all("p", data_kind="pinned")
    assert [each.all("a")[0].attributes["href"] for each in told] == [
        f"/rooms/{lab}?around={seq}#m-{seq}" for seq in seqs
    ]
    form = pages.read((await ann.get(f"/rooms/{lab}/pins")).text).all("form", class_="list-action")[
        0
    ]
    fields = {each.attributes["name"]: each.attributes["value"] for each in form.all("input")}
    answer = await ann.post(form.attributes["action"], fields)
    assert answer.headers["location"] == f"/rooms/{lab}/pins"
    assert await listed(ann, lab) == ["one"]
    assert (await pin(ann, lab, seqs[0], "false", headers=JSON)).json() == {}
    page = pages.read(await ann.sees(lab))
    assert page.one("a", class_="pins-link").one("span", class_="num").text == "0"
    assert {"hidden" in each.attributes for each in page.all("p", data_kind="unpinned")} == {True}


async def test_who_is_not_in_the_room_pins_and_reads_nothing(roomy, ann, lab):
    seq = await ann.says(lab, "the safe opens with 4711")
    await pin(ann, lab, seq)
    eve = await somebody(roomy)
    assert (await pin(eve, lab, seq, "false")).status_code == 403
    answer = await eve.get(f"/rooms/{lab}/pins")
    assert answer.status_code == 403
    assert "4711" not in answer.text
    assert await listed(ann, lab) == ["the safe opens with 4711"]
