"""Searching over HTTP: the page, its pieces, where a hit leads, and what it must not tell or run."""

import pytest

from chatapp.domain import search
from chatapp.domain.search import Searches, TooSlow
from tests.routes.pages import read
from tests.routes.people import HTMX, Person, somebody


async def looks(who, typed, **options):
    answer = await who.get("/search", params={"q": typed}, **options)
    assert answer.status_code == 200, typed
    return answer.text


def hits(html):
    """Author, room and text of each hit, and its address."""
    return [
        (
            hit.one("b").text,
            hit.one("span", class_="where").all("bdi")[1].text,
            hit.one("span", class_="said").text,
            hit.attributes["href"],
        )
        for hit in read(html).all("a", class_="hit")
    ]


async def test_a_hit_shows_who_where_and_what_and_leads_to_the_message(ann, bob, lab):
    seq = await bob.says(lab, "The **backlash** value is read once, see https://x.example/")
    await bob.says(lab, "something else")
    page = await looks(ann, "backlash")
    where = f"/rooms/{lab}?around={seq}#m-{seq}"
    said = "The backlash value is read once, see https://x.example/"
    assert hits(page) == [("Bob Baker", "Lab", said, where)]
    assert [mark.text for mark in read(page).all("mark")] == ["backlash"]
    assert f'id="m-{seq}"' in (await ann.get(where)).text


async def test_what_formatting_hides_is_shown_when_it_was_looked_for(ann, lab):
    await ann.says(lab, "[the docs](https://x.example/secret-page)")
    assert (
        hits(await looks(ann, "secret-page"))[0][2] == "[the docs](https://x.example/secret-page)"
    )
    assert hits(await looks(ann, "docs"))[0][2] == "the docs"


async def test_a_long_message_is_shown_around_the_first_hit(ann, lab):
    await ann.says(lab, "before " * 200 + "needle 👍🏽 " + "after " * 200)
    ((_, _, text, _),) = hits(await looks(ann, "needle"))
    assert text.startswith("… before")
    assert text.endswith(" …")
    assert len(text) < 320
    page = await looks(ann, "👍")
    assert [mark.text for mark in read(page).all("mark")] == ["👍🏽"]


EVIL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "[a](javascript:alert(1))",
    "&lt;b&gt; &amp;",
    '<div hx-get="/logout" hx-trigger="load">x</div>',
    "</mark></span></a><h1>x",
    "{{ 7 * 7 }} {% raw %}",
]


@pytest.mark.parametrize("evil", EVIL)
async def test_what_people_write_or_look_for_is_never_code(ann, lab, evil):
    mallory = await Person(ann.site, f"M {evil}"[:60], "mallory@people.example").signs_up()
    room = await mallory.opens(evil[:70])
    await ann.joins(room)
    await mallory.says(room, evil)
    for typed in (evil, evil[1:6], f"{evil} in:{evil[:8]}"):
        page = read(await looks(ann, typed))
        results = page.one("div", id="search-results")
        assert not any(results.all(tag) for tag in ("script", "img", "h1"))
        assert len(results.all("svg")) == 0
        assert len(results.all("a")) == len(results.all("a", class_="hit"))
        assert not any("hx-get" in tag.attributes for tag in results.all())
        assert page.one("input", id="search-q").attributes["value"] == typed
    assert any(evil in said or "a" in said for _, _, said, _ in hits(await looks(ann, evil[1:6])))


ODD = ["", " ", "%", "_", "\\", "'", '"', '""', "*", "(", "AND", "a AND", "-foo", "^x", "<->", ":*"]
ODD += ["\0", "a\0b", "from:\0", "in:%", "before:0000", "after:9999-99", "on:2026-02-30", "é" * 300]
ODD += ["a" * 5000, "from:" + "x" * 190, "\u202e", "👍", "in:", '"' * 200, "has:has:link", "; DROP"]


async def test_no_text_is_an_error(roomy):
    ann = await somebody(roomy)
    room = await ann.opens()
    await ann.says(room, "hello")
    for typed in ODD:
        await looks(ann, typed)
        await looks(ann, typed, headers=HTMX)
    for raw in (
        "q=%ff%fe",
        "q=%ed%a0%80",
        "q=a&q=b",
        "before=-1",
        "q=h&before=x",
        f"q=h&before={'9' * 19}",
    ):
        assert (await ann.get(f"/search?{raw}")).status_code == 200
    assert hits(await looks(ann, "HELLO"))


async def test_pages_follow_each_other_with_and_without_scripts(roomy):
    ann = await somebody(roomy)
    room = await ann.opens()
    for n in range(search.PAGE + 3):
        await ann.says(room, f"word {n}")
    first = await looks(ann, "word")
    assert len(hits(first)) == search.PAGE
    more = read(first).one("li", class_="search-more").one("a")
    assert more.attributes["href"] == more.attributes["hx-get"]
    whole = (await ann.get(more.attributes["href"])).text
    rows = (await ann.get(more.attributes["href"], headers=HTMX)).text
    assert "<html" in whole
    assert "<html" not in rows
    assert hits(whole) == hits(rows)
    assert [said for _, _, said, _ in hits(rows)] == ["word 2", "word 1", "word 0"]
    assert not read(rows).all("li", class_="search-more")


async def test_while_somebody_types_only_the_results_come(ann, lab):
    await ann.says(lab, "hello")
    html = await looks(ann, "hell", headers=HTMX)
    assert html.lstrip().startswith('<div id="search-results">')
    assert len(hits(html)) == 1
    assert "Nothing found" in await looks(ann, "heaven", headers=HTMX)
    assert "Nothing found" not in await looks(ann, "  ", headers=HTMX)


async def test_days_are_those_of_the_reader(ann, lab):
    await ann.says(lab, "hello")
    ann.client.cookies.set("tz", "Pacific%2FAuckland")
    assert len(hits(await looks(ann, "on:today"))) == 1
    ann.client.cookies.set("tz", "no/where")
    assert len(hits(await looks(ann, "on:today"))) == 1


async def test_whoever_was_in_a_room_finds_nothing_there_any_more(ann, bob, cat, lab):
    await ann.says(lab, "the safe opens with 4711")
    assert hits(await looks(bob, "4711"))
    await bob.leaves(lab)
    for who in (bob, cat):
        for typed in ("4711", "in:lab", "from:ann"):
            assert hits(await looks(who, typed)) == []
    same = [await looks(cat, typed, headers=HTMX) for typed in ("in:lab", "in:bal")]
    assert (
        same[0].replace("in:lab", "in:bal") == same[1]
    )  # a room that is there, and one that is not


async def test_a_search_that_takes_too_long_is_answered_in_words(ann, lab, monkeypatch):
    async def slow(*_args, **_options):
        raise TooSlow

    monkeypatch.setattr(Searches, "find", slow)
    assert "took too long" in await looks(ann, "hello")
    assert "took too long" in await looks(ann, "hello", headers=HTMX)


async def test_the_way_to_search_is_on_every_page(ann, lab):
    for path in ("/rooms", f"/rooms/{lab}", "/settings"):
        link = read((await ann.get(path)).text).one("a", id="search")
        assert link.attributes["href"] == "/search"
    page = read((await ann.get(f"/rooms/{lab}")).text)
    assert page.one("a", href="/search?q=in%3A%22Lab%22%20").text == "Search in this room"
