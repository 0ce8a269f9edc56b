"""Requests for other names, and requests that are too big."""

from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from chatapp.middleware import BODY_BYTES
from tests.routes.people import JSON, Person


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tried here does not depend on the database."""
    return sqlite_url


FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "localhost.evil.example", "localhost@evil.example", "", "localhost/x?",
     "localhost evil.example", "loc\u0430lhost", "[::1", "localhost:x", ".", "localhost,evil.example"],
)  # fmt: skip
async def test_a_name_that_is_not_ours_is_refused_before_anything_else(ann, host):
    for path in ("/", "/rooms", "/up", "/nothing"):
        answer = await ann.get(path, headers={b"Host": host.encode()})
        assert answer.status_code == 400, path
        assert "ALLOWED_HOSTS" in answer.text
        assert "location" not in answer.headers
        assert "set-cookie" not in answer.headers


async def test_our_names_are_answered_in_any_case_and_with_a_port(make_site):
    site = await make_site(ALLOWED_HOSTS="chat.example, www.chat.example")
    visitor = Person(site)
    for host in ("localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "Chat.Example",
                 "www.chat.example:443"):  # fmt: skip
        assert (await visitor.get("/sign-in", headers={"Host": host})).status_code == 200, host


async def test_two_host_lines_are_one_too_many(ann):
    request = ann.client.build_request("GET", "/")
    request.headers = type(request.headers)([("host", "localhost"), ("host", "evil.example")])
    assert (await ann.client.send(request)).status_code == 400


@pytest.mark.parametrize("forwarded", ["evil.example", "evil.example, localhost"])
async def test_a_forwarded_name_is_not_believed(ann, forwarded):
    headers = {"X-Forwarded-Host": forwarded, "Forwarded": f"host={forwarded}"}
    for path in ("/", "/rooms/", "/settings/"):
        answer = await Person(ann.site).get(path, headers=headers)
        assert "evil" not in answer.headers.get("location", "")
        assert "evil" not in answer.text


# -- bodies --------------------------------------------------------------------------------


async def pieces(size: int, count: int) -> AsyncIterator[bytes]:
    for number in range(count):
        yield (b"body=" if number == 0 else b"") + b"a" * size


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-up", "/rooms", "/rooms/1/messages", "/settings/profile"]
)
async def test_a_body_over_the_bound_is_refused_by_its_length(ann, path):
    answer = await ann.client.post(path, content=b"a" * (BODY_BYTES + 1), headers=FORM)
    assert answer.status_code == 413
    assert "more than we accept" in answer.text


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
async def test_a_body_that_goes_on_and_on_without_a_length_is_cut(ann, kind):
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        yield (
            b'--x\r\nContent-Disposition: form-data; name="body"\r\n\r\n'
            if "x" in kind[-1:]
            else b""
        )
        while taken < 1000:
            taken += 1
            yield b"a" * 8192

    answer = await ann.client.post("/rooms", content=endless(), headers={"content-type": kind})
    assert answer.status_code in {400, 413}
    assert taken < 50


async def test_one_big_piece_without_a_length_is_cut(ann):
    answer = await ann.client.post("/rooms", content=pieces(BODY_BYTES + 1, 1), headers=FORM)
    assert answer.status_code == 413
    assert "more than we accept" in answer.text


async def test_a_length_that_lies_does_not_help(ann):
    headers = {**FORM, "content-length": "10"}
    answer = await ann.client.post("/rooms", content=pieces(BODY_BYTES, 2), headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "length", [b"-1", b"x", b"", b"1e3", b"\xb2", b"9" * 5000, b"1 2", b"0x10"]
)
async def test_a_length_that_is_no_number_is_refused(ann, length):
    """Servers refuse most of these themselves. httpx cannot send them, so this is ASGI by hand."""
    status: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"name=x", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/rooms",
        "raw_path": b"/rooms",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-length", length)],
        "client": ("10.1.1.1", 4),
        "server": ("localhost", 80),
    }
    await ann.site.app(scope, receive, send)
    assert status == [413]


async def test_too_many_fields_or_a_file_are_refused(ann):
    many = "&".join(f"a{number}=1" for number in range(51))
    assert (await ann.client.post("/rooms", content=many, headers=FORM)).status_code == 400
    answer = await ann.client.post("/rooms", files={"name": ("a.txt", b"x")}, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_request"


async def test_the_longest_message_fits_however_it_is_encoded(ann, lab):
    """Percent-encoding makes three bytes of each: 16 KiB of text become 48 KiB and more."""
    assert (await ann.tries_to_say(lab, "😀" * 4000)).status_code == 200
