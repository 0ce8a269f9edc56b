"""People on a train: everything takes long, one packet in twenty is lost, and now and then the line is gone."""

import asyncio
import random
from collections import Counter

import pytest

from tests.faults.bad_line import bad_line
from tests.faults.driver import Crowd, gather_crowd
from tests.faults.observed import Observed
from tests.faults.verdict import tell, verify
from tests.support.figures import quantile
from tests.support.fixtures import Serve

SEED = 20261128
GONE = 1006  # a close code for a line that ended without one


@pytest.mark.parametrize(
    ("people", "repeats"),
    [pytest.param(4, 5, id="short"), pytest.param(16, 100, id="long", marks=pytest.mark.faults)],
)
async def test_f8_over_a_long_lossy_line_that_breaks_all_the_time_nothing_shows_twice(
    serve: Serve, database_url: str, people: int, repeats: int
) -> None:
    """200 ms ± 100 each way and 5 % loss. People talk until `repeats` messages were sent again because the line broke
    before the answer came."""
    server = await serve(DATABASE_URL=database_url, LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], people, SEED)
    passengers = [Observed.of(client) for client in crowd.clients]
    crowd = Crowd([*passengers], crowd.room)
    dice = random.Random(SEED)
    enough = asyncio.Event()

    async def talk(person: Observed) -> None:
        number = 0
        while number < 3 or not enough.is_set():
            await person.say(f"{person.name}-{number}")
            number += 1

    async with bad_line(server.port, SEED) as line:
        for person in passengers:
            person.url = line.url
        async with crowd.here():
            talking = asyncio.gather(*map(talk, passengers))
            while sum(person.repeats for person in passengers) < repeats:
                await asyncio.sleep(dice.uniform(0.05, 0.4))
                line.cut_one()
            enough.set()
            await asyncio.wait_for(talking, 90)
            closes = sum((person.closes for person in passengers), Counter[int]())
        await verify(crowd, database_url)
    waits = [seconds for person in passengers for seconds in person.ack_seconds]
    tell(
        f"f8: {len(waits)} messages, {sum(person.repeats for person in passengers)} sent again, {line.cuts} cuts,"
        f" {line.lost} of {line.packets} packets lost; ack after {quantile(waits, 0.5):.2f} s (median),"
        f" {quantile(waits, 0.99):.2f} s (p99)"
    )
    assert set(closes) <= {GONE}, "the server gave somebody up who only had a bad line"
