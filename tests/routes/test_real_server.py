"""A server of its own: what its log may not hold, and what a proxy in front may and may not tell it."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
import websockets

from tests.routes import pages
from tests.support.chat_server import ChatServer
from tests.support.fixtures import Serve
from tests.support.nginx_server import NginxServer

PASSWORD = "canary-password-7f3a"
WRONG = "canary-wrong-password-91bc"
EMAIL = "canary-email-5d2e@people.example"
NAME = "Canary Name 8e1b"
BODY = "canary-body-c4a9"
ROOM = "canary-room-2b6d"
TOPIC = "canary-topic-a1f0"
QUERY = "canary-query-6c3e"
HEADER = "canary-header-4d7a"
CANARIES = (PASSWORD, WRONG, EMAIL, NAME, BODY, ROOM, TOPIC, QUERY, HEADER, "canary")


def browser(server: ChatServer | NginxServer) -> httpx.AsyncClient:
    headers = {"Origin": server.url, "Sec-Fetch-Site": "same-origin", "User-Agent": HEADER}
    return httpx.AsyncClient(base_url=server.url, headers=headers)


async def sign_up(ann: httpx.AsyncClient) -> None:
    fields = {"name": NAME, "email": EMAIL, "password": PASSWORD}
    assert (await ann.post("/sign-up", data=fields)).status_code == 303


def break_it(server: ChatServer) -> None:
    """What nobody foresaw: a table is gone."""
    with sqlite3.connect(server.folder / "data/chatapp.db") as database:
        database.execute("ALTER TABLE memberships RENAME TO memberships_gone")
    database.close()


@pytest.mark.expects_errors
async def test_the_log_tells_what_happened_and_nothing_that_anybody_typed(serve: Serve):
    server = await serve()
    async with browser(server) as ann, browser(server) as visitor:
        await sign_up(ann)
        token = ann.cookies["sid"]
        await ann.post("/rooms", data={"name": ROOM, "topic": TOPIC})
        key = str(uuid4())
        answers = [
            await visitor.post("/sign-in", data={"email": EMAIL, "password": WRONG}),
            await visitor.post("/sign-up", data={"name": NAME, "email": EMAIL, "password": "x"}),
            await visitor.get("/sign-in", params={"next": f"/rooms/1?q={QUERY}"}),
            await ann.get("/rooms", params={"q": QUERY}),
            await ann.get(f"/nothing?{QUERY}"),
            await ann.post("/rooms/1/messages", data={"body": BODY, "key": key}),
            await ann.post("/rooms/1/messages", data={"body": BODY + "\0", "key": key}),
            await ann.post("/rooms/1/messages", data={"body": BODY + "again", "key": key}),
            await ann.post("/rooms", data={"name": ROOM}),
            await ann.post("/settings/password", data={"current": WRONG, "new": PASSWORD}),
            await ann.post("/rooms", content=b"x" + BODY.encode() * 20_000),
            await ann.post("/rooms", headers={"Content-Type": f"multipart/form-data; {QUERY}"}),
            await visitor.get("/", headers={"Host": "evil.example"}),
        ]
        cookie = {"Cookie": f"sid={token}"}
        origin = websockets.Origin(server.url)
        address = f"{server.socket_url}?token={QUERY}"
        async with websockets.connect(address, origin=origin, additional_headers=cookie) as line:
            post = {"type": "post", "room": 1, "key": str(uuid4()), "body": BODY + " live"}
            for frame in (json.dumps(post), json.dumps({"type": BODY}), BODY):
                await line.send(frame)
            for _ in range(4):
                await asyncio.wait_for(line.recv(), 5)
        with pytest.raises(websockets.InvalidStatus, match="403"):
            await websockets.connect(address.replace("/ws", "/elsewhere"), origin=origin)
        await _raw(server, f"GET /{QUERY} HTTP/9.9\r\n{HEADER}\r\n\r\n".encode())
        await _raw(
            server, b"GET /\xff\xfe?" + QUERY.encode() + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        await _raw(server, b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                   b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY.encode())  # fmt: skip
        break_it(server)
        broken = [
            await ann.get("/rooms", params={"q": QUERY}),
            await ann.get("/rooms/1"),
            await ann.post("/rooms", data={"name": ROOM + "2", "topic": TOPIC}),
            await ann.post(
                "/rooms/1/messages",
                data={"body": BODY, "key": str(uuid4())},
                headers={"Accept": "application/json"},
            ),
        ]
        assert [answer.status_code for answer in broken] == [500] * 4
    server.stop()
    log = server.log_text()
    for secret in (
        *CANARIES,
        token,
        token.split(".")[0],
        "Traceback",
        "INSERT",
        "SELECT",
        "parameters",
    ):
        assert secret not in log, f"{secret} is in the log"
    lines = server.lines()
    plain = [line["text"] for line in lines if len(line) == 1]
    assert plain == [f"chatapp: http://localhost:{server.port}"]  # all the rest is JSON
    lines = [line for line in lines if len(line) > 1]
    _each_request_has_its_line(answers + broken, lines)
    assert [line for line in lines if line["level"] == "ERROR" and line.get("error")]


def _each_request_has_its_line(answers: list[httpx.Response], lines: list[dict[str, Any]]) -> None:
    by_id: dict[str, dict[str, Any]] = {}
    for line in lines:
        if line["text"] == "request":
            assert line["request"] not in by_id
            by_id[line["request"]] = line
    for answer in answers:
        line = by_id[answer.headers["x-request-id"]]
        assert line["method"] == answer.request.method
        assert line["path"] == urlsplit(str(answer.request.url)).path
        assert line["status"] == answer.status_code
        assert line["ms"] >= 0
        assert line["level"] == "INFO"
        assert "T" in line["at"]


async def _raw(server: ChatServer, request: bytes) -> bytes:
    """Bytes that no client would send. The answer is a refusal, or the line is cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    await writer.drain()
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert not answer.startswith(b"HTTP/1.1 5"), answer[:200]
    return answer


