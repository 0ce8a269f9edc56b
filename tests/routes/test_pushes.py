"""Pushes to people who are not reading: who gets one, when, of what, and who gets none."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from chatapp.clock import HeldClock
from chatapp.domain import subscriptions
from chatapp.domain.notices import Quiet
from chatapp.tables import mentions, push_subscriptions, users
from tests.routes.people import ROOMY, Person, services, somebody, until
from tests.support.asgi import Site
from tests.support.fixtures import MakeSite
from tests.support.push_service import PushService, Received, push_service


@dataclass
class Play:
    """A site whose clock is held, and a push service beside it."""

    site: Site
    clock: HeldClock
    service: PushService

    @property
    def kit(self) -> Any:
        return services(self.site)

    async def somebody(self, name: str, room: int | None = None) -> Person:
        """Somebody whose browser takes pushes, and who may be in a room."""
        person = await somebody(self.site, name)
        if room is not None:
            await person.joins(room)
        await self.subscribes(person)
        return person

    async def subscribes(self, person: Person, name: str = "") -> None:
        fields = self.service.browser(name or person.name.replace(" ", "-")).fields
        answer = await person.post("/push/subscribe", fields)
        assert answer.status_code == 204, answer.text

    async def after(self, seconds: float, count: int) -> dict[str, Received]:
        """What came by then, by browser: exactly so many."""
        self.clock.advance(seconds)
        found = [await self.service.next() for _ in range(count)]
        await self.idle()
        assert self.service.received.empty()
        return {each.name: each for each in found}

    async def idle(self) -> None:
        """Nothing is due any more."""
        await self.kit.pushes.tick()
        await until(lambda: not self.kit.pushes._ready)
        await asyncio.sleep(0.1)

    async def count(self) -> int:
        query = select(func.count()).select_from(push_subscriptions)
        return int(await self.kit.database.fetch_value(query))


@pytest.fixture
async def play(make_site: MakeSite, database_url: str) -> AsyncIterator[Play]:
    clock = HeldClock()
    async with push_service() as service:
        site = await make_site(
            clock=clock,
            PUSH_TEST_HOSTS="127.0.0.1",
            DATABASE_URL=database_url,
            LIMIT_FACTOR=ROOMY,
        )
        yield Play(site, clock, service)


async def test_who_does_not_read_is_told_after_five_seconds_and_the_notice_grows(play):
    ann = await somebody(play.site, "Ann Archer")
    lab = await ann.opens("Lab")
    await play.somebody("Bob", lab)
    seq = await ann.says(lab, "Earl Grey\nat four?")
    play.clock.advance(4.9)
    await play.idle()
    assert play.service.received.empty()
    push = (await play.after(0.2, 1))["Bob"]
    assert push.payload == {
        "room": lab,
        "name": "Lab",
        "author": "Ann Archer",
        "text": "Earl Grey at four?",
        "seq": seq,
        "count": 1,
        "url": f"/rooms/{lab}?around={seq}#m-{seq}",
    }
    assert push.claims["key"] == play.kit.pushes.public_key
    assert push.headers["topic"] == f"room-{lab}"
    assert push.headers["ttl"] == "86400"
    assert push.headers["urgency"] == "high"

    # in a busy room the next one tells of all that came between
    await ann.says(lab, "Or at five?")
    play.clock.advance(7)
    await ann.says(lab, "At six, then.")
    push = (await play.after(8, 1))["Bob"]
    assert (push.payload["text"], push.payload["count"]) == ("At six, then.", 3)
    assert play.kit.metrics.value("chatapp_pushes_total", end="taken") == 2


async def test_only_members_who_want_it_and_have_not_read_it_are_told(play):
    ann = await play.somebody("Ann Archer")
    lab = await ann.opens("Lab")
    people = {}
    for name in (
        "Wants", "Read", "Muted", "Hides", "Mentions", "Named", "Sleeps", "Left", "Signed out", "No more"
    ):  # fmt: skip
        people[name] = await play.somebody(name, lab)
    await play.somebody("Outsider")
    choices = {"Muted": "nothing", "Hides": "hidden", "Mentions": "mentions", "Named": "mentions"}
    for name, choice in choices.items():
        await people[name].post(f"/rooms/{lab}/notify", {"notify": choice})
    answer = await people["Sleeps"].post("/settings/quiet", {"from": "22:00", "until": "07:30"})
    assert answer.status_code == 303  # it is 22:13
    seq = await ann.says(lab, "Who hears this?")
    async with play.kit.database.transaction() as tx:
        named = await tx.fetch_value(select(users.c.id).where(users.c.name == "Named"))
        await tx.execute(insert(mentions).values(user_id=named, room_id=lab, seq=seq))
    await people["Read"].post(f"/rooms/{lab}/read")
    await people["Left"].leaves(lab)
    await people["Signed out"].post("/sign-out")
    await people["No more"].post("/push/unsubscribe")
    assert set(await play.after(5, 2)) == {"Wants", "Named"}


async def test_a_browser_that_its_service_does_not_know_is_forgotten(play):
    ann = await somebody(play.site, "Ann Archer")
    lab = await ann.opens("Lab")
    await play.somebody("Bob", lab)
    play.service.answers = [410]
    await ann.says(lab, "hello")
    await play.after(5, 1)
    assert await play.count() == 0


async def test_what_fails_is_tried_again_a_few_times_and_not_once_it_was_read(play):
    ann = await somebody(play.site, "Ann Archer")
    lab = await ann.opens("Lab")
    bob = await play.somebody("Bob", lab)
    play.service.answers = [500, 503]
    await ann.says(lab, "hello")
    await play.after(5, 1)
    await play.after(11, 1)
    await bob.post(f"/rooms/{lab}/read")
    await play.after(100, 0)
    assert play.kit.metrics.value("chatapp_pushes_total", end="read meanwhile") == 1
    play.service.answers = [500] * 9
    await ann.says(lab, "hello?")
    for seconds in (5, 11, 41, 161):
        await play.after(seconds, 1)
    await play.after(10_000, 0)
    assert play.kit.metrics.value("chatapp_pushes_total", end="failed") == 1
    assert await play.count() == 1


async def changes(who: Person, room: int, seq: int, step: str, body: str = "") -> None:
    answer = await who.post(f"/rooms/{room}/messages/{seq}/{step}", {"body": body, "base": "0"})
    assert answer.status_code == 303


async def test_what_was_edited_or_deleted_before_its_push_is_not_told_as_it_was(play):
    ann = await somebody(play.site, "Ann Archer")
    lab = await ann.opens("Lab")
    await play.somebody("Bob", lab)
    first, second = await ann.says(lab, "Earl Gray?"), await ann.says(lab, "secret swordfish")
    await changes(ann, lab, first, "edit", "Earl Grey?")
    await changes(ann, lab, second, "delete")
    push = (await play.after(5, 1))["Bob"]
    assert (push.payload["text"], push.payload["count"]) == ("Earl Grey?", 1)
    third = await ann.says(lab, "secret swordfish")
    await changes(ann, lab, third, "delete")
    await play.after(20, 0)


async def test_a_push_that_had_to_wait_tells_what_is_said_by_then_or_nothing(play):
    ann = await somebody(play.site, "Ann Archer")
    lab = await ann.opens("Lab")
    bob = await play.somebody("Bob", lab)
    play.service.answers = [503, 503]
    seq = await ann.says(lab, "Earl Gray?")
    await play.after(5, 1)
    await changes(ann, lab, seq, "edit", "Earl Grey?")
    assert (await play.after(11, 1))["Bob"].payload["text"] == "Earl Grey?"
    await changes(ann, lab, seq, "delete")
    await play.after(50, 0)
    await bob.post(f"/rooms/{lab}/notify", {"notify": "mentions"})
    play.service.answers = [503]
    seq = await ann.says(lab, "@Bob, tea?")
    await play.after(20, 1)
    await changes(ann, lab, seq, "edit", "tea?")  # names nobody any more
    await play.after(11, 0)


async def test_a_subscription_ends_with_its_session_and_each_person_has_twenty_at_most(play):
    bob = await play.somebody("Bob")
    other = await bob.elsewhere().signs_in()
    await play.subscribes(other, "other")
    assert await play.count() == 2
    await bob.post("/settings/devices/sign-out-others")
    assert await play.count() == 1
    await bob.post("/settings/password", {"current": bob.password, "new": "another horse"})
    assert await play.count() == 0
    bob.password = "another horse"
    for number in range(subscriptions.EACH_MOST + 2):
        await play.subscribes(await bob.elsewhere().signs_in(), f"device-{number}")
    assert await play.count() == subscriptions.EACH_MOST
    await bob.post("/sign-out-everywhere")
    assert await play.count() == 0


async def test_a_browser_is_of_whoever_signed_in_last(play):
    bob, cat = await play.somebody("Bob"), await somebody(play.site, "Cat")
    fields = play.service.browsers["Bob"].fields
    assert (await cat.post("/push/subscribe", fields)).status_code == 204
    assert await play.count() == 1
    assert (await bob.post("/push/test")).status_code == 404
    assert (await cat.post("/push/test")).json() == {"taken": True, "status": 201}
    assert (await play.service.next()).payload == {"test": True, "url": "/settings#notices"}
    play.service.answers = [410]
    assert (await cat.post("/push/test")).json() == {"taken": False, "status": 410}
    assert await play.count() == 0


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"endpoint": "https://169.254.169.254/x"}, "push_endpoint"),
        ({"endpoint": "http://push.example/x"}, "push_endpoint"),
        ({"endpoint": ""}, "push_endpoint"),
        ({"auth": "AAAA"}, "push_invalid"),
        ({"p256dh": "AAAA"}, "push_invalid"),
    ],
)
async def test_nonsense_is_no_subscription(play, changed, field):
    from chatapp.words import SENTENCES

    bob = await somebody(play.site, "Bob")
    fields = play.service.browser("bob").fields | changed
    answer = await bob.post("/push/subscribe", fields, headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert SENTENCES[field] in answer.text


async def test_replicas_and_restarts_share_one_key(play):
    first = await subscriptions.site_key(play.kit.database)
    assert await subscriptions.site_key(play.kit.database) == first


@pytest.mark.parametrize(
    ("start", "end", "zone", "quiet"),
    [
        (None, None, "UTC", False),
        (22 * 60, 7 * 60, "UTC", True),  # it is 22:13 in UTC
        (23 * 60, 7 * 60, "UTC", False),
        (9 * 60, 17 * 60, "America/New_York", False),
        (17 * 60, 18 * 60, "America/New_York", True),
        (7 * 60, 7 * 60 + 14, "Asia/Tokyo", True),
        (22 * 60, 22 * 60, "UTC", False),
        (22 * 60, 23 * 60, "No/Where", True),  # taken as UTC
        (22 * 60, 23 * 60, "../../etc/passwd", True),
    ],
)
def test_quiet_hours_are_those_of_the_person_s_zone(start, end, zone, quiet):
    assert Quiet(start, end, zone).holds(HeldClock().wall()) is quiet


async def test_quiet_hours_are_kept_with_the_zone_of_the_browser(play):
    bob = await somebody(play.site, "Bob")
    bob.client.cookies.set("tz", "Europe%2FBerlin")
    answer = await bob.post("/settings/quiet", {"from": "22:00", "until": ""})
    assert answer.status_code == 422
    await bob.post("/settings/quiet", {"from": "22:00", "until": "07:30"})
    row = await play.kit.database.fetch_one(select(users).where(users.c.name == "Bob"))
    assert (row.quiet_from, row.quiet_until, row.zone) == (1320, 450, "Europe/Berlin")
    await bob.post("/settings/quiet", {"from": "", "until": ""})
    row = await play.kit.database.fetch_one(select(users).where(users.c.name == "Bob"))
    assert (row.quiet_from, row.quiet_until) == (None, None)


async def test_a_push_of_a_conversation_is_called_by_its_people_for_each_who_gets_it(play):
    ann = await somebody(play.site, "Ann Archer")
    for name in ("Bob", "Cat"):
        await play.somebody(name)
    answer = await ann.post("/direct", {"names": "Bob\nCat"})
    room = int(answer.headers["location"].removeprefix("/rooms/"))
    await ann.says(room, "Lunch?")
    pushes = await play.after(5.1, 2)
    names = {each: push.payload["name"] for each, push in pushes.items()}
    assert names == {"Bob": "Ann Archer, Cat", "Cat": "Ann Archer, Bob"}
