"""Inviting people, and coming in by an invitation."""

import asyncio

import pytest
from sqlalchemy import update

from chatapp.tables import invitations
from tests.routes import pages
from tests.routes.people import Person, services, somebody


async def invites(
    who: Person, *rooms: int, uses: int = 1, role: str = "member", **more: str
) -> str:
    """The path of a new link."""
    form = {"role": role, "days": "7", "uses": str(uses), "room": list(map(str, rooms)), **more}
    answer = await who.post("/invitations", form)
    assert answer.status_code == 200, answer.text
    link = pages.typed(answer.text, "link")
    assert link.startswith("http://")
    return "/invite/" + link.rpartition("/")[2]


async def signs_up_by(path: str, person: Person) -> int:
    fields = {"name": person.name, "email": person.email, "password": person.password}
    return (await person.post(path, fields)).status_code


async def test_eve_comes_in_by_ann_s_link_where_nobody_else_may(ann, bob, lab):
    await ann.post("/admin/entry", {"way": "invitation"})
    path = await invites(ann, lab)
    eve = Person(ann.site, "Eve Eager")
    page = await eve.get(path)
    assert "Ann Archer" in page.text
    assert "Lab" in page.text
    answer = await eve.post(path, {"name": eve.name, "email": eve.email, "password": eve.password})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/rooms/{lab}")
    assert "Eve Eager" in pages.members((await eve.get(f"/rooms/{lab}/members")).text)
    assert "joined" in pages.events(await bob.sees(lab))


async def test_whoever_is_signed_in_joins_the_rooms(ann, bob, cat, lab):
    path = await invites(ann, lab)
    assert "Join the room" in (await cat.get(path)).text
    answer = await cat.post(path)
    assert answer.headers["location"] == f"/rooms/{lab}"
    assert "Cat Carver" in pages.members((await cat.get(f"/rooms/{lab}/members")).text)


async def test_who_is_in_already_is_told_so_and_uses_nothing_up(ann, bob, lab):
    path = await invites(ann, lab)
    assert "You are in already" in (await bob.get(path)).text
    assert (await bob.post(path)).headers["location"] == f"/rooms/{lab}"
    assert await signs_up_by(path, Person(ann.site)) == 303


async def test_eve_may_sign_in_first_and_is_led_back(ann, bob, cat, lab):
    path = await invites(ann, lab)
    visitor = cat.elsewhere()
    link = pages.read((await visitor.get(path)).text).one("a", class_="text-link")
    assert link.text == "Sign in"
    page = await visitor.get(link.attributes["href"])
    following = pages.read(page.text).one("input", name="next").attributes["value"]
    answer = await visitor.tries_to_sign_in(next=following)
    assert answer.headers["location"] == path


async def test_looking_at_a_link_uses_nothing_up(ann, lab):
    path = await invites(ann, lab)
    for _ in range(3):
        assert (await Person(ann.site).get(path)).status_code == 200
        await Person(ann.site).client.head(path)
    assert await signs_up_by(path, Person(ann.site)) == 303


async def test_a_link_for_one_lets_one_in_however_many_come(ann, lab):
    path = await invites(ann, lab)
    people = [Person(ann.site) for _ in range(6)]
    statuses = await asyncio.gather(*(signs_up_by(path, person) for person in people))
    assert sorted(statuses) == [303] + [404] * 5
    assert [await person.is_signed_in() for person in people].count(True) == 1


async def test_used_expired_revoked_and_unknown_links_are_one_page(ann, lab):
    used, expired, revoked = [await invites(ann, lab) for _ in range(3)]
    await signs_up_by(used, Person(ann.site))
    assert (await ann.post("/invitations/3/revoke")).status_code == 303
    async with services(ann.site).database.transaction() as tx:
        await tx.execute(update(invitations).where(invitations.c.id == 2).values(expires_at=1))
    visitor = Person(ann.site)
    answers = [await visitor.get(path) for path in (used, expired, revoked, "/invite/nothing")]
    answers += [await visitor.post(path) for path in (used, expired, revoked, "/invite/nothing")]
    assert {(answer.status_code, answer.text) for answer in answers} == {
        (404, answers[0].text),
    }
    assert "This invitation is over" in answers[0].text


async def test_what_was_typed_stays_and_the_link_stays_good(ann, lab):
    path = await invites(ann, lab)
    eve = Person(ann.site)
    answer = await eve.post(path, {"name": "Eve", "email": "eve at home", "password": "short"})
    assert answer.status_code == 422
    assert "such as ann@example.org" in pages.complaint(answer.text, "email")
    assert pages.typed(answer.text, "name") == "Eve"
    assert await signs_up_by(path, eve) == 303