SPOOFING = """
    location / {
        proxy_pass http://chatapp;
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto https;
    }
"""


async def _address_shown(client: httpx.AsyncClient, **headers: str) -> str:
    await client.post("/sign-up", data={"name": "Ann", "email": "ann@x.example", "password": PASSWORD},
                      headers=headers)  # fmt: skip
    page = pages.read((await client.get("/settings", headers=headers)).text)
    return page.one("section", id="devices").one("p", class_="meta").text


async def test_only_a_trusted_proxy_says_where_people_come_from(
    serve: Serve, nginx: Callable[..., NginxServer]
):
    spoofed = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    server = await serve(TRUSTED_PROXIES="192.0.2.1")  # not us
    async with browser(server) as ann:
        assert "203.0.113.9" not in await _address_shown(ann, **spoofed)
        assert "sid" in ann.cookies  # and not __Host-sid: nobody believed in https
    behind = await serve(TRUSTED_PROXIES="127.0.0.1")
    front = nginx([behind.url], SPOOFING)
    async with httpx.AsyncClient(
        base_url=front.url, headers={"Origin": f"https://127.0.0.1:{front.port}"}
    ) as bob:
        fields = {"name": "Bob", "email": "bob@x.example", "password": PASSWORD}
        answer = await bob.post("/sign-up", data=fields, headers=spoofed)
        assert answer.status_code == 303, answer.text
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-sid=")
        assert "; secure" in cookie.lower()
        assert "strict-transport-security" in answer.headers
        value = cookie.split(";")[0]
        shown = (await bob.get("/settings", headers={**spoofed, "Cookie": value})).text
        assert "127.0.0.1" in shown  # what nginx saw
        assert "203.0.113.9" not in shown  # what the visitor claimed


async def test_smuggling_and_other_broken_requests_are_refused(serve: Serve):
    server = await serve()
    for request in (
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header : x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ):
        answer = await _raw(server, request)
        assert not answer.startswith(b"HTTP/1.1 200"), (request[:80], answer[:80])
    assert server.status("/up") == 200
