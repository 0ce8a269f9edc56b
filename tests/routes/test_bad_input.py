"""Whatever somebody sends, it is no fault of ours: no address answers 5xx, and none goes on differently after."""

import itertools
import random
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.routing import Mount, Route

from chatapp.routes.table import routes
from tests.routes.people import HTMX, JSON, ROOMY, Person, services, somebody
from tests.support.asgi import Site
from tests.support.fixtures import MakeSite

ADDRESSES = [
    (method, route.path)
    for route in routes("0" * 12)
    if isinstance(route, (Route, Mount))
    for method in sorted(getattr(route, "methods", None) or {"GET"})
]
FIELDS = (
    "name", "email", "password", "next", "topic", "body", "key", "confirm", "hue", "theme", "current", "new",
    "reply", "thread", "draft", "base", "emoji", "on", "follow", "upto", "enter",
)  # fmt: skip
QUERIES = (
    "q", "show", "page", "before", "after", "around", "room", "path", "next", "reply", "links", "deleted", "crowded",
    "above", "notice", "cursor",
)  # fmt: skip
NASTY = [
    b"", b" ", b"\0", b"a\0b", b"%00", b"\xff", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3", b"\xc0\xaf",
    "\ud800".encode("utf-8", "surrogatepass"), "\ufffe\uffff".encode(), "\u202e\u2067".encode(),
    b"e" + "\u0301".encode() * 500, "😀".encode() * 3000, "\ufdfa".encode() * 300, b"a" * 5000,
    b"a" * 99_000, b"9" * 400, b"-1", b"1e309", b"NaN", b"true", b"null", b"[]", b"{}", b"[" * 2000, b"'", b'"',
    b"<script>", b"%", b"_", b"\\", b"'; DROP TABLE rooms; --", b"{0.__class__}", b"%s%n", b"../../etc/passwd",
    b"\r\nSet-Cookie: a=b", b"a@" + b"b" * 300, b"@", b"a@b@c", b"a@[1.2.3.4]", b"ann@xn--.example",
    "a@\u2100.example".encode(), b'"a b"@x.example', "ß@ß.example".encode(), "İ".encode(), "\U000e0041".encode(),
    b"\x1b[31m", b"\x85", "\u2028".encode(), b"0x10", "١٢".encode(), "²".encode(), b"1" * 17,
]  # fmt: skip
PATHS = [
    "/rooms/%00", "/rooms/99999999999999999999", "/rooms/" + "9" * 5000, "/rooms/-1", "/rooms/0", "/rooms/1.0",
    "/rooms/%F0%9F%98%80", "/rooms/1%00", "/rooms/1/", "/rooms/1//messages", "/rooms/%31", "/rooms/\u0661",
    "/rooms/9007199254740992", "/rooms/9999999999999999/messages", "/%ff", "/%ed%a0%80", "/" + "a" * 20_000,
    "/settings/devices/99999999999999999999/sign-out", "/settings/devices/" + "1" * 5000 + "/sign-out",
    "/settings/devices/9999999999999999/sign-out", "/settings/devices/0/sign-out", "/static/%00", "/static//",
    "/..", "/.", "//", "/rooms?" + "a=1&" * 3000, "/rooms?q=%ff%fe", "/rooms?%00=%00", "/rooms?q[]=1&q=2&q=3",
    "/?" + "%" * 1000, "/rooms?page=%C2%B2", "/sidebar?room=" + "9" * 5000, "/rooms/1?before=%D9%A1",
]  # fmt: skip
KINDS = [
    "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-16",
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=b",
    "multipart/form-data; boundary=b; charset=utf-7", "multipart/form-data; boundary=b; charset=unicode_escape",
    "multipart/form-data; boundary=b; charset=undefined", "multipart/form-data; boundary=b; charset=idna",
    "multipart/form-data; boundary=" + "b" * 300, "application/json", "text/plain", "", "nonsense", "a/b; c=\"",
    "multipart/form-data; boundary=b; charset=\"punycode\"", "image/png",
]  # fmt: skip


def everywhere(value: bytes) -> dict[str, bytes]:
    """In every field; but the room was called this a moment ago, and it is not to be deleted."""
    return {**dict.fromkeys(FIELDS, value), "confirm": value + b" no"}


def multipart(fields: dict[str, bytes], boundary: bytes = b"b") -> bytes:
    parts = b"".join(
        b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
        % (boundary, name.encode(), value)
        for name, value in fields.items()
    )
    return parts + b"--" + boundary + b"--\r\n"


def urlencoded(fields: dict[str, bytes]) -> bytes:
    return "&".join(f"{name}={quote(value)}" for name, value in fields.items()).encode()


def raw(fields: dict[str, bytes]) -> bytes:
    """Without any encoding, as a browser would never send it."""
    return b"&".join(name.encode() + b"=" + value for name, value in fields.items())


class Trier:
    """Somebody who may do everything, so that every door is tried to its end."""

    def __init__(self, person: Person, room: int, seq: int, share: int) -> None:
        """`share`: 0 or 1, by the database."""
        self.person, self.room, self.seq, self.share = person, room, seq, share

    def takes(self, turn: int) -> bool:
        """Each value at each address takes long: each database tries one in ten of them, not the same."""
        return turn % 10 == self.share * 5

    async def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        path = path.replace("{room_id:number}", str(self.room)).replace("{device_id:number}", "0")
        path = path.replace("{seq:number}", str(self.seq))
        answer = await self.person.client.request(method, path, **request)
        assert answer.status_code < 500, (
            f"{answer.status_code} from {method} {path[:200]} {request}"
        )
        if answer.status_code == 303 and answer.headers["location"].startswith("/sign-in"):
            await self.person.signs_in()
        if path.partition("?")[0].endswith("/leave"):
            await self.person.joins(self.room)
        elif method == "POST" and path.endswith("/archive"):
            await self.person.post(path, {"on": "false"})
        return answer

    async def still_works(self) -> None:
        if not await self.person.is_signed_in():
            await self.person.signs_in()
        seq = await self.person.says(self.room, "still here")
        page = await self.person.sees(self.room)
        assert f'id="m-{seq}"' in page