async def test_a_guest_is_only_where_they_were_invited(ann, bob, lab):
    path = await invites(ann, lab, role="guest")
    eve = Person(ann.site)
    assert "As a guest" in (await eve.get(path)).text
    assert await signs_up_by(path, eve) == 303
    await ann.post("/admin/entry", {"way": "open"})
    assert "Guests cannot invite" in (await eve.get("/invitations")).text


async def test_the_address_of_a_link_goes_into_no_referer_and_is_kept_by_nobody(ann, lab):
    path = await invites(ann, lab)
    for answer in (
        await Person(ann.site).get(path),
        await Person(ann.site).get(f"/sign-in?next={path}"),
        await Person(ann.site).get("/invite/unknown"),
    ):
        assert answer.headers["referrer-policy"] == "strict-origin"
        assert answer.headers["cache-control"] == "no-store"
    assert (await ann.get("/")).headers.get("referrer-policy") == "same-origin"


async def test_the_link_is_shown_once_and_drawn(ann, lab):
    answer = await ann.post(
        "/invitations", {"role": "member", "days": "7", "uses": "1", "room": str(lab)}
    )
    page = pages.read(answer.text)
    token = pages.typed(answer.text, "link").rpartition("/")[2]
    (drawing,) = page.all("svg", role="img")
    assert drawing.attributes["aria-label"]
    assert drawing.one("path").attributes["d"].startswith("M4 4h7v1h-7z")  # a corner
    assert "style" not in drawing.attributes
    assert token not in (await ann.get("/invitations")).text


async def test_bob_invites_into_what_is_his_and_nowhere_else(ann, bob, lab):
    den = await bob.opens("Den")
    page = pages.read((await bob.get("/invitations")).text)
    assert [box.attributes["value"] for box in page.all("input", name="room")] == [str(den)]
    await invites(bob, den)
    form = {"role": "member", "days": "7", "uses": "1"}
    assert (await bob.post("/invitations", {**form, "room": str(lab)})).status_code == 404
    assert (await bob.post("/invitations", {**form, "room": "999"})).status_code == 404
    nowhere = await bob.post("/invitations", form)
    assert nowhere.status_code == 422
    assert "at least one room" in nowhere.text


async def test_what_is_wrong_with_an_invitation_is_said(ann, lab):
    form = {"role": "member", "days": "7", "uses": "many", "note": "for the guests"}
    answer = await ann.post("/invitations", {**form, "room": str(lab)})
    assert answer.status_code == 422
    assert "from 1 to 1,000" in pages.complaint(answer.text, "uses")
    assert pages.typed(answer.text, "note") == "for the guests"
    (box,) = pages.read(answer.text).all("input", name="room")
    assert box.attributes.get("checked") == ""


async def test_the_list_says_what_became_of_each(ann, lab):
    await invites(ann, lab, uses=10, note="for the observers")
    await invites(ann, lab)
    await ann.post("/invitations/2/revoke")
    page = (await ann.get("/invitations")).text
    assert "for the observers" in page
    assert "0 of 10 used" in page
    assert "Revoked" in page


@pytest.mark.parametrize(
    "path", ["/invite/", "/invite/a/b", "/invite/%00", "/invite/" + "x" * 3000]
)
async def test_nonsense_is_no_invitation(ann, path):
    assert (await Person(ann.site).get(path)).status_code == 404


async def test_an_account_that_was_deactivated_does_not_come_back_by_one(ann, bob, lab):
    path = await invites(ann, lab)
    await ann.post("/admin/people/2/state")
    assert await signs_up_by(path, bob.elsewhere()) == 422  # the name and the address are taken
    assert not await bob.is_signed_in()


async def test_a_form_without_scripts_is_all_it_takes(ann, lab):
    path = await invites(ann, lab)
    page = pages.read((await Person(ann.site).get(path)).text)
    (form,) = page.all("form")
    assert (form.attributes["method"], form.attributes["action"]) == ("post", path)
    labels = {label.attributes["for"] for label in form.all("label")}
    assert {control.attributes["id"] for control in form.all("input")} == labels


async def test_guests_that_come_at_once_are_all_seen(ann, lab):
    path = await invites(ann, lab, uses=9)
    people = [Person(ann.site) for _ in range(5)]
    await asyncio.gather(*(signs_up_by(path, person) for person in people))
    seen = pages.members((await ann.get(f"/rooms/{lab}/members")).text)
    assert {person.name for person in people} <= set(seen)


async def test_somebody_made_the_link_who_is_signed_out_now(ann, lab):
    path = await invites(ann, lab)
    await ann.post("/sign-out")
    eve = await somebody(ann.site)
    assert (await eve.post(path)).status_code == 303
