"""Coming in."""

import asyncio
import itertools
import statistics
import threading
import time

from chatapp.domain import sessions
from chatapp.security import WAITING_MOST
from tests.routes import pages
from tests.routes.people import JSON, ROOMY, Person, services, somebody, until


async def test_bob_comes_in_with_another_browser(bob):
    assert await (await bob.elsewhere().signs_in()).is_signed_in()


async def test_who_was_on_the_way_to_a_room_arrives_there(bob, lab):
    other = bob.elsewhere()
    sent_away = await other.get(f"/rooms/{lab}?around=2")
    form = await other.get(sent_away.headers["location"])
    following = pages.read(form.text).one("input", name="next").attributes["value"]
    assert following == f"/rooms/{lab}?around=2"
    answer = await other.tries_to_sign_in(next=following)
    assert answer.headers["location"] == f"/rooms/{lab}?around=2"


async def test_who_is_in_already_is_led_on(bob, lab):
    answer = await bob.get(f"/sign-in?next=/rooms/{lab}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/rooms/{lab}")
    assert (await bob.get("/sign-up")).headers["location"] == "/"


async def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(bob):
    stranger = Person(bob.site)
    wrong = await stranger.tries_to_sign_in(email=bob.email, password="wrong horse battery")
    unknown = await stranger.tries_to_sign_in(email="who@people.example")
    nonsense = await stranger.tries_to_sign_in(email="not an address")
    for answer in (wrong, unknown, nonsense):
        assert answer.status_code == 422
        assert pages.alert(answer.text) == "Email or password is not right."
        assert "set-cookie" not in answer.headers

    def shape(text: str, email: str) -> str:
        return text.replace(email, "EMAIL")

    assert shape(wrong.text, bob.email) == shape(unknown.text, "who@people.example")
    assert pages.typed(wrong.text, "email") == bob.email


async def test_an_unknown_address_takes_as_long_as_a_wrong_password(make_site):
    site = await make_site(password_cost=8, LIMIT_FACTOR=ROOMY)
    bob = await somebody(site)
    stranger = Person(site)

    async def seconds(email: str) -> float:
        started = time.perf_counter()
        await stranger.tries_to_sign_in(email=email, password="wrong horse battery")
        return time.perf_counter() - started

    known, unknown = [], []
    for _ in range(15):  # in turns, so that a busy machine is busy for both
        known.append(await seconds(bob.email))
        unknown.append(await seconds("who@people.example"))
    assert 0.67 < statistics.median(known) / statistics.median(unknown) < 1.5


async def test_nothing_else_waits_while_passwords_are_hashed(make_site):
    site = await make_site(password_cost=11, LIMIT_FACTOR=ROOMY)
    bob = await somebody(site)
    gaps = []
    for _ in range(4):  # a busy machine may stop us for a while, but not each time
        ticks = [time.perf_counter()]
        signing_in = asyncio.ensure_future(bob.elsewhere().tries_to_sign_in())
        while not signing_in.done():
            await asyncio.sleep(0.001)
            ticks.append(time.perf_counter())
        assert (await signing_in).status_code == 303
        longest = max(later - earlier for earlier, later in itertools.pairwise(ticks))
        gaps.append(longest / (ticks[-1] - ticks[0]))
    assert min(gaps) < 0.4, "the loop stood still for most of a hash"


async def test_when_too_many_wait_for_a_hash_the_next_is_asked_to_come_again(make_site):
    site = await make_site(LIMIT_FACTOR=ROOMY)
    people = [Person(site) for _ in range(WAITING_MOST)]
    passwords = services(site).passwords
    go_on = threading.Event()
    blockers = [passwords._pool.submit(go_on.wait, 20) for _ in range(passwords._threads)]
    try:
        waiting = [asyncio.ensure_future(person.tries_to_sign_up()) for person in people]
        await until(lambda: passwords._waiting == WAITING_MOST)
        last = Person(site)
        refused = await last.tries_to_sign_in()
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert "busy" in pages.read(refused.text).one("main").text
        told = await last.client.post("/sign-in", data={"email": "a@b.example"}, headers=JSON)
        assert told.json()["code"] == "busy"
    finally:
        go_on.set()
    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {303}
    assert all(blocker.result(5) for blocker in blockers)
    assert (await last.tries_to_sign_up()).status_code == 303


async def test_spelling_an_address_in_another_way_is_no_way_around_the_limit(site):
    """The same account under many spellings is still one account."""
    spellings = [
        "bob@xn--bcher-kva.example",
        "bob@b\u00fccher.example",
        "bob@bu\u0308cher.example",
        "BOB@B\u00dcCHER.EXAMPLE",
        "bob@\uff42\u00fccher.example",
        " bob@b\u00fccher.example",
    ]
    answers = [
        (await Person(site).tries_to_sign_in(email=spellings[number % len(spellings)])).status_code
        for number in range(14)
    ]
    assert answers == [422] * 10 + [429] * 4


async def test_who_was_let_in_by_the_old_password_while_it_changed_stays_out(site, monkeypatch):
    """The password was right when it was looked at; a moment later it, and all sessions, had ended."""
    ann = await somebody(site)
    thief = ann.elsewhere()
    start = sessions.start

    async def late(*given, **named):
        monkeypatch.setattr(sessions, "start", start)
        fields = {"current": ann.password, "new": "another horse battery"}
        assert (await ann.post("/settings/password", fields)).status_code == 303
        return await start(*given, **named)

    monkeypatch.setattr(sessions, "start", late)
    assert (await thief.tries_to_sign_in()).status_code == 422
    assert not await thief.is_signed_in()
    assert await ann.is_signed_in()
