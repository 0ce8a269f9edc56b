"""What other sites make a browser send is not carried out."""

import httpx
import pytest
from starlette.routing import Route

from chatapp.routes.table import routes
from tests.routes import pages
from tests.routes.people import HTMX, PASSWORD, Person, services
from tests.support.asgi import Site
from tests.support.asgi_socket import AsgiSocket, Refused


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tried here does not depend on the database."""
    return sqlite_url


FOREIGN: dict[str, dict[str, str | None]] = {
    "another site": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    "another site in an old browser": {"Origin": "https://evil.example", "Sec-Fetch-Site": None},
    "a sibling": {"Origin": "http://other.localhost", "Sec-Fetch-Site": "same-site"},
    "a sandboxed frame": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    "a sandboxed frame in an old browser": {"Origin": "null", "Sec-Fetch-Site": None},
    "a name that begins like ours": {
        "Origin": "http://localhost.evil.example",
        "Sec-Fetch-Site": None,
    },
    "a name that ends like ours": {"Origin": "http://evillocalhost", "Sec-Fetch-Site": None},
    "another port": {"Origin": "http://localhost:444", "Sec-Fetch-Site": None},
    "another scheme": {"Origin": "https://localhost", "Sec-Fetch-Site": None},
    "only what the browser says": {"Origin": None, "Sec-Fetch-Site": "cross-site"},
    "an odd word": {"Origin": "http://localhost", "Sec-Fetch-Site": "sAmE-oRiGiN?"},
    "a forwarded name": {
        "Origin": "https://evil.example",
        "Sec-Fetch-Site": None,
        "X-Forwarded-Host": "evil.example",
    },
}
UNSAFE = [
    route.path.replace("{room_id:number}", "1")
    .replace("{device_id:number}", "1")
    .replace("{seq:number}", "3")
    for route in routes("0" * 12)
    if isinstance(route, Route) and "POST" in (route.methods or ())
]
FIELDS = {
    "name": "Mallory",
    "email": "eve@people.example",
    "password": PASSWORD,
    "current": PASSWORD,
    "new": "another horse",
    "confirm": "Lab",
    "body": "sent by evil",
    "key": "0e5a4ff6-0000-4000-8000-000000000000",
    "theme": "dark",
    "hue": "1",
}


async def from_(
    person: Person, headers: dict[str, str | None], path: str, method: str = "POST"
) -> httpx.Response:
    """The request with the person's cookies and exactly these headers."""
    request = person.client.build_request(method, path, data=FIELDS if method == "POST" else None)
    for name, value in headers.items():
        if value is None:
            request.headers.pop(name, None)
        else:
            request.headers[name] = value
    return await person.client.send(request)


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
async def test_no_form_of_another_site_does_anything(ann, bob, lab, headers):
    assert len(UNSAFE) >= 15
    for path in UNSAFE:
        answer = await from_(ann, headers, path)
        assert answer.status_code == 403, path
        assert "came from another site" in answer.text
        assert "set-cookie" not in answer.headers
    assert await ann.is_signed_in()
    page = await ann.sees(lab)
    assert pages.read(page).one("h1").text.strip() == "Lab"
    assert pages.bodies(page) == []
    assert pages.members(page) == ["Ann Archer", "Bob Baker"]
    assert "Mallory" not in (await ann.get("/rooms")).text


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST", "PROPFIND", "post"])
async def test_any_method_that_is_not_known_to_be_safe_is_held_back(ann, method):
    assert (await from_(ann, FOREIGN["another site"], "/rooms", method)).status_code == 403


async def test_nobody_is_signed_in_to_somebody_elses_account_by_another_site(bob):
    victim = Person(bob.site)
    fields = {"email": bob.email, "password": PASSWORD}
    for headers in FOREIGN.values():
        request = victim.client.build_request("POST", "/sign-in", data=fields)
        for name, value in headers.items():
            request.headers.pop(name, None)
            if value is not None:
                request.headers[name] = value
        assert (await victim.client.send(request)).status_code == 403
    assert not await victim.is_signed_in()


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/json", "multipart/form-data; boundary=x"]
)
async def test_another_kind_of_body_is_no_way_around(ann, kind):
    request = ann.client.build_request("POST", "/sign-out", content=b"a=b")
    request.headers.update({"content-type": kind, "origin": "https://evil.example"})
    assert (await ann.client.send(request)).status_code == 403
    assert await ann.is_signed_in()


