"""Browsing rooms and searching them."""

import unicodedata

from tests.routes import pages
from tests.routes.people import Person, somebody


async def find(person: Person, text: str, **more: str) -> list[str]:
    """The names of the rooms found, in their order."""
    answer = await person.get("/rooms", params={"q": text, **more})
    assert answer.status_code == 200, answer.text
    return names(answer.text)


def names(html: str) -> list[str]:
    return [row.one("h2").text.strip() for row in pages.read(html).all("li", class_="list-row")]


def counts(html: str) -> list[int]:
    return [int(link.one("span").text) for link in pages.read(html).one(id="browse-show").all("a")]


async def test_all_rooms_are_there_with_their_members_counted(ann, bob, lab):
    await ann.opens("Attic")
    html = (await bob.get("/rooms")).text
    assert names(html) == ["Attic", "Lab"]
    assert [("2 members" in row.text) for row in pages.read(html).all("li", class_="list-row")] == [
        False,
        True,
    ]
    assert counts(html) == [2, 1, 1]


async def test_rooms_can_be_narrowed_to_mine_and_to_others(ann, bob, lab):
    await ann.opens("Attic")
    assert await find(bob, "", show="joined") == ["Lab"]
    assert await find(bob, "", show="others") == ["Attic"]
    assert await find(bob, "", show="nonsense") == ["Attic", "Lab"]
    await bob.leaves(lab)
    assert await find(bob, "", show="joined") == []
    assert counts((await bob.get("/rooms")).text) == [2, 0, 2]
    html = (await ann.get("/rooms")).text
    assert "1 member" in html
    assert "2 members" not in html


async def test_names_that_begin_with_the_words_come_first(ann):
    for name in ("Green tea", "Teapots", "a tea", "tea"):
        await ann.opens(name)
    await ann.opens("Kettles", "all about TEA")
    await ann.opens("Cups")
    assert await find(ann, "tea") == ["tea", "Teapots", "a tea", "Green tea", "Kettles"]
    assert await find(ann, "TEA") == await find(ann, "  tea ") == await find(ann, "\uff54ea")
    assert counts((await ann.get("/rooms?q=tea")).text) == [5, 5, 0]


async def test_every_language_is_found_without_regard_to_case(ann):
    names = (
        ("Собрание", "СОБРАНИЕ"),
        ("ПЛАНЁРКА", "планёр"),
        ("会议改到下午三点", "下午"),
        ("会议改到下午三点", "午"),
        ("nai\u0308ve cafe\u0301", "caf\u00e9"),
        ("STRASSE", "straße"),
        ("ΟΔΟΣ", "οδος"),
        ("👍 done", "👍"),
        ("the who", "the"),
    )
    for name in ("Something else", *sorted({name for name, _ in names})):
        await ann.opens(name)
    for name, query in names:
        assert unicodedata.normalize("NFC", name) in await find(ann, query), query
        assert "Something else" not in await find(ann, query)


STORED = {
    "isn't ready": ["isn't", "'"],
    "NOTE: call the plumber": ["NOTE:", "note:"],
    "ask @desk first": ["@desk"],
    "C++ and C#": ["C++", "C#", "AND"],
    "we had 50% off": ["50%", "%"],
    "a-b testing": ["a-b", "a-B"],
    "NEAR the end": ["NEAR"],
    "foo OR bar": ["OR bar", "foo OR"],
    'he said "go"': ['"go"', '"'],
    "ticket (42)": ["(42)", "("],
    "x*y": ["x*y", "*"],
    "user_name": ["user_name", "_"],
    "v1.2.3": ["1.2.3"],
    "path/to/file": ["to/file", "/"],
    "back\\slash": ["\\", "k\\s"],
}
NOTHING = [
    "a AND", "-foo", "foo:bar", "^x", "!", "|", "&", "<->", ":*", "''", "%%", "__", "a%z",
    "u_er", "/_", "\\%", "a" * 5000, "%' OR '1'='1", "'; DROP TABLE rooms; --", "🦖",
]  # fmt: skip


async def test_signs_are_searched_for_and_mean_nothing_else(roomy):
    ann = await somebody(roomy)
    for name in STORED:
        await ann.opens(name)
    for name, queries in STORED.items():
        for query in queries:
            assert await find(ann, query) == [name], query
    for query in NOTHING:
        assert await find(ann, query) == [], query
        assert "No room matches" in (await ann.get("/rooms", params={"q": query})).text
    for query in ("", " ", "\t\n"):
        assert len(await find(ann, query)) == len(STORED), repr(query)


async def test_what_was_searched_for_is_repeated_as_text(ann):
    html = (await ann.get("/rooms", params={"q": '"><script>alert(1)</script>'})).text
    assert pages.typed(html, "browse-q") == '"><script>alert(1)</script>'
    assert "<script>alert" not in html


async def test_every_room_is_on_one_page_of_the_list(roomy):
    ann, bob = await somebody(roomy), await somebody(roomy)
    wanted = [f"Room {number:03}" for number in range(65)]
    for name in wanted:
        await ann.opens(name)
    found = []
    for number in (1, 2, 3):
        html = (await bob.get(f"/rooms?page={number}")).text
        assert f"Page {number} of 3" in html
        assert counts(html) == [65, 0, 65]
        found += names(html)
    assert found == wanted
    assert names((await bob.get("/rooms?page=3")).text) == wanted[60:]
    assert names((await bob.get("/rooms?page=99")).text) == wanted[60:]
    for nonsense in ("0", "-1", "x", "1e9", "9" * 50, "١", ""):
        assert names((await bob.get(f"/rooms?page={nonsense}")).text)[0] in {"Room 000", "Room 060"}
    following = pages.read((await bob.get("/rooms?q=room&show=others")).text).one(
        "nav", class_="pager"
    )
    assert following.one("a").attributes["href"] == "/rooms?show=others&q=room&page=2"
    assert names((await bob.get("/rooms?show=others&q=room&page=2")).text) == wanted[30:60]


async def test_all_members_can_be_found(roomy):
    ann = await somebody(roomy, "Ann 100% Archer")
    room = await ann.opens("Crowd")
    people = [await somebody(roomy) for _ in range(104)]
    for person in people:
        await person.joins(room)
    first = pages.members((await ann.get(f"/rooms/{room}/members")).text)
    second = pages.members((await ann.get(f"/rooms/{room}/members?page=2")).text)
    assert (len(first), len(second)) == (100, 5)
    assert sorted(first + second) == sorted([ann.name, *(person.name for person in people)])
    assert "105" in await ann.sees(room)
    one = people[50].name
    assert pages.members(
        (await ann.get(f"/rooms/{room}/members", params={"q": one.upper()})).text
    ) == [one]
    for query, found in (("100%", [ann.name]), ("%", [ann.name]), ("_", []), ("\0", None)):
        html = (await ann.get(f"/rooms/{room}/members", params={"q": query})).text
        assert found is None or pages.members(html) == found
