"""Two processes with short leases, and Ann and Bob, who are in one room: Ann came by the second, Bob by the first."""

import asyncio
from pathlib import Path

from tests.cases import short_leases
from tests.cases.callers import Caller
from tests.cases.conftest import Call
from tests.faults.replicas import hear_redis, shared
from tests.support.chat_server import ChatServer
from tests.support.process import Process
from tests.support.redis_server import RedisServer


async def lab_at_two(
    redis: RedisServer,
    postgresql_url: str,
    folder: Path,
    stack: list[Process],
    call: Call,
    *,
    lease: float,
    grace: float,
) -> tuple[list[ChatServer], Caller, Caller, int]:
    """The two servers, Ann, Bob, and the room's number."""
    given = {**shared(postgresql_url, redis.url), "LEASE": str(lease), "GRACE": str(grace)}
    servers = [
        ChatServer(folder / name, short_leases.COMMAND, **given) for name in ("first", "second")
    ]
    stack += servers
    await asyncio.gather(*(asyncio.to_thread(server.start) for server in servers))
    await hear_redis(servers)
    ann, bob = await call("Ann Archer", servers[1]), await call("Bob Baker", servers[0])
    room = await ann.opens(servers[1], "Lab")
    await bob.joins(servers[0], room)
    return servers, ann, bob, room
