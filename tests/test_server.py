"""How a process starts to be alone no more, and how it takes its leave."""

import asyncio
import http.client
from contextlib import closing
from signal import SIGTERM

import httpx
import pytest

from chatapp.realtime import farewell
from chatapp.realtime.hub import Hub
from tests.faults.replicas import shared
from tests.faults.talks import until
from tests.support.chat_server import ChatServer
from tests.support.fixtures import Serve
from tests.support.redis_server import RedisServer


def asks(line: http.client.HTTPConnection, path: str) -> http.client.HTTPResponse:
    line.request("GET", path)
    answer = line.getresponse()
    answer.read()
    return answer


def closed_to_newcomers(server: ChatServer) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)) as line:
        try:
            line.connect()
        except ConnectionRefusedError:
            return True
        return False


@pytest.mark.fresh_process
async def test_a_process_that_was_asked_to_stop_ends_well(serve: Serve) -> None:
    server = await serve()
    await asyncio.to_thread(server.stop)
    assert server.exit_code == 0


async def test_whoever_has_a_line_to_a_leaving_process_gets_an_answer_and_is_told_to_go_elsewhere(
    serve: Serve, postgresql_url: str, redis: RedisServer
) -> None:
    """There are others, so it stays a moment for the lines that a proxy keeps."""
    server = await serve(**shared(postgresql_url, redis.url))
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as kept:
        before = asks(kept, "/ready")
        assert (before.status, before.getheader("connection")) == (200, None)
        server.signal(SIGTERM)
        await until(lambda: closed_to_newcomers(server))
        leaving = asks(kept, "/ready")
        assert (leaving.status, leaving.getheader("connection")) == (503, "close")
    assert await asyncio.to_thread(server.wait) == 0


async def test_a_leaving_process_breaks_a_handshake_off_so_that_a_proxy_tries_another(
    serve: Serve, postgresql_url: str, redis: RedisServer
) -> None:
    server = await serve(**shared(postgresql_url, redis.url))
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as kept:
        asks(kept, "/up")
        server.signal(SIGTERM)
        await until(lambda: closed_to_newcomers(server))
        handshake = {"Upgrade": "websocket", "Connection": "Upgrade", "Origin": server.url}
        handshake |= {
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Version": "13",
        }
        kept.request("GET", "/ws", headers=handshake)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            kept.getresponse()
    assert await asyncio.to_thread(server.wait) == 0


async def test_what_somebody_asked_for_before_the_stop_is_still_done(serve: Serve) -> None:
    """Signing up takes a fifth of a second, most of it for the password."""
    server = await serve()
    async with httpx.AsyncClient(
        base_url=server.url, headers={"origin": server.url}, timeout=20
    ) as ann:
        await ann.get("/up")
        form = {"name": "Ann", "email": "ann@stop.example", "password": "correct horse battery"}
        asking = asyncio.create_task(ann.post("/sign-up", data=form))
        await asyncio.sleep(0.05)  # it is under way
        server.signal(SIGTERM)
        assert (await asking).status_code == 303
    assert await asyncio.to_thread(server.wait) == 0


class Leaving:
    """As much of a connection as a farewell needs."""

    closed = 0

    def close(self, code: int) -> None:
        assert code == 1012
        Leaving.closed += 1


async def test_people_are_sent_away_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []

    async def pause(seconds: float) -> None:
        steps.append(Leaving.closed)

    hub = Hub()
    monkeypatch.setattr(hub, "connections", lambda: [Leaving() for _ in range(60)])
    monkeypatch.setattr(asyncio, "sleep", pause)
    await farewell.send_away(hub)
    assert [*steps, Leaving.closed] == [25, 50, 60]


async def test_several_processes_without_redis_say_so_where_nobody_can_miss_it(
    serve: Serve, postgresql_url: str
) -> None:
    given = shared(postgresql_url)
    first = await serve(**given)
    assert "REDIS_URL" not in first.log_text(), "a single process needs none"
    second = await serve(**given)
    await until(lambda: "2 chatapp processes serve this database" in second.log_text())


async def test_several_processes_with_redis_have_nothing_to_complain_about(
    serve: Serve, postgresql_url: str, redis: RedisServer
) -> None:
    given = shared(postgresql_url, redis.url)
    servers = [await serve(**given), await serve(**given)]
    for server in servers:
        assert "REDIS_URL" not in server.log_text()
        assert server.status("/ready") == 200
