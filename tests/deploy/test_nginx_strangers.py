"""What people claim, and what nginx believes of it: nothing about who and where they are."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import websockets

from chatapp.limits import SIGN_IN_ADDRESS
from tests.cases.callers import Caller
from tests.cases.conftest import Call
from tests.cases.pair import Pair
from tests.deploy.conftest import Shipped, all_until_hung_up, asking, head
from tests.deploy.listener import listening
from tests.deploy.shipped import ShippedNginx
from tests.support.fixtures import Serve

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def from_address(address: str, url: str) -> httpx.AsyncClient:
    """Somebody whose packets come from there: the whole of 127.0.0.0/8 is this machine."""
    transport = httpx.AsyncHTTPTransport(local_address=address)
    return httpx.AsyncClient(base_url=url, transport=transport, headers={"Origin": url}, timeout=60)


# -- what reaches a replica -----------------------------------------------------------


async def test_only_the_socket_s_address_can_be_upgraded_and_only_to_a_websocket(shipped: Shipped):
    async with listening() as listener:
        front = shipped(listener.url)
        for path, word in (
            *(
                (path, "websocket")
                for path in ("/", "/rooms/1", "/ws/", "/wsx", "/WS", "/static/ws")
            ),
            ("/ws", "h2c"),
            ("/ws", "websocket, h2c"),
        ):
            await head(front, asking(front, path, "Connection: Upgrade", f"Upgrade: {word}"))
            assert listener.heads[-1].startswith(f"GET {path} HTTP/1.1\r\n")
            assert listener.values("upgrade") == [], path
            assert listener.values("connection") == [], path
        for path in ("/ws", "//ws", "/rooms/../ws", "/%77s"):
            await head(front, asking(front, path, "Connection: Upgrade", "Upgrade: WebSocket"))
            assert listener.heads[-1].startswith("GET /ws HTTP/1.1\r\n"), path
            assert listener.values("upgrade") == ["websocket"]
            assert listener.values("connection") == ["upgrade"]


async def test_what_somebody_claims_about_themselves_is_overwritten(shipped: Shipped):
    claims = (
        "X-Forwarded-For: 203.0.113.9",
        "X-Forwarded-For: 198.51.100.7",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: evil.example",
        "Forwarded: for=203.0.113.9;host=evil.example;proto=https",
    )
    async with listening() as listener:
        front = shipped(listener.url)
        for path in ("/", "/ws", "/sign-in", "/rooms/1/messages"):
            await head(front, asking(front, path, *claims))
            assert listener.values("x-forwarded-for") == ["127.0.0.1"]
            assert listener.values("x-forwarded-proto") == ["http"]
            assert listener.values("x-forwarded-host") == listener.values("forwarded") == []
            assert listener.values("host") == [front.host], "with its port, as the origin has it"


# -- where people come from -----------------------------------------------------------


async def test_who_tries_passwords_is_counted_by_where_they_are_and_not_by_what_they_say(
    serve: Serve, shipped: Shipped
):
    """Ten tries at an account cost the time of a password; from there on it is refused, and the address counted."""
    server = await serve()
    front = shipped(server.url)

    async def tries(who: httpx.AsyncClient, email: str, number: int = 0) -> httpx.Response:
        claim = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}"}
        fields = {"email": email, "password": "wrong horse battery"}
        return await who.post("/sign-in", data=fields, headers=claim)

    async def is_stopped(thief: httpx.AsyncClient) -> None:
        for number in range(SIGN_IN_ADDRESS.count):
            await tries(thief, "ann@people.example", number)
        refused = await tries(thief, f"{thief.base_url.port}@people.example")
        assert refused.status_code == 429
        assert "x-request-id" in refused.headers, "these are chatapp's words, not nginx's"

    async with from_address("127.0.0.7", front.url) as thief:
        await is_stopped(thief)
    async with from_address("127.0.0.8", front.url) as bob:
        assert (await tries(bob, "bob@people.example")).status_code == 422
    # whoever gets at a replica past nginx is not believed either: it knows nginx by its address
    async with from_address("127.0.0.9", server.url) as thief:
        await is_stopped(thief)


async def test_a_flood_from_one_address_is_stopped_before_it_reaches_a_replica(shipped: Shipped):
    """With small numbers in the place of the shipped ones."""
    small = {
        "burst=60 nodelay": "burst=3 nodelay",
        "burst=2000 nodelay": "burst=3 nodelay",
        "rate=20r/s": "rate=1r/m",
        "rate=2r/s": "rate=1r/m",
    }
    async with listening() as listener:
        front = shipped(listener.url, other=small)

        async def passing(address: str, method: str, path: str) -> int:
            """How many of twelve at once."""
            async with from_address(address, front.url) as somebody:
                answers = await asyncio.gather(*(somebody.request(method, path) for _ in range(12)))
            for answer in answers:
                if answer.status_code != 200:
                    assert answer.status_code == 429
                    assert answer.headers["retry-after"] == "10"
                    assert "Please try again" in answer.text
            return [answer.status_code for answer in answers].count(200)

        for address, method, path in (
            ("127.0.0.7", "GET", "/ws"),
            ("127.0.0.8", "POST", "/sign-in"),
            ("127.0.0.9", "POST", "/sign-up"),
            ("127.0.0.10", "POST", "/invite/token"),
        ):
            before = len(listener.heads)
            through = await passing(address, method, path)
            assert through == 4, path
            assert len(listener.heads) == before + through
        assert await passing("127.0.0.7", "GET", "/sign-in") == 12, "looking costs nothing"


async def test_a_household_of_many_ipv6_addresses_counts_as_one(shipped: Shipped):
    """Its /64, however it is written. Told by something in front of nginx, since nobody comes to us by IPv6."""
    other = {
        "#set_real_ip_from 192.0.2.1;": "set_real_ip_from 127.0.0.1;",
        "burst=2000 nodelay": "burst=3 nodelay",
        "rate=20r/s": "rate=1r/m",
    }
    async with listening() as listener:
        front = shipped(listener.url, other=other)

        async def statuses(*addresses: str) -> list[int]:
            async with httpx.AsyncClient(base_url=front.url) as somebody:
                asked = [{"X-Forwarded-For": address} for address in addresses]
                return [(await somebody.get("/ws", headers=each)).status_code for each in asked]

        homes = ("2001:db8:1:2:{0}::1", "2001:db8:1:2:a:b:c:{0}", "2001:0db8:0001:0002::{0}")
        family = [homes[number % 3].format(number + 1) for number in range(9)]
        assert await statuses(*family) == [200] * 4 + [429] * 5
        assert await statuses("2001:db8:1:3::1", "192.0.2.77") == [200, 200]
        family = [f"2001:db8::{number}:1" for number in range(1, 10)]
        assert await statuses(*family) == [200] * 4 + [429] * 5


async def test_one_address_has_so_many_lines_and_no_more(shipped: Shipped, pair: Pair, call: Call):
    front = shipped(
        pair.first.url, other={"limit_conn connections 4000": "limit_conn connections 3"}
    )
    ann = await call("Ann Adams", front)
    async with ann.line(front) as one, ann.line(front) as two, ann.line(front):
        for line in (one, two):
            await line.frame("hello")
        with pytest.raises(websockets.InvalidStatus, match="429"):
            async with ann.line(front):
                pass
        async with from_address("127.0.0.8", front.url) as neighbour:
            assert (await neighbour.get("/sign-in")).status_code == 200


# -- foreign pages --------------------------------------------------------------------


FOREIGN = ("https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1.evil.example",
           "http://evil127.0.0.1", "https://{host}", "http://{host}0")  # fmt: skip


def with_origin(
    front: ShippedNginx, who: Caller, origin: str | None, **more: str
) -> "websockets.connect":
    return websockets.connect(
        front.url.replace("http", "ws") + "/ws",
        origin=None if origin is None else websockets.Origin(origin),
        additional_headers={"Cookie": f"sid={who.cookie}", **more},
        open_timeout=30,
    )


@pytest.mark.parametrize("origin", [*FOREIGN, None])
async def test_a_foreign_page_gets_no_socket_of_bob_s(front: ShippedNginx, bob: Caller, origin):
    """EDG-01"""
    origin = origin and origin.format(host=front.host)
    for more in ({}, {"X-Forwarded-Host": "evil.example"}, {"Forwarded": "host=evil.example"}):
        with pytest.raises(websockets.InvalidStatus, match="403"):
            await with_origin(front, bob, origin, **more)


async def test_our_own_page_gets_one_in_any_letter_case(front: ShippedNginx, bob: Caller):
    async with with_origin(front, bob, front.url.upper()) as socket:
        assert '"hello"' in str(await socket.recv())


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_foreign_page_does_nothing_in_bob_s_name(front: ShippedNginx, bob: Caller, origin):
    """EDG-01: and by another name than ours nobody is served at all."""
    origin = origin.format(host=front.host)
    claims = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    for path in ("/rooms", "/sign-out", "/settings/theme"):
        headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site", **claims}
        answer = await bob.at(front).post(path, data={"name": "Theirs"}, headers=headers)
        assert answer.status_code == 403
        del headers["Sec-Fetch-Site"]
        headers["Cookie"] = f"sid={bob.cookie}"
        async with httpx.AsyncClient(base_url=front.url) as old_browser:
            answer = await old_browser.post(path, data={"name": "Theirs"}, headers=headers)
        assert answer.status_code == 403
    assert (await bob.at(front).get("/rooms")).status_code == 200, "he is signed in as before"


async def test_a_name_that_is_not_ours_is_not_served(front: ShippedNginx):
    async with httpx.AsyncClient(base_url=front.url) as visitor:
        for host in ("evil.example", f"evil.example:{front.port}"):
            answer = await visitor.get("/rooms/", headers={"Host": host})
            assert answer.status_code == 400
            assert "location" not in answer.headers
        claims = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
        answer = await visitor.get("/rooms/", headers=claims)
        assert "evil" not in answer.headers.get("location", "") + answer.text


# -- too much, and nonsense -----------------------------------------------------------


async def pieces(count: int) -> AsyncIterator[bytes]:
    """Without a length."""
    for _ in range(count):
        yield b"a" * 8192


@pytest.mark.parametrize(
    ("path", "most"),
    [("/sign-in", 16), ("/sign-up", 16), ("/rooms", 16), ("/settings/profile", 16), ("/ws", 16),
     ("/rooms/1/messages", 128)],
)  # fmt: skip
async def test_who_sends_too_much_is_told_so(front: ShippedNginx, bob: Caller, path, most):
    for content in (b"a" * (most * 1024 + 1), pieces(most // 8 + 1)):
        answer = await bob.at(front).post(path, content=content, headers=FORM)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.text.startswith("This is more than we accept in one request.")
        assert "x-request-id" not in answer.headers, "no replica was asked"


async def test_the_longest_message_passes_and_a_longer_one_is_refused_in_chatapp_s_words(
    front: ShippedNginx, bob: Caller
):
    room = await bob.opens(front, "Long words")
    assert (await bob.posts(front, room, "😀" * 4000)).status_code == 200
    refused = await bob.posts(front, room, "😀" * 5000)
    assert refused.status_code == 422
    assert "at most 4,000 characters" in refused.text
    assert await bob.reads(front, room) == ["😀" * 4000]


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
BROKEN = (
    b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
    b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: +3\r\n\r\nabc",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: evil/x?\r\n\r\n",
    b"GET /a\0b HTTP/1.1\r\nHost: localhost\r\n\r\n",
)


@pytest.mark.parametrize("request_", BROKEN)
async def test_a_request_that_could_be_read_in_two_ways_is_refused(front: ShippedNginx, request_):
    """SECURITY 42: and what hides behind it is never answered."""
    answer = await all_until_hung_up(front, request_ + SMUGGLED)
    assert answer.startswith(b"HTTP/1.1 400 "), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_an_encoding_nobody_knows_is_not_handed_on(front: ShippedNginx):
    for encoding in (b"xchunked", b"chunked, identity", b"identity, chunked", b"\x0bchunked"):
        request = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: " + encoding
        answer = await all_until_hung_up(front, request + b"\r\n\r\n0\r\n\r\n" + SMUGGLED)
        assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 ")), answer[:200]
        assert answer.count(b"HTTP/1.1 ") == 1


async def test_nothing_that_a_stranger_sends_makes_a_replica_look_dead(
    pair: Pair, shipped: Shipped
):
    """A replica that breaks off counts as one that fails; two such answers and nginx leaves it alone for a while."""
    front = shipped(pair.first.url)
    upgrade = ("Connection: Upgrade", "Upgrade: websocket")
    odd = (
        asking(front, "/ws", *upgrade),
        asking(front, "/ws", *upgrade, "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: x"),
        asking(
            front,
            "/ws",
            *upgrade,
            "Sec-WebSocket-Version: 99",
            "Sec-WebSocket-Key: " + "A" * 22 + "==",
        ),
        asking(front, "/ws?" + "q" * 4000, *upgrade),
        asking(front, "/%00%ff%fe/../x"),
        asking(front, "/rooms/" + "9" * 3000),
        asking(front, "/static/../../../etc/passwd"),
        asking(front, "/static/%2e%2e/%2e%2e/etc/passwd"),
        asking(front, "/", "Cookie: " + "a=b; " * 1000),
        asking(front, "/", "X: \xff\x01"),
        asking(front, "/", "Expect: 100-continue", "Content-Length: 0"),
        asking(front, "/").replace(b"GET", b"BREW"),
        asking(front, "/").replace(b"GET", b"CONNECT"),
        asking(front, "/").replace(b"GET", b"TRACE"),
        asking(front, "/").replace(b"HTTP/1.1", b"HTTP/1.0"),
        asking(front, "http://evil.example/"),
    )
    for request in odd:
        await head(front, request)
    visits = await front.visits(len(odd))
    assert [visit for visit in visits if visit["status"] >= 502] == []
