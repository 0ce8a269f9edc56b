"""The quick switcher as its dialog gets it, and as a page."""

import re

from chatapp.clock import HeldClock
from chatapp.limits import SWITCH
from tests.routes.pages import read
from tests.routes.people import HTMX, somebody


async def choices(person, typed, **more):
    """Address and words of each choice."""
    answer = await person.get("/switch", params={"q": typed, **more}, headers=HTMX)
    assert answer.status_code == 200, answer.text
    assert "<html" not in answer.text
    return [
        (option.attributes.get("href") or "", re.sub(r"\s+", " ", option.text).strip(" ↵"))
        for option in read(answer.text).all(class_="option")
    ]


async def test_rooms_people_and_pages_are_offered_as_links(ann, bob, lab):
    await bob.says(lab, "hello @ann archer")
    assert (f"/rooms/{lab}", "Lab What we found out@1 mentions1 unread") in await choices(
        ann, "lab"
    )
    assert ("", "BBBob Baker member of Lab") in await choices(ann, "bob")  # opens a conversation
    assert ("/settings#appearance", "Theme Light, dark, or same as the system") in await choices(
        ann, "dark"
    )
    members = await ann.get(f"/rooms/{lab}/members?q=Bob%20Baker")
    assert "Bob Baker" in members.text


async def test_signing_out_is_a_form(ann):
    answer = await ann.get("/switch", params={"q": "sign out"}, headers=HTMX)
    assert '<form method="post" action="/sign-out"><button type="submit"' in answer.text


async def test_nothing_found_is_said_and_what_was_typed_stays_text(ann):
    typed = '<b>"&%_'
    assert await choices(ann, typed) == []
    page = await ann.get("/switch", params={"q": typed})
    assert "Nothing here is called “<bdi>&lt;b&gt;&#34;&amp;%_</bdi>”." in page.text
    assert 'value="&lt;b&gt;&#34;&amp;%_"' in page.text


async def test_it_is_a_page_for_who_has_no_scripts(ann, lab):
    page = await ann.get("/switch", params={"q": "la"})
    assert "<html" in page.text
    assert "<mark>La</mark>b" in page.text
    assert 'href="/switch"' in await ann.sees(lab)
    keys = await ann.get("/shortcuts")
    assert "<kbd>Ctrl</kbd> <kbd>K</kbd>" in keys.text


async def test_who_shares_no_room_with_somebody_never_finds_them(ann, bob, lab):
    cat = await somebody(ann.site, "Cat Catterfield")
    attic = await cat.opens("Attic", "The safe is behind the picture")
    for typed in ("cat", "catterfield", "@", "@c", "ct"):
        for person in (ann, bob):
            assert "Catterfield" not in str(await choices(person, typed)), typed
    assert (f"/rooms/{attic}", "Attic The safe is behind the pictureNot joined") in await choices(
        ann, "att"
    ), "as under Browse rooms"
    await ann.joins(attic)
    assert "Catterfield" in str(await choices(ann, "cat"))
    await ann.leaves(attic)
    assert "Catterfield" not in str(await choices(ann, "cat"))


async def test_however_much_is_typed_it_is_answered(ann, lab):
    for typed in (
        "x" * 5000,
        "\x00",
        "\ud800".encode("utf-8", "surrogatepass"),
        "#",
        "@",
        "# @",
        "   ",
    ):
        answer = await ann.get("/switch", params={"q": typed}, headers=HTMX)
        assert answer.status_code == 200, typed
    for room in ("", "x", "9" * 30, "-1"):
        answer = await ann.get("/switch", params={"room": room}, headers=HTMX)
        assert answer.status_code == 200, room


async def test_whoever_asks_too_often_has_to_wait(make_site):
    eve = await somebody(await make_site(clock=HeldClock(1000.0)))
    answers = [
        (await eve.get("/switch", headers=HTMX)).status_code for _ in range(SWITCH.count + 1)
    ]
    assert answers == [200] * SWITCH.count + [429]
