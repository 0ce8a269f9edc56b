"""The pages of who looks after the site."""

import asyncio

from sqlalchemy import select

from chatapp.tables import users
from tests.routes import pages
from tests.routes.people import Person, services, somebody


async def id_of(person: Person) -> int:
    query = select(users.c.id).where(users.c.email == person.email)
    return int(await services(person.site).database.fetch_value(query))


async def chooses(ann: Person, way: str, domains: str = "") -> None:
    answer = await ann.post("/admin/entry", {"way": way, "domains": domains})
    assert answer.status_code == 303, answer.text


async def test_ann_sees_everybody_and_who_may_sign_up(ann, bob):
    page = (await ann.get("/admin")).text
    assert "Bob Baker" in page
    assert bob.email in page
    assert pages.read(page).one(id="way-open").attributes.get("checked") == ""
    assert "Administration" in (await ann.get("/settings")).text
    assert "Administration" not in (await bob.get("/settings")).text


async def test_a_search_that_finds_nobody_says_so(ann):
    assert "Nobody matches" in (await ann.get("/admin?q=zzz&show=nonsense&page=7")).text


async def test_by_invitation_nobody_signs_up_alone(ann):
    await chooses(ann, "invitation")
    eve = Person(ann.site)
    page = await eve.get("/sign-up")
    assert page.status_code == 200
    assert "By invitation" in page.text
    assert pages.read(page.text).all("form") == []
    answer = await eve.tries_to_sign_up()
    assert answer.status_code == 403
    assert "By invitation" in answer.text
    assert not await eve.is_signed_in()
    taken = await eve.tries_to_sign_up(email=ann.email)  # tells nothing about who is here
    assert (taken.status_code, taken.text) == (answer.status_code, answer.text)


async def test_by_domain_only_its_addresses_sign_up(ann):
    await chooses(ann, "domain", "Good.example bücher.example")
    assert "good.example" in (await Person(ann.site).get("/sign-up")).text
    for email in ("eve@evil.example", "eve@sub.good.example", "eve@good.example.evil.example"):
        answer = await Person(ann.site, email=email).tries_to_sign_up()
        assert answer.status_code == 422, email
        assert "certain domains" in pages.complaint(answer.text, "email")
    await Person(ann.site, email="bob@GOOD.example").signs_up()
    await Person(ann.site, email="cat@xn--bcher-kva.example").signs_up()


async def test_a_wrong_domain_is_said_and_what_was_typed_stays(ann):
    answer = await ann.post("/admin/entry", {"way": "domain", "domains": "not a domain"})
    assert answer.status_code == 422
    assert "example.org" in pages.complaint(answer.text, "domains")
    assert pages.typed(answer.text, "domains") == "not a domain"
    assert pages.read(answer.text).one(id="way-domain").attributes.get("checked") == ""
    await Person(ann.site).signs_up()  # it is open as before


async def test_the_first_account_is_made_whatever_was_chosen_before(ann):
    await chooses(ann, "invitation")
    assert (await ann.post("/settings/delete-account", {"password": ann.password})).is_redirect
    assert "By invitation" not in (await Person(ann.site).get("/sign-up")).text
    bob = await somebody(ann.site)
    assert (await bob.get("/admin")).status_code == 200


async def test_bob_is_made_administrator_and_back(ann, bob):
    path = f"/admin/people/{await id_of(bob)}"
    await ann.post(f"{path}/role", {"role": "administrator"})
    assert (await bob.get("/admin")).status_code == 200
    await ann.post(f"{path}/role", {"role": "member"})
    assert (await bob.get("/admin")).status_code == 403


async def test_the_log_tells_what_was_done_to_whom(ann, bob):
    path = f"/admin/people/{await id_of(bob)}"
    await ann.post(f"{path}/role", {"role": "administrator"})
    await ann.post(f"{path}/recovery")
    await chooses(ann, "invitation")
    page = (await ann.get("/audit")).text
    assert "an administrator of the site" in page
    assert "made a recovery link for" in page
    assert "by invitation" in page


async def test_the_last_administrator_is_told_why_they_stay_one(ann, bob):
    answer = await ann.post(f"/admin/people/{await id_of(ann)}/role", {"role": "member"})
    assert answer.status_code == 409
    assert "last administrator" in pages.alert(answer.text)
    assert (await ann.get("/admin")).status_code == 200


async def test_whoever_steps_down_is_led_where_they_may_be(ann, bob):
    await ann.post(f"/admin/people/{await id_of(bob)}/role", {"role": "administrator"})
    answer = await bob.post(f"/admin/people/{await id_of(bob)}/role", {"role": "member"})
    assert answer.headers["location"] == "/settings"


async def test_a_role_that_is_none_is_refused(ann, bob):
    answer = await ann.post(f"/admin/people/{await id_of(bob)}/role", {"role": "owner"})
    assert answer.status_code == 422


async def test_a_deactivated_person_is_out_at_once_and_stays_out(ann, bob):
    path = f"/admin/people/{await id_of(bob)}"
    async with bob.socket() as socket:
        await socket.receive_json("hello")
        assert (await ann.post(f"{path}/state")).status_code == 303
        assert await socket.closed() == 4401
    assert not await bob.is_signed_in()
    answer = await bob.tries_to_sign_in()
    assert answer.status_code == 422
    assert "deactivated" in pages.alert(answer.text)
    wrong = await bob.tries_to_sign_in(password="not the password")
    assert "Email or password is not right" in pages.alert(wrong.text)
    assert (await ann.post(f"{path}/state", {"active": "on"})).status_code == 303
    await bob.signs_in()


async def test_who_signs_in_while_being_deactivated_is_not_signed_in_afterwards(ann, bob):
    path = f"/admin/people/{await id_of(bob)}/state"
    devices = [bob.elsewhere() for _ in range(5)]
    await asyncio.gather(
        ann.post(path), *(device.tries_to_sign_in() for device in devices), bob.get("/rooms")
    )
    assert [await device.is_signed_in() for device in (bob, *devices)] == [False] * 6


async def test_nobody_deactivates_themselves(ann, bob):
    await ann.post(f"/admin/people/{await id_of(bob)}/role", {"role": "administrator"})
    answer = await ann.post(f"/admin/people/{await id_of(ann)}/state")
    assert answer.status_code == 409
    assert await ann.is_signed_in()


async def test_a_person_who_is_not_there_is_not_there(ann):
    for number in ("0", "999", "9" * 16):
        assert (await ann.get(f"/admin/people/{number}")).status_code == 404
    assert (await ann.post("/admin/people/999/role", {"role": "guest"})).status_code == 404