async def trier(site: Site) -> Trier:
    person = await somebody(site)
    room = await person.opens("Lab")
    seq = await person.says(room, "something to answer, change and react to")
    return Trier(person, room, seq, int(services(site).database.is_sqlite))


@pytest.fixture
async def tries(roomy: Site) -> Trier:
    return await trier(roomy)


@pytest.fixture
async def once(make_site: MakeSite, sqlite_url: str) -> Trier:
    """For what never reaches a database: tried on one."""
    return await trier(await make_site(DATABASE_URL=sqlite_url, LIMIT_FACTOR=ROOMY))


POSTS = [path for method, path in ADDRESSES if method == "POST"]


SOME_OR_ALL = pytest.mark.parametrize(
    "whole", [False, pytest.param(True, marks=pytest.mark.faults)], ids=["some", "all"]
)


@pytest.mark.both_databases
@SOME_OR_ALL
async def test_no_field_of_any_form_breaks_anything(tries, whole):
    """Each value at some addresses, and each address with some values; with `make faults` each at each. In one of the
    three encodings by turns."""
    for number, value in enumerate(NASTY):
        for turn, path in enumerate(POSTS, number):
            if not (whole or tries.takes(turn)):
                continue
            encode = (urlencoded, raw, multipart)[turn % 3]
            form = "multipart/form-data; boundary=b" if encode is multipart else KINDS[0]
            body = encode(everywhere(value))[:130_000]
            await tries.send("POST", path, content=body, headers={"content-type": form})
    await tries.still_works()


@pytest.mark.both_databases
@SOME_OR_ALL
async def test_no_query_breaks_anything(tries, whole):
    for number, value in enumerate(NASTY):
        query = "&".join(f"{name}={quote(value[:900])}" for name in QUERIES)
        for turn, (method, path) in enumerate(ADDRESSES, number):
            if method == "GET" and (whole or tries.takes(turn)):
                await tries.send(method, f"{path}?{query}", headers=HTMX if len(value) % 2 else {})
    await tries.still_works()


async def test_no_address_breaks_anything(once):
    for path in PATHS:
        for method in ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"):
            for headers in ({}, JSON, HTMX):
                await once.send(method, path, headers=headers)
    await once.still_works()


async def test_no_kind_of_body_breaks_anything(once):
    """Each body under each kind, at four addresses by turns."""
    fields = everywhere(b"+2AA-\\ud800\xff")
    bodies = (b"", raw(fields), multipart(fields), b"--b", b"--b\r\n\r\n", b"{" * 5000, b"=&=&;=")
    turns = itertools.cycle(POSTS)
    for kind in KINDS:
        for body in bodies:
            for path in itertools.islice(turns, 4):
                await once.send("POST", path, content=body, headers={"content-type": kind})
    await once.still_works()


HEADERS = (
    "Accept", "Accept-Language", "User-Agent", "Referer", "Range", "If-None-Match", "If-Modified-Since",
    "HX-Request", "HX-Current-URL", "X-Forwarded-For", "Forwarded", "X-Request-Id", "Content-Type",
)  # fmt: skip


async def test_no_header_breaks_anything(once):
    """Each value in all headers and each cookie, at two addresses by turns."""
    turns = itertools.cycle(("/", f"/rooms/{once.room}", "/settings", "/static/0/x", "/sign-in"))
    for value in (value[:2000] for value in NASTY if b"\n" not in value):
        headers = {name.encode(): value for name in HEADERS}
        for cookie in ("sid", "tz", "theme", "notice"):
            mine = once.person.cookie.encode()
            headers[b"Cookie"] = b"sid=%b; %b=%b" % (mine, cookie.encode(), value)
            for path in itertools.islice(turns, 2):
                await once.send("GET", path, headers=headers)
    await once.still_works()


anything = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([value for value in NASTY if len(value) < 2000]),
    st.integers().map(lambda number: str(number).encode()),
)


@settings(max_examples=100)
@given(
    address=st.sampled_from(ADDRESSES),
    fields=st.dictionaries(st.sampled_from(FIELDS), anything, max_size=6),
    query=st.dictionaries(st.sampled_from(QUERIES), anything, max_size=3),
    encode=st.sampled_from([urlencoded, raw, multipart]),
    kind=st.sampled_from(KINDS),
    accept=st.sampled_from([{}, JSON, HTMX]),
    seed=st.integers(0, 3),
)
async def test_nothing_anybody_can_think_of_breaks_anything(
    tries, address, fields, query, encode, kind, accept, seed
):
    method, path = address
    if query:
        path += "?" + "&".join(f"{name}={quote(value)}" for name, value in query.items())
    body = encode(fields)[:130_000]
    if random.Random(seed).random() < 0.5:  # mostly what fits together
        kind = "multipart/form-data; boundary=b" if encode is multipart else KINDS[0]
    await tries.send(
        method,
        path,
        content=body if method == "POST" else None,
        headers={**accept, "content-type": kind},
    )
    assert (await tries.person.get("/sidebar", headers=HTMX)).status_code == 200
