"""Editing, deleting and restoring messages: what the doors answer, and what pages show."""

import httpx
import pytest
from sqlalchemy import update

from chatapp.tables import deletions, messages
from tests.routes.pages import bodies, complaint, read, typed
from tests.routes.people import HTMX, JSON, Person, services, somebody
from tests.support.asgi import Site
from tests.support.asgi_socket import AsgiSocket

EDITED = "(edited"


async def edits(
    who: Person, room: int, seq: int, body: str, base: int = 0, **given
) -> httpx.Response:
    form = {"body": body, "base": str(base)}
    return await who.post(f"/rooms/{room}/messages/{seq}/edit", form, **given)


async def deletes(who: Person, room: int, seq: int, **given) -> httpx.Response:
    return await who.post(f"/rooms/{room}/messages/{seq}/delete", **given)


async def restores(who: Person, room: int, seq: int, **given) -> httpx.Response:
    return await who.post(f"/rooms/{room}/messages/{seq}/restore", **given)


async def history(who: Person, room: int, seq: int, **given) -> httpx.Response:
    return await who.get(f"/rooms/{room}/messages/{seq}/history", **given)


def texts(html: str) -> list[str]:
    """The versions that a page of a message's history shows."""
    return [
        each.one("p", class_="version-text").text
        for each in read(html).all("li")
        if each.all("p", class_="version-text")
    ]


async def is_too_old(site: Site, seq: int) -> None:
    async with services(site).database.transaction() as tx:
        await tx.execute(update(messages).where(messages.c.seq == seq).values(at=0))


# -- editing without scripts ----------------------------------------------------------


async def test_a_message_is_edited_by_plain_pages(bob, lab):
    seq = await bob.says(lab, "helo **there**")
    room = read((await bob.get(f"/rooms/{lab}?end=1&links=1")).text)
    _answer, link = [
        each.attributes["href"] for each in room.one(id=f"m-{seq}").all("a", class_="text-link")
    ]
    page = (await bob.get(link)).text
    assert typed(page, "edit") == "helo **there**"
    base = read(page).one("input", name="base").attributes["value"]
    answer = await edits(bob, lab, seq, "hello **there**", int(base))
    assert answer.headers["location"] == f"/rooms/{lab}?around={seq}#m-{seq}"
    shown = (await bob.get(answer.headers["location"])).text
    [body] = bodies(shown)
    assert body.startswith("hello there (edited ")
    mark = read(shown).one("a", class_="edited")
    assert texts((await bob.get(mark.attributes["href"])).text) == [
        "hello **there**",
        "helo **there**",
    ]


async def test_a_plain_room_offers_no_links_until_it_is_asked(ann, bob, lab):
    await bob.says(lab, "mine")
    own = await ann.says(lab, "yours")
    assert "Edit or delete<" not in await bob.sees(lab)
    offered = read((await bob.get(f"/rooms/{lab}?links=1")).text).all("a", class_="text-link")
    assert [a.attributes["href"] for a in offered if "/edit" in a.attributes["href"]] == [
        f"/rooms/{lab}/messages/{own - 1}/edit"
    ]
    everybody_s = (await ann.get(f"/rooms/{lab}?links=1")).text
    assert everybody_s.count("Edit or delete<span") == 2


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    "body",
    ["", " \n\t", "\u200b", "\u2060\ufeff", "\u3164", "\u2800", "a\0b", "\ud7ff\x01", "x" * 4001],
)
async def test_what_could_not_be_sent_cannot_be_said_by_an_edit(bob, lab, body, headers):
    """UNI-01, UNI-05"""
    seq = await bob.says(lab, "hello")
    answer = await edits(bob, lab, seq, body, headers=headers)
    assert answer.status_code == 422
    form = read(answer.text)
    assert form.one("textarea", id="edit").attributes["aria-invalid"] == "true"
    assert form.one(id="edit-error").text
    assert bodies(await bob.sees(lab)) == ["hello"]


