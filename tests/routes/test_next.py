"""Where signing in leads: to a page of ours, never to another site."""

import pytest

from tests.routes import pages
from tests.routes.people import Person


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tried here does not depend on the database."""
    return sqlite_url


ELSEWHERE = [
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example",
    "https://evil.example", "https:evil.example", "http:/evil.example", "javascript:alert(1)",
    "data:text/html,x", "evil.example", "/\t/evil.example", "\t//evil.example", " //evil.example",
    "/\n/evil.example", "/a\r\nSet-Cookie: sid=x", "/%0d%0a\r\nX: y", "/\0", "/é", "/" + "a" * 600, "",
    "?next=/", "#", "/a b", "/\u2028", "\ufeff//evil.example", "//", "/\\", "/\u202e",
]  # fmt: skip
OURS = [
    "/",
    "/rooms/7",
    "/rooms/7?around=3",
    "/rooms?q=a%20b&show=all",
    "/rooms/7#m-3",
    "/settings",
]


@pytest.mark.parametrize("target", ELSEWHERE, ids=ascii)
async def test_who_is_sent_elsewhere_lands_at_home(bob, target):
    for answer in (
        await bob.elsewhere().tries_to_sign_in(next=target),
        await Person(bob.site).tries_to_sign_up(next=target),
        await bob.get("/sign-in", params={"next": target}),
    ):
        assert answer.status_code == 303
        assert answer.headers["location"] == "/"
    for path in ("/sign-in", "/sign-up"):
        html = (await Person(bob.site).get(path, params={"next": target})).text
        assert pages.read(html).all("input", name="next") == []
        assert "evil" not in html


@pytest.mark.parametrize("target", OURS)
async def test_a_page_of_ours_is_reached(bob, target):
    answer = await bob.elsewhere().tries_to_sign_in(next=target)
    assert answer.headers["location"] == target


@pytest.mark.parametrize(
    "path", ["//evil.example/x", "/%2f/evil.example", "/%5cevil.example", "/.//evil.example"]
)
async def test_no_address_redirects_to_another_site(bob, path):
    for address in (path, path + "/"):
        request = bob.client.build_request("GET", "http://localhost/x")
        request.url = request.url.copy_with(raw_path=address.encode())
        answer = await bob.client.send(request)
        target = answer.headers.get("location", "/")
        assert target.startswith(("/", "http://localhost/"))
        assert not target.startswith("//")
