"""Of what in a room somebody wants to be told: all, mentions, nothing, or nothing and no line in the sidebar."""

import pytest
from sqlalchemy import insert, select

from chatapp.tables import mentions, users
from tests.routes.pages import Element, read
from tests.routes.people import Person, services


def line(html: str, room: int) -> tuple[Element, Element]:
    """A room's line in the sidebar, and the list item that it is in."""
    for item in read(html).one(id="side-rooms-list").all("li"):
        row = item.one("a")
        if row.attributes["data-room"] == str(room):
            return row, item
    raise AssertionError("the room is not listed")


def chosen(html: str) -> list[str]:
    buttons = read(html).one("form", class_="notify-choice").all("button", aria_pressed="true")
    return [button.attributes["value"] for button in buttons]


@pytest.mark.parametrize("choice", ["all", "mentions", "nothing", "hidden"])
async def test_a_choice_is_kept_and_shown_in_the_room_s_menu(bob: Person, lab: int, choice: str):
    answer = await bob.post(f"/rooms/{lab}/notify", {"notify": choice})
    assert answer.status_code == 303
    page = await bob.sees(lab)
    assert chosen(page) == [choice]
    row, item = line(page, lab)
    assert row.attributes["data-notify"] == choice
    assert "hidden" not in item.attributes, "the open room is always listed"
    assert ("is-muted" in row.classes) == (choice in {"nothing", "hidden"})


async def test_a_choice_is_one_person_s_own(ann: Person, bob: Person, lab: int):
    await bob.post(f"/rooms/{lab}/notify", {"notify": "nothing"})
    assert chosen(await ann.sees(lab)) == ["all"]


async def test_who_joins_again_is_told_of_everything_again(bob: Person, lab: int):
    await bob.post(f"/rooms/{lab}/notify", {"notify": "hidden"})
    await bob.leaves(lab)
    await bob.joins(lab)
    assert chosen(await bob.sees(lab)) == ["all"]


async def test_nobody_chooses_what_there_is_not(bob: Person, lab: int):
    answer = await bob.post(f"/rooms/{lab}/notify", {"notify": "everything"})
    assert answer.status_code == 422
    assert chosen(await bob.sees(lab)) == ["all"]


async def test_a_muted_room_has_no_count_and_a_hidden_one_no_line(
    ann: Person, bob: Person, lab: int
):
    seq = await ann.says(lab, "Anybody here?")
    await bob.post(f"/rooms/{lab}/notify", {"notify": "nothing"})
    row, _ = line((await bob.get("/sidebar")).text, lab)
    assert row.all("span", data_badge="unread") == []
    assert "is-unread" not in row.classes
    await bob.post(f"/rooms/{lab}/notify", {"notify": "hidden"})
    _, item = line((await bob.get("/sidebar")).text, lab)
    assert "hidden" in item.attributes
    async with services(bob.site).database.transaction() as tx:
        me = await tx.fetch_value(select(users.c.id).where(users.c.name == bob.name))
        await tx.execute(insert(mentions).values(user_id=me, room_id=lab, seq=seq))
    row, item = line((await bob.get("/sidebar")).text, lab)
    assert "hidden" not in item.attributes, "a mention brings it back"
    assert "is-unread" in row.classes


async def test_other_windows_hear_that_the_sidebar_changed(bob: Person, lab: int):
    async with bob.socket() as socket:
        await socket.receive_json("hello")
        await bob.post(f"/rooms/{lab}/notify", {"notify": "mentions"})
        await socket.receive_json("sidebar")


async def test_a_notice_tells_members_room_author_and_beginning(
    ann: Person, bob: Person, cat: Person, lab: int
):
    seq = await ann.says(lab, "Earl  Grey\nat four? " + "x" * 500)
    found = (await bob.get(f"/rooms/{lab}/notice?seq={seq}")).json()
    assert (found["name"], found["author"], found["quiet"]) == ("Lab", "Ann Archer", False)
    assert found["text"].startswith("Earl Grey at four? xxx")
    assert found["text"].endswith("x…")
    assert len(found["text"]) == 160
    assert (await bob.get(f"/rooms/{lab}/notice?seq=1")).status_code == 404, "an event"
    assert (await bob.get(f"/rooms/{lab}/notice?seq=999")).status_code == 404
    assert (await cat.get(f"/rooms/{lab}/notice?seq={seq}")).status_code == 403
    assert (await bob.get(f"/rooms/{lab}/notice")).json() == found, "the newest one"
    assert (await ann.get(f"/rooms/{lab}/notice")).status_code == 404, "nothing of others"
    await bob.post(f"/rooms/{lab}/notify", {"notify": "mentions"})
    assert (await bob.get(f"/rooms/{lab}/notice")).status_code == 404, "nothing that names bob"
    await bob.leaves(lab)
    assert (await bob.get(f"/rooms/{lab}/notice?seq={seq}")).status_code == 403