async def test_what_a_long_edit_said_stays_in_the_box(bob, lab):
    seq = await bob.says(lab, "hello")
    answer = await edits(bob, lab, seq, "y" * 4001)
    assert complaint(answer.text, "edit").startswith("A message may have at most")
    assert typed(answer.text, "edit") == "y" * 4001


@pytest.mark.parametrize("headers", [{}, HTMX])
async def test_of_two_windows_none_overwrites_the_other_unseen(bob, lab, headers):
    seq = await bob.says(lab, "hello")
    assert (await edits(bob, lab, seq, "from one window")).status_code == 303
    answer = await edits(bob, lab, seq, "from the other <b>", headers=headers)
    assert answer.status_code == 409
    form = read(answer.text).one("form", class_="msg-edit")
    assert form.one("div", class_="edit-now").text.strip() == "from one window"
    assert typed(answer.text, "edit") == "from the other <b>"
    base = int(form.one("input", name="base").attributes["value"])
    assert (await edits(bob, lab, seq, "both", base)).status_code == 303
    assert texts((await history(bob, lab, seq)).text) == ["both", "from one window", "hello"]


async def test_without_a_version_an_edit_is_refused_but_not_lost(bob, lab):
    seq = await bob.says(lab, "hello")
    for base in ("", "-1", "x", "9" * 5000, "\u0661"):
        form = {"body": "new", "base": base}
        answer = await bob.post(f"/rooms/{lab}/messages/{seq}/edit", form)
        assert answer.status_code == 409
        assert typed(answer.text, "edit") == "new"


async def test_an_edit_that_comes_too_late_keeps_what_was_written(bob, lab):
    seq = await bob.says(lab, "hello")
    await is_too_old(bob.site, seq)
    answer = await edits(bob, lab, seq, "too late")
    assert answer.status_code == 403
    assert typed(answer.text, "edit") == "too late"
    page = (await bob.get(f"/rooms/{lab}/messages/{seq}/edit")).text
    assert read(page).all("textarea", id="edit") == []
    assert "Delete the message" in page  # that is never too late


async def test_where_editing_is_off_no_form_is_offered(make_site, database_url):
    site = await make_site(DATABASE_URL=database_url, EDIT_SECONDS="0")
    ann = await somebody(site)
    room = await ann.opens()
    seq = await ann.says(room, "hello")
    assert (await ann.get(f"/rooms/{room}/messages/{seq}/edit", headers=HTMX)).status_code == 403
    assert (await edits(ann, room, seq, "new")).status_code == 403
    assert bodies(await ann.sees(room)) == ["hello"]


async def test_an_edit_is_formatted_and_cleaned_as_a_message_is(bob, lab):
    """MD-01"""
    seq = await bob.says(lab, "hello")
    await edits(bob, lab, seq, "<script>alert(1)</script> [x](javascript:alert(1)) **b**")
    shown = await bob.sees(lab)
    [body] = read(shown).all("div", class_="msg-body")
    assert body.all("script") == []
    assert [a.attributes["href"] for a in body.all("a")] == [f"/rooms/{lab}/messages/{seq}/history"]
    assert body.one("strong").text == "b"


@pytest.mark.parametrize(
    ("body", "last"),
    [("```\ncode\n```", "p"), ("- list", "p"), ("plain", "p"), ("\U0001f370", "p")],
)
async def test_every_edit_has_its_mark_at_the_end(bob, lab, body, last):
    seq = await bob.says(lab, "hello")
    await edits(bob, lab, seq, body)
    shown = read(await bob.sees(lab)).one(id=f"m-{seq}").one("div", class_="msg-body")
    end = [child for child in shown.children if not isinstance(child, str)][-1]
    assert end.tag == last
    mark = end.one("a", class_="edited")
    assert mark.one("time").attributes["datetime"].endswith("Z")


# -- deleting -------------------------------------------------------------------------


