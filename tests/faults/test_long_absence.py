"""Somebody was away while much was said, in long messages, and comes back with the number they had."""

import pytest

from tests.faults.driver import Crowd, gather_crowd
from tests.faults.observed import Observed
from tests.faults.test_full_queue import pouring, sqlite_freezer
from tests.faults.verdict import stored, verify
from tests.support.fixtures import Serve

SEED = 20261130
LONG = "x" * 3950


@pytest.mark.parametrize("missed", [pytest.param(180, marks=pytest.mark.faults), 450])
async def test_whoever_comes_back_after_many_long_messages_is_shown_all_of_them(
    serve: Serve, database_url: str, missed: int
) -> None:
    """All of it at once is more than may wait for one reader: it comes in portions that can be taken."""
    server = await serve(DATABASE_URL=database_url, LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], 2, SEED)
    async with pouring(crowd.clients[0]) as writer:
        await writer.pour(missed, LONG)
        await writer.all_answered()
    absent = Crowd(crowd.clients[1:], crowd.room)
    async with absent.here():
        await absent.settle((await stored(database_url, crowd.room)).last_seq)
        assert not any(client.closes for client in absent.clients), "the reader was cut off"
    await verify(absent, database_url, strangers=len(writer.sent))


async def test_those_who_watch_are_not_cut_off_when_much_is_stored_at_once(
    serve: Serve, sqlite_url: str
) -> None:
    """Many long messages wait while the writer stands still; then all of them are stored and shown."""
    server = await serve(DATABASE_URL=sqlite_url, LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], 3, SEED + 1)
    watching = Crowd([Observed.of(client) for client in crowd.clients[1:]], crowd.room)
    async with watching.here(), pouring(crowd.clients[0]) as writer:
        with sqlite_freezer(sqlite_url).stands_still():
            await writer.pour(300, LONG)
            await writer.all_taken()
        await writer.all_answered()
        await watching.settle((await stored(sqlite_url, crowd.room)).last_seq)
        assert not any(client.closes for client in watching.clients), "a reader was cut off"
    await verify(watching, sqlite_url, strangers=len(writer.sent))
