"""F18: whoever dawdles holds a place in nginx for ten seconds, and none at a replica."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.cases.callers import Caller
from tests.deploy.conftest import Shipped, asking, head
from tests.deploy.listener import listening
from tests.deploy.shipped import ShippedNginx
from tests.faults.talks import PATIENCE, spread
from tests.faults.verdict import short_and_long, tell
from tests.support.beside import beside

LETTERS = b"X-Slow: " + b"a" * 10_000


class Dawdler:
    """Connects, says the beginning of something, and goes on a byte at a time, or not at all."""

    def __init__(self, beginning: bytes, rest: bytes = b"") -> None:
        self._beginning = beginning
        self._rest = rest

    async def is_cut(self, front: ShippedNginx) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(self._beginning)
        async with beside(self._goes_on(writer)):
            try:
                while await reader.read(1024):
                    pass
            except ConnectionResetError:
                pass
        writer.close()

    async def _goes_on(self, writer: asyncio.StreamWriter) -> None:
        for number in range(len(self._rest)):
            await asyncio.sleep(1)
            writer.write(self._rest[number : number + 1])


def dawdlers(host: str, count: int) -> list[Dawdler]:
    head = f"Host: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    form = f"POST /sign-in HTTP/1.1\r\n{head}Content-Length: 5000\r\n\r\nemail=".encode()
    chunks = f"POST /sign-in HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n5\r\nem".encode()
    kinds = (
        Dawdler(b""),
        Dawdler(b"GET / HT"),
        Dawdler(f"GET / HTTP/1.1\r\n{head}".encode(), LETTERS),
        Dawdler(f"GET /ws HTTP/1.1\r\n{head}Upgrade: websocket\r\n".encode(), LETTERS),
        Dawdler(form),
        Dawdler(chunks),
    )
    return list(itertools.islice(itertools.cycle(kinds), count))


@asynccontextmanager
async def somebody_loads_pages(front: ShippedNginx, who: Caller) -> AsyncIterator[list[float]]:
    """All the time, one after the other, and none may fail. Yields the seconds of each."""
    took: list[float] = []

    async def load() -> None:
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            answer = await who.at(front).get("/rooms")
            assert answer.status_code == 200, answer.status_code
            took.append(loop.time() - started)
            await asyncio.sleep(0.05)

    loading = asyncio.create_task(load())
    try:
        yield took
        assert not loading.done(), loading.exception()
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)


@short_and_long("count", 50, 500)
async def test_f18_who_dawdles_is_cut_and_pages_load_meanwhile(
    front: ShippedNginx, ann: Caller, count: int
):
    """Silent lines, heads that never end, heads of a byte a second, and bodies that stop."""
    async with somebody_loads_pages(front, ann) as before:
        await asyncio.sleep(1)
    async with somebody_loads_pages(front, ann) as meanwhile, asyncio.timeout(PATIENCE):
        slow = dawdlers(front.host, count)
        await asyncio.gather(*(dawdler.is_cut(front) for dawdler in slow))
    assert meanwhile
    tell(f"f18: {count} dawdlers, pages {spread(meanwhile)}, before {spread(before)}")


async def test_what_somebody_says_slowly_reaches_a_replica_when_all_of_it_is_said(shipped: Shipped):
    """A byte now and then in a body is never cut; it costs a place in nginx and none behind it."""
    half = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\n"
    async with listening() as listener:
        front = shipped(listener.url)
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(half + b"ema")
        await head(front, asking(front, "/meanwhile"))
        writer.write(b"il=")
        await head(front, asking(front, "/meanwhile"))
        assert [line.split()[1] for line in listener.heads] == ["/meanwhile"] * 2
        writer.write(b"ab")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        assert listener.heads[-1].startswith("POST /sign-in ")
        writer.close()