async def test_a_deletion_leaves_its_place_and_can_be_undone_by_a_plain_form(ann, bob, lab):
    seq = await bob.says(lab, "secret swordfish")
    answer = await deletes(bob, lab, seq)
    page = (await bob.get(answer.headers["location"])).text
    row = read(page).one(id=f"m-{seq}")
    assert "is-deleted" in row.classes
    assert {"is-own", "is-lead"} <= set(row.classes)
    assert bodies(page) == ["This message was deleted."]
    assert "swordfish" not in page + await ann.sees(lab)
    undo = read(page).one("div", class_="banner", role="status").one("form")
    answer = await bob.post(undo.attributes["action"])
    assert answer.headers["location"] == f"/rooms/{lab}?around={seq}#m-{seq}"
    page = (await bob.get(answer.headers["location"])).text
    assert bodies(page) == ["secret swordfish"]
    assert "The message is back." in page


async def test_the_offer_to_undo_is_for_its_deleter_and_ends(ann, bob, lab):
    seq = await bob.says(lab, "hello")
    there = (await deletes(bob, lab, seq)).headers["location"]
    assert "data-undo" in (await bob.get(there)).text.split("<template")[0]
    assert "data-undo" not in (await ann.get(there)).text.split("<template")[0]
    assert (await restores(ann, lab, seq, headers=JSON)).json()["code"] == "restore_over"
    async with services(bob.site).database.transaction() as tx:
        await tx.execute(update(deletions).values(until=0))
    assert "data-undo" not in (await bob.get(there)).text.split("<template")[0]
    assert (await restores(bob, lab, seq)).status_code == 409


async def test_programs_are_answered_in_json(bob, lab):
    seq = await bob.says(lab, "hello")
    answer = await deletes(bob, lab, seq, headers=JSON)
    assert answer.json() == {"outcome": "deleted", "seconds": 10}
    assert (await restores(bob, lab, seq, headers=JSON)).json() == {"outcome": "restored"}
    assert (await edits(bob, lab, seq, "new", headers=HTMX)).status_code == 204


async def test_nothing_of_a_deleted_message_can_be_read_by_any_door(ann, bob, lab):
    seq = await bob.says(lab, "@Ann Archer secret swordfish")
    await edits(bob, lab, seq, "@Ann Archer secret swordfish!")
    await deletes(bob, lab, seq)
    room = f"/rooms/{lab}"
    for who in (ann, bob):
        for path in (
            room,
            f"{room}?around={seq}",
            f"{room}?links=1",
            f"{room}/messages?after=0",
            f"{room}/messages/{seq}/edit",
            f"{room}/messages/{seq}/history",
            f"{room}/notice",
            "/mentions",
        ):
            for headers in ({}, HTMX, JSON):
                assert "swordfish" not in (await who.get(path, headers=headers)).text, path
    assert (await history(bob, lab, seq)).status_code == 404


async def test_deleting_needs_no_notice_of_what_was_said_to_go(ann, bob, lab):
    """SECURITY 25: what goes over the line of a deletion holds nothing of the words."""
    seq = await bob.says(lab, "secret swordfish")
    async with ann.socket() as line:
        epoch = (await line.receive_json("hello"))["epoch"]
        await line.send_json({"type": "watch", "room": lab, "cursor": f"{epoch}:{seq}"})
        await line.receive_json("watching")
        await deletes(bob, lab, seq)
        frame = await line.receive_json("changes")
        assert (frame["from"], frame["seq"]) == (seq, seq + 1)
        assert "swordfish" not in str(frame)
        assert bodies(frame["html"]) == ["This message was deleted."]
        await restores(bob, lab, seq)
        assert bodies((await line.receive_json("changes"))["html"]) == ["secret swordfish"]


async def _counted(line: AsgiSocket, seq: int) -> tuple[int, int]:
    """What is unread, and mentions of it, as of a number of the room."""
    count = await line.receive_json("unread")
    while count["seq"] < seq:
        count = await line.receive_json("unread")
    return count["unread"], count["mentions"]