OURS: dict[str, dict[str, str | None]] = {
    "a page of ours": {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
    "a page of ours in an old browser": {"Origin": "http://localhost", "Sec-Fetch-Site": None},
    "in capital letters": {"Origin": "HTTP://LOCALHOST", "Sec-Fetch-Site": None},
    "with the port that goes without saying": {
        "Origin": "http://localhost:80",
        "Sec-Fetch-Site": None,
    },
    "typed into the address bar": {"Origin": None, "Sec-Fetch-Site": "none"},
    "a program": {"Origin": None, "Sec-Fetch-Site": None},
}


@pytest.mark.parametrize("headers", OURS.values(), ids=OURS)
async def test_our_own_forms_are_carried_out(ann, headers):
    assert (await from_(ann, headers, "/rooms")).status_code == 303
    assert "Mallory" in (await ann.get("/rooms")).text


async def test_looking_at_any_address_changes_nothing(ann, bob, lab):
    """As pictures, prefetch and links of other sites do."""
    site = ann.site
    for path in [*UNSAFE, "/logout", f"/rooms/{lab}", "/settings"]:
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = await from_(ann, FOREIGN["another site"], path + "?" + "confirm=Lab", method)
            assert answer.status_code < 500
    assert await ann.is_signed_in()
    assert pages.members(await ann.sees(lab)) == ["Ann Archer", "Bob Baker"]
    assert pages.events(await ann.sees(lab)) == ["created", "joined"]
    assert (
        services(site).metrics.value("chatapp_batch_commands_count") == 2
    )  # opened and joined, nothing since


# -- sockets -----------------------------------------------------------------------------


async def knocks(site: Site, person: Person, host: str, scheme: str, origin: str | None) -> int:
    """0 when the socket was accepted, else the status of the refusal."""
    cookie = "__Host-sid" if scheme == "wss" else "sid"
    headers = {"host": host, "cookie": f"{cookie}={person.client.cookies[cookie]}"}
    if origin is not None:
        headers["origin"] = origin
    socket = AsgiSocket(site._served, "/ws", headers=headers, address="10.9.9.9")
    socket._scope["scheme"] = scheme
    try:
        await socket.connect()
    except Refused as refusal:
        return refusal.status
    try:
        assert (await socket.receive_json())["type"] == "hello"
    finally:
        await socket.leave()
    return 0


ORIGINS = {
    "https://evil.example": 403,
    "null": 403,
    "": 403,
    "https://chat.example.evil.example": 403,
    "https://evilchat.example": 403,
    "https://sub.chat.example": 403,
    "http://chat.example": 403,
    "https://chat.example:444": 403,
    "https://chat.example/": 403,
    "https://chat.example@evil.example": 403,
    "chat.example": 403,
    None: 403,
    "https://chat.example": 0,
    "HTTPS://CHAT.EXAMPLE": 0,
    "https://chat.example:443": 0,
}


async def test_a_socket_is_opened_for_pages_of_ours_alone(make_site):
    site = await make_site(ALLOWED_HOSTS="chat.example")
    ann = await Person(site, base_url="https://chat.example").signs_up()
    for origin, expected in ORIGINS.items():
        found = await knocks(site, ann, "chat.example", "wss", origin)
        assert found == expected, origin


async def test_behind_a_port_the_port_is_part_of_where_a_page_is_from(make_site):
    site = await make_site()
    ann = await Person(site).signs_up()
    for origin, expected in {
        "http://localhost:8000": 0,
        "http://localhost": 403,
        "http://localhost:8001": 403,
        "https://localhost:8000": 403,
        "http://127.0.0.1:8000": 403,
    }.items():
        assert await knocks(site, ann, "localhost:8000", "ws", origin) == expected, origin


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "", "localhost/x", "a b"]
)
async def test_a_socket_for_another_host_is_refused(make_site, host):
    site = await make_site()
    ann = await Person(site).signs_up()
    assert await knocks(site, ann, host, "ws", f"http://{host}") == 403


@pytest.mark.parametrize("path", ["/", "/rooms/1", "/ws/", "/wss", "/static/x"])
async def test_there_is_one_address_for_sockets(ann, path):
    with pytest.raises(Refused):
        async with ann.socket(path=path):
            pass


async def test_asking_for_the_socket_as_a_page_is_answered_as_for_any_missing_page(ann):
    assert (await ann.get("/ws", headers=HTMX)).status_code == 404
