"""The session cookie: what it is like, whose it is, and when it stops being worth anything."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from chatapp.app import create_app
from chatapp.settings import Settings
from chatapp.tables import sessions
from tests.routes import pages
from tests.routes.people import HTMX, JSON, PASSWORD, Person, services, somebody
from tests.support.asgi import Site, lifespan
from tests.support.asgi_socket import AsgiSocket, Closed


def cookie_of(answer: httpx.Response, name: str) -> dict[str, str]:
    """The attributes of a cookie as it was set, names in small letters."""
    found = [line for line in answer.headers.get_list("set-cookie") if line.startswith(name + "=")]
    assert len(found) == 1, answer.headers
    morsel = SimpleCookie(found[0])[name]
    given = {key: str(value) for key, value in morsel.items() if value}
    return {"value": morsel.value, **given}


async def test_over_http_the_cookie_is_for_the_server_alone(site):
    cookie = cookie_of(await Person(site).tries_to_sign_up(), "sid")
    assert cookie.pop("value")
    assert int(cookie.pop("max-age")) >= 30 * 24 * 3600
    assert cookie == {"httponly": "True", "samesite": "lax", "path": "/"}


async def test_over_https_the_cookie_is_bound_to_this_host_and_to_https(site):
    ann = Person(site, base_url="https://localhost")
    cookie = cookie_of(await ann.tries_to_sign_up(), "__Host-sid")
    del cookie["value"], cookie["max-age"]
    assert cookie == {"httponly": "True", "samesite": "lax", "path": "/", "secure": "True"}
    assert await ann.is_signed_in()
    gone = cookie_of(await ann.post("/sign-out"), "__Host-sid")
    assert (gone["max-age"], gone["secure"], gone["path"]) == ("0", "True", "/")
    assert not await ann.is_signed_in()


async def test_over_https_a_cookie_that_plain_http_could_have_set_counts_for_nothing(ann):
    over_https = Person(ann.site, base_url="https://localhost")
    over_https.client.cookies.set("sid", ann.cookie)
    assert not await over_https.is_signed_in()


async def test_no_page_gives_a_session_to_who_has_none(site):
    for path in ("/", "/sign-in", "/sign-up", "/rooms", "/offline", "/nothing-here"):
        answer = await Person(site).get(path)
        assert "sid" not in answer.headers.get("set-cookie", ""), path


async def test_a_planted_cookie_is_never_adopted(ann):
    for planted in ["x", "a" * 43, "a" * 43 + ".aaaaaa.bbbb", "", "ÿ", '"', ".", ";"]:
        victim = ann.elsewhere()
        headers = {"Cookie": f"sid={planted}".encode("latin-1")}
        assert (await victim.get("/sidebar", headers=headers)).status_code == 303
        answer = await victim.client.post(
            "/sign-in", data={"email": ann.email, "password": PASSWORD}, headers=headers
        )
        assert cookie_of(answer, "sid")["value"] != planted, ascii(planted)
        assert (await Person(ann.site).get("/sidebar", headers=headers)).status_code == 303


async def test_signing_in_gives_a_new_session_even_over_one_of_somebody_else(ann, bob):
    """Bob plants his own live session in Ann's browser and waits for her to sign in."""
    victim = ann.elsewhere()
    victim.client.cookies.set("sid", bob.cookie, domain="localhost.local")
    await victim.signs_in()
    assert victim.client.cookies.get("sid", domain="localhost.local") != bob.cookie
    assert not await Person(ann.site).with_cookie(bob.cookie).is_signed_in()


async def test_of_two_cookies_in_one_header_neither_turns_into_a_third_person(ann, bob):
    headers = {"Cookie": f"sid=x; sid={bob.cookie}"}
    answer = await Person(ann.site).get("/settings", headers=headers)
    assert answer.status_code == 303 or bob.email in answer.text
    assert ann.email not in answer.text


async def test_a_page_that_was_asked_for_before_signing_in_and_comes_late_signs_nobody_out(ann):
    """Its answer lands when the new cookie is there already: it may not touch it."""
    browser = ann.elsewhere()
    browser.client.cookies.set("theme", "dark")
    for headers in ({}, HTMX, JSON, {"Cookie": "sid=old.dead.cookie"}):
        late = await browser.get("/rooms", headers=headers)
        assert late.status_code in {303, 401}
        assert "sid=" not in late.headers.get("set-cookie", "")


async def test_a_page_that_was_asked_for_before_signing_out_and_comes_late_signs_nobody_in(ann):
    for path in ("/", "/rooms", "/settings", "/sidebar"):
        assert "sid=" not in (await ann.get(path)).headers.get("set-cookie", ""), path


# -- the end of a session ---------------------------------------------------------


async def sign_out(bob: Person, _copied: Person) -> None:
    await bob.post("/sign-out")


async def sign_out_everywhere(bob: Person, _copied: Person) -> None:
    await (await bob.elsewhere().signs_in()).post("/sign-out-everywhere")


async def change_the_password(bob: Person, _copied: Person) -> None:
    other = await bob.elsewhere().signs_in()
    await other.post("/settings/password", {"current": PASSWORD, "new": "another horse"})
    assert await other.is_signed_in()


async def change_the_password_here(bob: Person, _copied: Person) -> None:
    answer = await bob.post("/settings/password", {"current": PASSWORD, "new": "another horse"})
    assert answer.status_code == 303


async def sign_out_this_device(bob: Person, _copied: Person) -> None:
    other = await bob.elsewhere().signs_in()
    await other.post(f"/settings/devices/{await other_device(other)}/sign-out")


async def sign_out_the_others(bob: Person, _copied: Person) -> None:
    await (await bob.elsewhere().signs_in()).post("/settings/devices/sign-out-others")