async def test_who_follows_hears_at_once_that_it_is_unread_no_more(ann, bob, lab):
    seq = await bob.says(lab, "@Ann Archer hello")
    async with ann.socket() as line:
        await line.receive_json("hello")
        await line.send_json({"type": "follow"})
        await line.receive_json("following")
        await deletes(bob, lab, seq)
        assert await _counted(line, seq + 1) == (0, 0)
        await restores(bob, lab, seq)
        assert await _counted(line, seq + 2) == (1, 1)


async def test_who_comes_back_with_an_old_number_sees_what_changed(bob, lab):
    """DEL-01, step 5"""
    first, second = await bob.says(lab, "one"), await bob.says(lab, "two")
    await edits(bob, lab, first, "one!")
    await deletes(bob, lab, second)
    third = await bob.says(lab, "three")
    async with bob.socket() as line:
        epoch = (await line.receive_json("hello"))["epoch"]
        await line.send_json({"type": "watch", "room": lab, "cursor": f"{epoch}:{second}"})
        frame = await line.receive_json("changes")
        assert frame["seq"] == third
        one, two, three = bodies(frame["html"])
        assert (one.startswith("one! (edited"), two, three) == (
            True,
            "This message was deleted.",
            "three",
        )


# -- who may not ------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["edit", "delete", "restore"])
async def test_a_form_of_another_site_changes_nothing(bob, lab, step):
    seq = await bob.says(lab, "hello")
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    form = {"body": "evil", "base": "0"}
    answer = await bob.post(f"/rooms/{lab}/messages/{seq}/{step}", form, headers=foreign)
    assert answer.status_code == 403
    assert bodies(await bob.sees(lab)) == ["hello"]


async def test_a_message_is_looked_up_through_its_room(ann, bob, lab):
    """SECURITY 22: the number of another room's message is none of this one."""
    den = await bob.opens("Den")
    seq = await bob.says(den, "in the den")
    await ann.says(lab, "one")
    far = max(seq, 3) + 40
    for answer in (
        await edits(bob, lab, far, "x"),
        await deletes(bob, lab, far),
        await restores(bob, lab, far),
        await history(bob, lab, far),
        await history(bob, lab, 10**15),
        await deletes(bob, lab, 10**15),
    ):
        assert answer.status_code == 404
    assert (await deletes(ann, den, seq)).status_code == 403  # an administrator who is no member
    assert bodies(await bob.sees(den)) == ["in the den"]


async def test_in_a_deleted_room_nothing_is_left_to_change(ann, bob, lab):
    seq = await bob.says(lab, "hello")
    await deletes(bob, lab, seq)
    await ann.post(f"/rooms/{lab}/delete", {"confirm": "Lab"})
    for answer in (
        await edits(bob, lab, seq, "x"),
        await deletes(bob, lab, seq),
        await restores(bob, lab, seq),
        await history(bob, lab, seq),
    ):
        assert answer.status_code == 404


async def test_who_left_cannot_take_back_and_cannot_read_what_was(bob, lab):
    seq = await bob.says(lab, "hello")
    await edits(bob, lab, seq, "hello!")
    await deletes(bob, lab, seq)
    await bob.leaves(lab)
    assert (await restores(bob, lab, seq)).status_code == 403
    assert (await history(bob, lab, seq)).status_code == 403


async def test_changes_are_limited_as_posts_are(make_site):
    site = await make_site()
    ann = await somebody(site)
    room = await ann.opens()
    seq = await ann.says(room, "0")
    found: list[int] = []
    while (
        429 not in found and len(found) < 1000
    ):  # on a slow machine some of it comes back meanwhile
        found.append((await edits(ann, room, seq, "0", headers=HTMX)).status_code)
    assert set(found[:-1]) == {204}
    assert found[-1] == 429
