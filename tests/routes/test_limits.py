"""How often somebody may ask. The clock stands still until a test moves it."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import httpx
import pytest

from chatapp import limits
from chatapp.clock import HeldClock
from tests.routes import pages
from tests.routes.people import JSON, PASSWORD, Person, somebody
from tests.support.asgi import Site
from tests.support.fixtures import MakeSite


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(1000.0)


@pytest.fixture
async def held(make_site: MakeSite, sqlite_url: str, clock: HeldClock) -> Site:
    return await make_site(clock=clock, DATABASE_URL=sqlite_url)


Ask = Callable[[], Awaitable[httpx.Response]]


async def exhaust(ask: Ask, rate: limits.Rate, clock: HeldClock, status: int) -> httpx.Response:
    """Asks as often as is allowed, once too often, and again when the wait that was told is over."""
    answers = [(await ask()).status_code for _ in range(rate.count)]
    assert answers == [status] * rate.count, answers
    refused = await ask()
    assert refused.status_code == 429
    wait = int(refused.headers["retry-after"])
    assert 1 <= wait <= rate.seconds / rate.count + 1
    clock.advance(wait + 1)
    assert (await ask()).status_code == status
    return refused


async def test_signing_in_to_one_account_whoever_tries(held, clock):
    bob = await somebody(held)

    def ask() -> Awaitable[httpx.Response]:
        return Person(held).tries_to_sign_in(email=bob.email, password="wrong horse battery")

    refused = await exhaust(ask, limits.SIGN_IN, clock, 422)
    assert "a lot in a short time" in pages.read(refused.text).one("main").text
    other = await somebody(held)
    assert (await other.elsewhere().tries_to_sign_in()).status_code == 303


async def test_an_account_that_does_not_exist_is_limited_alike(held, clock):
    def ask() -> Awaitable[httpx.Response]:
        return Person(held).tries_to_sign_in(email="nobody@people.example")

    await exhaust(ask, limits.SIGN_IN, clock, 422)


async def test_bob_gets_in_after_a_while_though_somebody_keeps_guessing(held, clock):
    bob = await somebody(held)
    for _ in range(30):
        await Person(held).tries_to_sign_in(email=bob.email, password="wrong horse battery")
    assert (await bob.elsewhere().tries_to_sign_in()).status_code == 429
    clock.advance(limits.SIGN_IN.seconds / limits.SIGN_IN.count + 1)
    assert (await bob.elsewhere().tries_to_sign_in()).status_code == 303


async def test_signing_in_from_one_address(held, clock):
    guesser = Person(held)
    numbers = iter(range(10**6))

    def ask() -> Awaitable[httpx.Response]:
        return guesser.tries_to_sign_in(email=f"n{next(numbers)}@people.example")

    await exhaust(ask, limits.SIGN_IN_ADDRESS, clock, 422)
    await (await somebody(held)).elsewhere().signs_in()


async def test_all_addresses_of_one_household_count_as_one(held):
    for number in range(limits.SIGN_UP_ADDRESS.count):
        neighbour = Person(held, address=f"2001:db8:1:2::{number:x}")
        assert (await neighbour.tries_to_sign_up(email="x")).status_code == 422
    again = Person(held, address="2001:db8:1:2:ffff::1")
    assert (await again.tries_to_sign_up()).status_code == 429
    await Person(held, address="2001:db8:1:3::1").signs_up()


async def test_signing_up_from_one_address(held, clock):
    visitor = Person(held)
    await exhaust(lambda: visitor.tries_to_sign_up(email="x"), limits.SIGN_UP_ADDRESS, clock, 422)


async def test_posting(held, clock):
    ann = await somebody(held)
    room = await ann.opens("Lab")

    def ask() -> Awaitable[httpx.Response]:
        return ann.tries_to_say(room, "hello")

    refused = await exhaust(ask, limits.POST, clock, 200)
    assert refused.json()["outcome"] == "busy"
    assert refused.json()["retry_after"] > 0


async def test_posting_over_both_ways_is_counted_together(held):
    ann = await somebody(held)
    room = await ann.opens("Lab")
    for _ in range(limits.POST.count - 1):
        await ann.says(room, "hello")
    async with ann.socket() as socket:
        kinds = []
        for _ in range(2):
            frame = {"type": "post", "room": room, "key": str(uuid4()), "body": "hello"}
            await socket.send_json(frame)
            while (answer := await socket.receive_json())["type"] == "hello":
                pass
            kinds.append(answer["type"])
        assert kinds == ["ack", "busy"]
        assert answer["retry_after"] > 0
    assert (await ann.tries_to_say(room, "hello")).status_code == 429


async def test_opening_rooms(held, clock):
    ann = await somebody(held)
    numbers = iter(range(10**6))

    def ask() -> Awaitable[httpx.Response]:
        return ann.post("/rooms", {"name": f"Room {next(numbers)}"})

    await exhaust(ask, limits.CREATE_ROOM, clock, 303)


async def test_searching(held, clock):
    ann = await somebody(held)
    room = await ann.opens("Lab")
    await exhaust(lambda: ann.get("/rooms?q=a"), limits.SEARCH, clock, 200)
    for path in ("/rooms?q=b", f"/rooms/{room}/members?q=c"):
        while (await ann.get("/rooms?q=a")).status_code == 200:
            pass
        assert (await ann.get(path)).status_code == 429
    assert (await ann.get("/rooms")).status_code == 200  # looking without searching is free


async def test_joining_and_leaving(held, clock):
    ann, bob = await somebody(held), await somebody(held)
    room = await ann.opens("Lab")
    await exhaust(lambda: bob.post(f"/rooms/{room}/join"), limits.MEMBERSHIP, clock, 303)


async def test_guessing_ones_own_password(held, clock):
    ann = await somebody(held)
    fields = {"current": "wrong horse battery", "new": "another horse"}
    await exhaust(lambda: ann.post("/settings/password", fields), limits.PASSWORD, clock, 422)
    while (await ann.post("/settings/password", fields)).status_code == 422:
        pass
    answer = await ann.post("/settings/delete-account", {"password": PASSWORD})
    assert answer.status_code == 429  # counted together: no second way to guess


async def test_changing_a_room_and_oneself(held, clock):
    ann = await somebody(held)
    room = await ann.opens("Lab")
    edit = {"name": "Lab", "topic": "x"}
    await exhaust(lambda: ann.post(f"/rooms/{room}/settings", edit), limits.EDIT_ROOM, clock, 303)
    me = {"name": ann.name, "hue": "1"}
    await exhaust(lambda: ann.post("/settings/profile", me), limits.PROFILE, clock, 303)


async def test_one_person_does_not_use_up_what_is_another_ones(held):
    ann, bob = await somebody(held), await somebody(held)
    room = await ann.opens("Lab")
    await bob.joins(room)
    while (await ann.tries_to_say(room, "hello")).status_code == 200:
        pass
    await bob.says(room, "me too")


async def test_a_program_is_told_when_to_come_back(held):
    visitor = Person(held)
    while (await visitor.tries_to_sign_up(email="x")).status_code == 422:
        pass
    answer = await visitor.client.post("/sign-up", data={"name": "x"}, headers=JSON)
    assert answer.status_code == 429
    assert answer.json()["code"] == "too_many"
    assert answer.json()["message"].startswith("That was a lot")


async def test_a_site_may_allow_more(make_site, sqlite_url):
    site = await make_site(clock=HeldClock(1000.0), DATABASE_URL=sqlite_url, LIMIT_FACTOR="2")
    visitor = Person(site)
    answers = [(await visitor.tries_to_sign_up(email="x")).status_code for _ in range(41)]
    assert answers == [422] * 40 + [429]


async def test_searching_what_was_said(held, clock):
    ann = await somebody(held)
    await exhaust(lambda: ann.get("/search?q=hello"), limits.SEARCH, clock, 200)
    while (await ann.get("/search?q=hello")).status_code == 200:
        pass
    assert (await ann.get("/search?q=")).status_code == 200  # the field alone asks for nothing
