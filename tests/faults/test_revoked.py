"""F20: somebody leaves, signs out, changes the password or deletes the account at one replica while no hint gets to the
other one, where more tabs of theirs follow a room in which people talk."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import asyncpg

from tests.cases.callers import PASSWORD, Caller, Line
from tests.cases.conftest import call
from tests.faults.replicas import hear_redis, two_replicas
from tests.faults.room_page import cursor_in
from tests.faults.talks import seconds_until, spread
from tests.faults.verdict import short_and_long, tell
from tests.support.beside import beside
from tests.support.chat_server import ChatServer
from tests.support.fixtures import Serve
from tests.support.redis_server import RedisServer

__all__ = ["call"]

NO_SESSION = 4401
PATIENCE = 10.0  # seconds; the next round of pings may take longer


@dataclass
class Way:
    """How somebody goes. `is_in_log`: the room gives their going a number."""

    path: str
    fields: dict[str, str] = field(default_factory=dict)
    is_in_log: bool = False
    ends_session: bool = True
    seconds: list[float] = field(default_factory=list)
    frames_after: list[int] = field(default_factory=list)


def ways(room: int) -> list[Way]:
    return [
        Way(f"/rooms/{room}/leave", is_in_log=True, ends_session=False),
        Way("/sign-out"),
        Way("/sign-out-everywhere"),
        Way("/settings/password", {"current": PASSWORD, "new": "another horse battery"}),
        Way("/settings/delete-account", {"password": PASSWORD}, is_in_log=True),
    ]


async def talk_for_ever(lines: list[Line], room: int) -> None:
    """At both replicas in turns."""
    number = 0
    while True:
        await lines[number % len(lines)].says(room, f"word {number}")
        number += 1
        await asyncio.sleep(0.01)


async def number_of_leaving(database_url: str, room: int, user: int) -> int:
    line = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        query = "SELECT seq FROM messages WHERE room_id = $1 AND author_id = $2 AND kind = 'left'"
        return int(await line.fetchval(query, room, user))
    finally:
        await line.close()


@short_and_long("times", 1, 10)
async def test_f20_whoever_goes_at_one_replica_is_cut_at_the_other_although_no_hint_comes(
    serve: Serve,
    redis: RedisServer,
    postgresql_url: str,
    call: Callable[..., Awaitable[Caller]],
    times: int,
) -> None:
    servers = await two_replicas(serve, postgresql_url, redis.url)
    await hear_redis(servers)
    ann = await call("Ann Archer", servers[0])
    room = await ann.opens(servers[0], "Lab")
    async with ann.line(servers[0]) as here, ann.line(servers[1]) as there:
        redis.pause()
        async with beside(talk_for_ever([here, there], room)):
            for way in ways(room):
                for number in range(times):
                    name = f"{way.path.rsplit('/', 1)[1]} {number}"
                    person = await call(name, servers[0])
                    await person.joins(servers[0], room)
                    await goes(person, way, room, servers, postgresql_url)
                tell(
                    f"f20: {way.path}: cut after {spread(way.seconds)}, at most {max(way.frames_after)} frames since"
                )


async def goes(
    person: Caller, way: Way, room: int, servers: list[ChatServer], database_url: str
) -> None:
    """One person by one way, with two tabs open at the other replica."""
    async with person.line(servers[1]) as line, person.line(servers[1]) as second:
        tabs = (line, second)
        now = cursor_in(await person.sees(servers[1], room)).rsplit(":", 1)[1]
        for tab in tabs:
            await tab.watches(room, int(now))
            await tab.reaches(tab.seq + 3)
        await person.does(servers[0], way.path, **way.fields)
        before = [len(tab.of("changes")) for tab in tabs]
        way.seconds.append(
            await seconds_until(
                asyncio.wait_for(asyncio.gather(*(is_cut(tab, way) for tab in tabs)), PATIENCE)
            )
        )
        for tab, count in zip(tabs, before, strict=True):
            way.frames_after.append(len(tab.of("changes")) - count)
            if way.is_in_log:
                me = (await tab.frame("hello"))["user"]
                gone = await number_of_leaving(database_url, room, me)
                assert all(frame["seq"] < gone for frame in tab.of("changes"))


async def is_cut(tab: Line, way: Way) -> None:
    if way.ends_session:
        assert await tab.ends() == NO_SESSION
    else:
        assert (await tab.frame("removed"))["reason"] in {"left", "removed"}
