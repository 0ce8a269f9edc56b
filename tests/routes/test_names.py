"""Names of people: what they may hold, and which are too much like another."""

from tests.routes import pages
from tests.routes.people import Person, somebody

CLARA_AGAIN = {
    "Cyrillic a": "cl\u0430ra",
    "capital": "Clara",
    "full width": "\uff43\uff4c\uff41\uff52\uff41",
    "space behind": "clara ",
    "full stop behind": "clara.",
    "capital i for l": "cIara",
    "joiner": "clara\u200d",
    "Roman numeral hundred": "\u217dlara",
    "digit one for l": "c1ara",
    "combining dots that are none": "clara\ufe0f",
}


async def test_nobody_can_look_like_clara(site):
    await somebody(site, "clara")
    for name in CLARA_AGAIN.values():
        answer = await Person(site, name, "other@people.example").tries_to_sign_up()
        assert answer.status_code == 422, ascii(name)
        assert "is taken" in pages.complaint(answer.text, "name")
        assert pages.typed(answer.text, "name") == name


async def test_nobody_can_come_to_look_like_clara_later(site):
    await somebody(site, "clara")
    dan = await somebody(site, "Dan")
    for name in CLARA_AGAIN.values():
        answer = await dan.post("/settings/profile", {"name": name, "hue": "2"})
        assert answer.status_code == 422, ascii(name)
        assert "is taken" in pages.complaint(answer.text, "name")


async def test_people_may_have_the_names_they_have(site):
    for name in [
        "\u0438\u0432\u0430\u043d",
        "\u674e\u96f7",
        "jos\u00e9",
        "Ann-Marie O\u2019Neil",
        "שלום",
        "م‌ح",
        "A",
    ]:
        person = await Person(site, name, f"{len(name)}.{ord(name[0])}@people.example").signs_up()
        assert name in (await person.get("/")).text


async def test_some_names_are_for_nobody(site):
    for name in [
        "admin",
        "Administrator",
        "SYSTEM",
        "here",
        "all",
        "everyone",
        "deleted account",
        "\u0430dmin",
    ]:
        answer = await Person(site, name, "someone@people.example").tries_to_sign_up()
        assert answer.status_code == 422, ascii(name)
        assert "reserved" in pages.complaint(answer.text, "name")


UNSEEN = [
    "\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u180e", "\u2800", "\u3164",
    "\u00a0", "\u3000", "\n\n", "\u115f", "\u034f", "\U000e0020",
]  # fmt: skip


async def test_a_name_must_show_something(site):
    for sign in UNSEEN:
        answer = await Person(site, sign * 3, "someone@people.example").tries_to_sign_up()
        assert answer.status_code == 422, ascii(sign)
        assert pages.complaint(answer.text, "name")


async def test_a_name_holds_nothing_that_turns_or_hides_what_stands_beside_it(site):
    for name in [
        "nola\u202e",
        "\u202ealon",
        "ann\u2067x",
        "ann\u200b",
        "ann\0",
        "a\x07b",
        "ann\u200ex",
        "x\ue000",
    ]:
        answer = await Person(site, name, "someone@people.example").tries_to_sign_up()
        assert answer.status_code == 422, ascii(name)
        assert "control or invisible" in pages.complaint(answer.text, "name")


async def test_a_name_has_at_most_64_characters(site):
    answer = await Person(site, "n" * 65, "a@people.example").tries_to_sign_up()
    assert "at most 64" in pages.complaint(answer.text, "name")
    await Person(site, "n" * 64, "a@people.example").signs_up()
    # one character on paper, eighteen when written out
    answer = await Person(site, "\ufdfa" * 4, "b@people.example").tries_to_sign_up()
    assert "at most 64" in pages.complaint(answer.text, "name")


async def test_who_takes_over_a_name_takes_over_nothing_else(lab, ann, bob):
    await bob.says(lab, "from the first bob")
    await bob.post("/settings/profile", {"name": "Robert Baker", "hue": "3"})
    other = await Person(ann.site, "Bob Baker", "another.bob@people.example").signs_up()
    await other.joins(lab)
    assert pages.authors(await ann.sees(lab)) == ["Robert Baker"]
    await other.says(lab, "from the second")
    assert pages.authors(await ann.sees(lab)) == ["Robert Baker", "Bob Baker"]
