"""The outside is https, whether TLS ends at this nginx or before it."""

import ssl

import httpx
import pytest
import websockets

from tests.cases.callers import PASSWORD
from tests.cases.pair import Pair
from tests.deploy.conftest import Shipped
from tests.deploy.shipped import ShippedNginx
from tests.routes import pages

NAMES = iter(range(1000))
HSTS = "strict-transport-security"


def signing_up() -> dict[str, str]:
    number = next(NAMES)
    return {"name": f"Tess {number}", "email": f"tess{number}@people.example", "password": PASSWORD}


async def is_https_all_over(visitor: httpx.AsyncClient) -> None:
    """EDG-03: no redirect to http, no cookie without Secure, for somebody who comes by https."""
    assert visitor.base_url.scheme == "https" or "X-Forwarded-Proto" in visitor.headers
    signed_up = await visitor.post("/sign-up", data=signing_up())
    assert signed_up.status_code == 303, signed_up.text
    cookie = signed_up.headers["set-cookie"]
    assert cookie.startswith("__Host-sid=")
    assert {"secure", "httponly", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert signed_up.headers.get_list(HSTS) == ["max-age=31536000"]
    visitor.headers["Cookie"] = cookie.split(";")[0]
    signed_out = {"Cookie": ""}
    for path, headers in (("/rooms/", {}), ("/settings/", {}), ("/rooms", signed_out), ("/", {})):
        answer = await visitor.get(path, headers=headers)
        assert answer.headers.get_list(HSTS) == ["max-age=31536000"]
        location = answer.headers.get("location", "/")
        assert location.startswith(("/", "https://")), location
        assert "http://127" not in answer.text
        assert "ws://" not in answer.text


@pytest.fixture
def secure(pair: Pair, shipped: Shipped) -> ShippedNginx:
    """tls.conf.example, with a certificate that a test has signed for itself."""
    return shipped(*(each.url for each in pair), tls=True)


@pytest.fixture
def trusting(secure: ShippedNginx) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(secure.folder / "tls" / "fullchain.pem"))


async def test_where_nginx_ends_tls_everything_is_https(secure, trusting):
    async with httpx.AsyncClient(
        base_url=secure.url, verify=trusting, headers={"Origin": secure.url}
    ) as tess:
        await is_https_all_over(tess)
        cookie = tess.headers["Cookie"]
        too_large = await tess.post("/rooms", content=b"a" * 20_000)
        assert (too_large.status_code, HSTS in too_large.headers) == (413, True)
    address = f"wss://{secure.host}/ws"
    for origin in (secure.url, secure.url.replace("https", "http")):
        connecting = websockets.connect(
            address,
            ssl=trusting,
            origin=websockets.Origin(origin),
            additional_headers={"Cookie": cookie},
        )
        if origin == secure.url:
            async with connecting as socket:
                assert '"hello"' in str(await socket.recv())
        else:
            with pytest.raises(websockets.InvalidStatus, match="403"):
                await connecting


async def test_who_comes_by_plain_http_is_sent_to_the_one_name_by_https(secure):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{secure.redirect_port}") as visitor:
        for host in ("chat.example.org", "evil.example"):
            answer = await visitor.get("/rooms/1?around=3", headers={"Host": host})
            assert answer.status_code == 301
            assert answer.headers["location"] == "https://chat.example.org/rooms/1?around=3"


async def test_where_tls_ends_before_nginx_that_one_is_believed_and_nobody_else(
    pair: Pair, shipped: Shipped
):
    """The two lines of nginx.conf that wait for its address, with 127.0.0.2 in them."""
    front = shipped(
        pair.first.url,
        other={
            "#set_real_ip_from 192.0.2.1;": "set_real_ip_from 127.0.0.2;",
            '#192.0.2.1 "yes";': '127.0.0.2 "yes";',
        },
    )
    outside = {"Host": "localhost", "Origin": "https://localhost", "X-Forwarded-Proto": "https",
               "X-Forwarded-For": "203.0.113.9"}  # fmt: skip

    def coming_from(address: str) -> httpx.AsyncClient:
        transport = httpx.AsyncHTTPTransport(local_address=address)
        return httpx.AsyncClient(base_url=front.url, transport=transport, headers=outside)

    async with coming_from("127.0.0.2") as terminator:
        await is_https_all_over(terminator)
        devices = pages.read((await terminator.get("/settings")).text).one("section", id="devices")
        assert "203.0.113.9" in devices.text
    async with coming_from("127.0.0.3") as liar:
        assert (await liar.post("/sign-up", data=signing_up())).status_code == 403
        liar.headers["Origin"] = "http://localhost"
        cookie = (await liar.post("/sign-up", data=signing_up())).headers["set-cookie"]
        assert cookie.startswith("sid=")
        page = await liar.get("/settings", headers={"Cookie": cookie.split(";")[0]})
        devices = pages.read(page.text).one("section", id="devices")
        assert "127.0.0.3" in devices.text
        assert "203.0.113.9" not in devices.text
        assert HSTS not in page.headers
