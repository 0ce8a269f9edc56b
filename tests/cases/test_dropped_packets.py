"""PRE-01 (b): whose packets are dropped, without a word to anybody, is offline within a minute, and out of the call."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

from tests.cases import short_leases
from tests.cases.callers import Line
from tests.cases.conftest import Call
from tests.faults.verdict import short_and_long, tell
from tests.routes import pages
from tests.support.chat_server import COMMAND, ChatServer
from tests.support.process import Process
from tests.support.swamp import swamp

GRACE = 2
ROUNDS = 3  # without a sign of life
SLACK = 12  # a busy machine
MINUTE = 60


@short_and_long("each_round", 2, 15)
async def test_pre_01_whose_packets_are_dropped_is_gone_within_a_minute(
    tmp_path: Path, stack: list[Process], call: Call, database_url: str, each_round: int
) -> None:
    is_short = each_round < 15
    given = {"LEASE": "55", "GRACE": str(GRACE), "ROUND": str(each_round)}  # for the short one
    command = short_leases.COMMAND if is_short else COMMAND
    server = ChatServer(tmp_path / "chatapp", command, DATABASE_URL=database_url, **given)
    stack.append(server)
    await asyncio.to_thread(server.start)
    ann, bob = await call("Ann Archer", server), await call("Bob Baker", server)
    room = await ann.opens(server, "Lab")
    await bob.joins(server, room)
    limit = each_round * ROUNDS + GRACE + SLACK if is_short else MINUTE
    async with AsyncExitStack() as lines, swamp(server.port) as network:
        hers = await lines.enter_async_context(ann.line(server))
        await _comes(hers, room)
        his = await lines.enter_async_context(bob.line(network))
        bobs_number = await _comes(his, room)
        await hers.until(lambda: _is(hers, bobs_number, "online"))
        await hers.until(lambda: _inside(hers) == ["Ann Archer", "Bob Baker"])
        network.swallow()
        began = time.monotonic()
        await hers.until(lambda: _is(hers, bobs_number, "offline"), limit)
        await hers.until(lambda: _inside(hers) == ["Ann Archer"], limit)
        tell(f"pre-01 (b): {time.monotonic() - began:.1f} s after the last packet")
        page = pages.read(await ann.sees(server, room))
        states = {
            person.attributes["data-person"]: person.one("span", class_="avatar").attributes.get(
                "data-presence"
            )
            for person in page.all("li", class_="person")
        }
        assert states == {str(bobs_number - 1): "online", str(bobs_number): "offline"}
        [banner] = [each for each in page.all("div") if "data-call-banner" in each.attributes]
        assert banner.one("bdi").text == "Ann Archer"
    assert server.errors() == []


async def _comes(line: Line, room: int) -> int:
    """Before the tab, in the room and in its call. Returns the number of the person."""
    user: int = (await line.frame("hello"))["user"]
    await line.send(type="presence", state="here")
    await line.watches(room)
    await line.send(type="call_join", room=room)
    await line.frame("call_joined")
    return user


def _is(line: Line, user: int, state: str) -> bool:
    told = [frame["people"].get(str(user)) for frame in line.of("presence")]
    return [each for each in told if each is not None][-1:] == [state]


def _inside(line: Line) -> list[str]:
    return [person["name"] for person in line.of("call")[-1]["people"]]