async def delete_the_account(bob: Person, _copied: Person) -> None:
    assert (await bob.post("/settings/delete-account", {"password": PASSWORD})).status_code == 303


async def other_device(person: Person) -> int:
    """The number of the first device in the list that is not this one."""
    page = pages.read((await person.get("/settings")).text)
    forms = [form.attributes["action"] for form in page.all("form", class_="list-action")]
    return int(next(action for action in forms if action.startswith("/settings/")).split("/")[3])


ENDS = [
    sign_out,
    sign_out_everywhere,
    change_the_password,
    change_the_password_here,
    sign_out_this_device,
    sign_out_the_others,
    delete_the_account,
]


@pytest.mark.parametrize("end", ENDS)
async def test_a_copied_cookie_is_dead_and_its_socket_closed_after(end, ann, bob, lab):
    thief = bob.with_cookie(bob.cookie)
    assert await thief.is_signed_in()
    async with thief.socket() as socket:
        epoch = (await socket.receive_json("hello"))["epoch"]
        await socket.send_json({"type": "watch", "room": lab, "cursor": f"{epoch}:0"})
        await socket.receive_json("watching")
        await end(bob, thief)
        await ann.says(lab, "after")
        heard: list[dict[str, Any]] = []
        assert await _last_words(socket, heard) == 4401
        assert not any("after" in frame.get("html", "") for frame in heard)
    assert not await thief.is_signed_in()
    assert (await thief.tries_to_say(lab, "still here")).status_code == 401
    async with thief.socket() as socket:
        assert await socket.closed() == 4401


async def _last_words(socket: AsgiSocket, heard: list[dict[str, Any]]) -> int:
    while True:
        try:
            heard.append(json.loads(await socket.receive()))
        except Closed as end:
            return end.code


async def test_ending_somebodys_session_leaves_everybody_elses_alone(ann, bob):
    await bob.post("/sign-out-everywhere")
    assert await ann.is_signed_in()


async def test_who_is_signed_out_is_told_so_once(ann):
    answer = await ann.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert pages.status((await ann.get("/sign-in")).text) == "You are signed out."
    assert "You are signed out" not in (await ann.get("/sign-in")).text
    assert (await ann.post("/sign-out")).status_code == 303  # twice does no harm


async def test_a_cookie_that_was_altered_is_worth_nothing(ann):
    good = ann.cookie
    for place in range(0, len(good), 7):
        altered = good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :]
        assert not await ann.with_cookie(altered).is_signed_in(), place
        assert await ann.with_cookie(good).is_signed_in()


async def test_a_cookie_that_was_cut_is_worth_nothing(ann):
    for cut in [1, 20, 40]:
        assert not await ann.with_cookie(ann.cookie[:-cut]).is_signed_in(), cut


async def test_a_session_ends_when_nobody_came_for_a_month(ann):
    await _set(ann.site, expires_at=1)
    assert not await ann.is_signed_in()


async def test_each_visit_makes_the_session_last_longer(ann):
    before = await _expiry(ann.site)
    hour = 3_600_000
    await _set(ann.site, seen_at=before - 31 * 24 * hour, expires_at=before - hour * 24 * 29)
    assert await ann.is_signed_in()
    assert await _expiry(ann.site) >= before
    # The browser must not throw the cookie away before the session ends.
    cookie = cookie_of(await ann.elsewhere().tries_to_sign_in(), "sid")
    assert int(cookie["max-age"]) > 2 * 30 * 24 * 3600


async def _set(site: Site, **values: int) -> None:
    async with services(site).database.transaction() as tx:
        await tx.execute(update(sessions).values(**values))


async def _expiry(site: Site) -> int:
    expiry: int = await services(site).database.fetch_value(select(sessions.c.expires_at))
    return expiry


# -- what is asked for without a session --------------------------------------------


async def test_a_background_request_without_a_session_changes_the_whole_page(lab, site):
    visitor = Person(site)
    for path in (
        "/sidebar",
        f"/rooms/{lab}/messages?before=9",
        "/rooms?q=a",
        f"/rooms/{lab}/members",
    ):
        answer = await visitor.get(path, headers=HTMX)
        assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")
        assert answer.text == ""
    posted = await visitor.client.post(f"/rooms/{lab}/messages", data={"body": "x"}, headers=HTMX)
    assert (posted.status_code, posted.headers["hx-redirect"]) == (401, "/sign-in")


async def test_a_program_without_a_session_gets_a_code_and_a_sentence(lab, site):
    answer = await Person(site).tries_to_say(lab, "hello")
    assert answer.status_code == 401
    assert answer.json() == {"code": "signed_out", "message": "Please sign in first."}


# -- keys ---------------------------------------------------------------------------

OLD, NEW = "0123456789abcdef" * 2, "fedcba9876543210" * 2


@asynccontextmanager
async def running(url: str, keys: str, folder: Path) -> AsyncIterator[Site]:
    settings = Settings.from_env({"DATABASE_URL": url, "DATA_DIR": str(folder), "SECRET_KEY": keys})
    app = create_app(settings, password_cost=4)
    async with lifespan(app) as state:
        site = Site(app, state, settings)
        yield site
        await site.close()


async def test_signing_keys_are_replaced_without_signing_anybody_out(database_url, tmp_path):
    async with running(database_url, OLD, tmp_path) as site:
        ann = await somebody(site)
        old = ann.cookie
    async with running(database_url, f"{OLD},{NEW}", tmp_path) as site:
        assert await Person(site).with_cookie(old).is_signed_in()
        again = await Person(site, ann.name, ann.email).signs_in()
        new = again.cookie
    async with running(database_url, NEW, tmp_path) as site:
        assert await Person(site).with_cookie(new).is_signed_in()
        assert not await Person(site).with_cookie(old).is_signed_in()
