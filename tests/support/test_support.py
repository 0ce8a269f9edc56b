"""The harness itself, tried on a stand-in."""

import asyncio
import signal
import sys
from pathlib import Path

import httpx
import pytest
import redis.asyncio
import websockets

from tests.support import postgres_server, run_folder
from tests.support.asgi import Site, lifespan
from tests.support.asgi_socket import Closed, Refused
from tests.support.chat_server import ChatServer
from tests.support.process import NotStarted, Process

UVICORN = (sys.executable, "-m", "uvicorn", "tests.support.stand_in:app", "--log-level", "warning")


@pytest.fixture
def stand_in(tmp_path: Path, stack: list[Process]) -> ChatServer:
    port = run_folder.free_port()
    server = ChatServer(tmp_path / "stand-in", (*UVICORN, "--port", str(port)), PORT=str(port))
    stack.append(server)
    server.start()
    return server


async def test_postgresql_comes_back_with_what_it_stored_when_killed(own_postgres):
    own_postgres.execute("CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)")
    own_postgres.kill()
    with pytest.raises(OSError, match="Connect call failed"):
        own_postgres.execute("SELECT 1")
    own_postgres.start()
    own_postgres.execute("SELECT 1 / n FROM kept")


async def test_each_test_has_a_database_of_its_own(postgres):
    for _ in range(2):
        postgres.create_database("for_the_harness")
        postgres.execute("CREATE TABLE here (n int)", database="for_the_harness")
        postgres.drop_database("for_the_harness")


async def test_a_program_that_ends_at_once_shows_its_log(tmp_path):
    broken = Process(["/bin/sh", "-c", "echo why; exit 3"], tmp_path / "it", ready=lambda: False)
    with pytest.raises(NotStarted, match="ended with 3:\nwhy"):
        broken.start()


async def test_a_forked_server_tells_how_it_ended(serve):
    killed, stopped = await serve(), await serve()
    assert killed.kill() == -signal.SIGKILL
    assert await asyncio.to_thread(stopped.stop) == 0
    with pytest.raises(NotStarted, match="ended with 2:\nchatapp cannot start: LOG_LEVEL"):
        await serve(LOG_LEVEL="NONSENSE")
    assert not killed.running


async def test_redis_can_be_killed_and_started_again(redis):
    for _ in range(2):
        async with redis_client(redis.url) as client:
            assert await client.ping()
        redis.kill()
        assert not redis.running
        redis.start()


def redis_client(url: str) -> redis.asyncio.Redis:
    return redis.asyncio.from_url(url, protocol=3)


async def test_nginx_passes_pages_and_sockets_on(nginx, stand_in):
    front = nginx([stand_in.url])
    async with httpx.AsyncClient() as client:
        assert (await client.get(front.url)).status_code == 200
    address = front.url.replace("http", "ws") + "/ws"
    async with websockets.connect(address, origin=websockets.Origin(front.url)) as socket:
        await socket.send("hello")
        assert await socket.recv() == '{"type":"echo","text":"hello"}'


async def test_a_server_is_stopped_and_started_on_the_same_port(stand_in):
    assert stand_in.status("/") == 200
    await stand_in.restart()
    assert stand_in.status("/") == 200
    assert stand_in.stop() in {0, -signal.SIGTERM}
    assert stand_in.status("/") is None


async def test_an_error_in_the_log_is_found_unless_allowed(stand_in):
    assert stand_in.status("/broken") == 500
    assert len(stand_in.errors()) == 1
    stand_in.allow("a mistake")
    assert stand_in.errors() == []


async def test_people_talk_to_an_application_in_this_process():
    from tests.support.stand_in import app

    async with lifespan(app) as state:
        site = Site(app, state, None)
        ann = site.client()
        assert (await ann.get("/")).status_code == 200
        async with site.socket(ann) as socket:
            await socket.send("hello")
            assert await socket.receive_json("echo") == {"type": "echo", "text": "hello"}
            await socket.silence(0.05)
            await socket.send("bye")
            with pytest.raises(Closed) as end:
                await socket.receive()
            assert end.value.code == socket.close_code == 4400
        with pytest.raises(Refused) as refusal:
            async with site.socket(ann, headers={"Origin": "http://elsewhere.example"}):
                pass
        assert refusal.value.status == 403
        await site.close()


async def test_a_browser_shows_a_page_and_tells_what_was_blocked(person, stand_in):
    ann = await person("Ann", stand_in)
    ann.allow("404")  # the stand-in has no icon
    await ann.goto("/")
    assert await ann.page.inner_text("h1") == "Hello"
    assert ann.unexpected() == []
    await ann.goto("/?inline")
    await ann.goto("/broken")
    assert any("CSP" in problem for problem in ann.problems)
    assert any("status of 500" in problem for problem in ann.problems)
    ann.allow("CSP|Content Security Policy|500")
    assert ann.unexpected() == []


async def test_two_people_share_no_cookies_and_scripts_can_be_off(person, stand_in):
    ann = await person("Ann", stand_in)
    ben = await person("Ben", stand_in, scripts=False, dark=True)
    await ann.context.add_cookies([{"name": "who", "value": "ann", "url": stand_in.url}])
    await ben.goto("/")
    assert await ben.context.cookies() == []
    assert await ben.page.inner_text("h1") == "Hello"


async def test_postgresql_programs_are_found():
    assert (postgres_server.programs() / "postgres").exists()
