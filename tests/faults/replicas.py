"""Two replicas of one site, and people who are at the one or the other, as behind a proxy."""

import asyncio
from collections.abc import Sequence

import httpx

from tests.faults.driver import Crowd, gather_crowd
from tests.faults.observed import Observed
from tests.faults.talks import PATIENCE, seconds_until, until
from tests.support.chat_server import ChatServer
from tests.support.fixtures import Serve

SAME_KEY = "4f9d3b7c1e6a8052" * 4  # a session counts at every replica


async def two_replicas(
    serve: Serve, database_url: str, redis_url: str = "", **more: str
) -> list[ChatServer]:
    given = shared(database_url, redis_url) | more
    return list(await asyncio.gather(*(serve(**given) for _ in range(2))))


def shared(database_url: str, redis_url: str = "") -> dict[str, str]:
    """The settings that replicas of one site have in common."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": SAME_KEY,
        "LIMIT_FACTOR": "1000",
    }


async def hear_redis(servers: Sequence[ChatServer]) -> None:
    """Until all of them say that hints reach them."""
    async with asyncio.timeout(PATIENCE), httpx.AsyncClient() as anybody:
        for server in servers:
            while (await anybody.get(f"{server.url}/ready")).json().get("redis") is not True:
                await asyncio.sleep(0.05)


async def crowd_at(servers: Sequence[ChatServer], people: int, seed: int) -> Crowd:
    """As many at the one as at the other. Who loses the line may come back at either."""
    urls = [server.url for server in servers]
    crowd = await gather_crowd(urls, people, seed)
    visitors = [Observed.of(client) for client in crowd.clients]
    for visitor in visitors:
        visitor.urls = urls
    return Crowd([*visitors], crowd.room)


async def crowd_at_two(
    serve: Serve, database_url: str, redis_url: str, people: int, seed: int
) -> tuple[list[ChatServer], Crowd]:
    """Two replicas that hear Redis, and people at both."""
    servers = await two_replicas(serve, database_url, redis_url)
    await hear_redis(servers)
    return servers, await crowd_at(servers, people, seed)


def those_at(server: ChatServer, crowd: Crowd) -> Crowd:
    return Crowd([client for client in crowd.clients if client.url == server.url], crowd.room)


async def all_connected(crowd: Crowd) -> None:
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(client.connected.wait() for client in crowd.clients))


async def all_come_again(crowd: Crowd) -> None:
    """Everybody opens the page anew, and chance says where."""
    await asyncio.gather(*(client.come_again() for client in crowd.clients))
    await all_connected(crowd)


async def kill(server: ChatServer, crowd: Crowd) -> float:
    """The seconds until all whose line it was have another one, and all that was said."""
    cut_off = [(client, client.closes.total()) for client in those_at(server, crowd).clients]

    async def all_are_back() -> None:
        await asyncio.to_thread(server.kill)
        await until(lambda: all(client.closes.total() > count for client, count in cut_off))
        await all_connected(crowd)

    return await seconds_until(all_are_back())


async def heard_elsewhere(crowd: Crowd, times: int) -> list[float]:
    """In turns somebody says something; the seconds from its acknowledgement until all at the other replica see it."""
    delays = []
    for number in range(times):
        speaker = crowd.clients[number % len(crowd.clients)]
        elsewhere = [client for client in crowd.clients if client.url != speaker.url]
        await speaker.say(f"{speaker.name} over there-{number}")
        arriving = Crowd(elsewhere, crowd.room).settle(max(speaker.acked.values()))
        delays.append(await seconds_until(arriving))
    return delays
