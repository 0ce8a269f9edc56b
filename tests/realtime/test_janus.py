"""The door to the media server: on the real Janus, and when it is away, slow, or does not know us."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from chatapp.realtime import janus as door
from chatapp.realtime.janus import JanusAway, JanusRefused, Said
from tests.support.janus_server import JanusServer, ignore, speaking

ROOM = 2**40 + 7


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def stand_in(answer: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[str]:
    """A server that takes the place of Janus, and behaves badly."""
    server = await serve(answer, "127.0.0.1", 0, subprotocols=[Subprotocol(door.PROTOCOL)])
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_rooms_are_made_and_destroyed(janus: JanusServer) -> None:
    async with speaking(janus.url) as ours:
        await until(lambda: ours.is_there)
        handle = await ours.attach(ignore)
        made = await handle.ask({"request": "create", "room": ROOM, "is_private": True})
        assert made.content["room"] == ROOM
        with pytest.raises(JanusRefused) as refused:
            await handle.ask({"request": "create", "room": ROOM})
        assert refused.value.code == 427
        await handle.ask({"request": "destroy", "room": ROOM})
        with pytest.raises(JanusRefused) as refused:
            await handle.ask({"request": "join", "ptype": "publisher", "room": ROOM})
        assert refused.value.code == 426
        handle.drop()
        with pytest.raises(JanusAway):
            await handle.ask({"request": "exists", "room": ROOM})


async def test_after_its_crash_everybody_is_told_and_it_is_found_again(janus: JanusServer) -> None:
    async with speaking(janus.url) as ours:
        await until(lambda: ours.is_there)
        told: list[Said | None] = []
        handle = await ours.attach(told.append)
        await asyncio.to_thread(janus.kill)
        await until(lambda: not ours.is_there)
        assert told == [None]
        with pytest.raises(JanusAway):
            await handle.ask({"request": "exists", "room": ROOM})
        await asyncio.to_thread(janus.start)
        await until(lambda: ours.is_there)
        await ours.attach(ignore)


async def test_who_has_another_secret_gets_nothing(janus: JanusServer) -> None:
    async with speaking(janus.url, "another-secret-altogether") as ours:
        await until(lambda: ours.refusals > 0)
        assert not ours.is_there
        with pytest.raises(JanusAway):
            await ours.attach(ignore)


async def test_one_that_is_not_there_is_away(janus: JanusServer) -> None:
    await asyncio.to_thread(janus.stop)
    async with speaking(janus.url) as ours:
        with pytest.raises(JanusAway):
            await ours.attach(ignore)
        await asyncio.to_thread(janus.start)
        await until(lambda: ours.is_there)


async def test_one_that_never_answers_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "ANSWER_SECONDS", 0.1)

    async def creates_and_falls_silent(line: ServerConnection) -> None:
        said = msgspec.json.decode(await line.recv())
        success = {"janus": "success", "transaction": said["transaction"], "data": {"id": 5}}
        await line.send(msgspec.json.encode(success).decode())
        async for _ in line:
            pass

    async with stand_in(creates_and_falls_silent) as url, speaking(url) as ours:
        await until(lambda: ours.is_there)
        with pytest.raises(JanusAway):
            await ours.attach(ignore)
        assert ours.waiting() == 0


@pytest.mark.parametrize(
    "nonsense",
    ["", "{", "[]", "7", '{"janus":7}', '{"janus":"event","sender":"x"}', "\ud7ff" * 9, '"a"'],
)
async def test_what_makes_no_sense_is_dropped(nonsense: str) -> None:
    async def babbles(line: ServerConnection) -> None:
        await line.send(nonsense)
        async for text in line:
            said: Any = msgspec.json.decode(text)
            await line.send(nonsense)
            success = {"janus": "success", "transaction": said["transaction"], "data": {"id": 5}}
            await line.send(msgspec.json.encode(success).decode())

    async with stand_in(babbles) as url, speaking(url) as ours:
        await until(lambda: ours.is_there)
        await ours.attach(ignore)


async def test_a_late_answer_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    late: list[Any] = []

    async def answers_the_first_only_after_the_second(line: ServerConnection) -> None:
        async for text in line:
            said: Any = msgspec.json.decode(text)
            if said["janus"] == "attach" and not late:
                late.append(said)
                continue
            for one in [*late, said] if said["janus"] == "attach" else [said]:
                answer = {"janus": "success", "transaction": one["transaction"], "data": {"id": 6}}
                await line.send(msgspec.json.encode(answer).decode())

    async with stand_in(answers_the_first_only_after_the_second) as url, speaking(url) as ours:
        await until(lambda: ours.is_there)
        monkeypatch.setattr(door, "ANSWER_SECONDS", 0.1)
        with pytest.raises(JanusAway):
            await ours.attach(ignore)
        monkeypatch.setattr(door, "ANSWER_SECONDS", 5.0)
        await ours.attach(ignore)
