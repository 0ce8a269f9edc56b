"""Questions that are asked together."""

import asyncio

import pytest

from chatapp.realtime import together
from chatapp.realtime.supervisor import Supervisor
from chatapp.realtime.together import Together


class Asked:
    """Answers with the double of each number; knows nothing of odd ones. `open` lets it."""

    def __init__(self):
        self.queries = []
        self.open = asyncio.Event()
        self.open.set()
        self.fault = None

    async def __call__(self, keys):
        self.queries.append(list(keys))
        await self.open.wait()
        if self.fault:
            raise self.fault
        return {key: 2 * key for key in keys if key % 2 == 0}


@pytest.fixture
async def supervisor():
    supervisor = Supervisor()
    yield supervisor
    await supervisor.stop()


async def test_one_question_is_asked_at_once(supervisor):
    asked = Asked()
    questions = Together(asked, supervisor)
    assert await questions.get(2) == 4
    assert await questions.get(3) is None
    assert asked.queries == [[2], [3]]


async def test_those_that_come_meanwhile_are_asked_together_and_afresh(supervisor):
    asked = Asked()
    asked.open.clear()
    questions = Together(asked, supervisor)
    first = asyncio.ensure_future(questions.get(2))
    while not asked.queries:
        await asyncio.sleep(0)
    later = [asyncio.ensure_future(questions.get(n)) for n in (2, 4, 5)]
    await asyncio.sleep(0)
    asked.open.set()
    assert await first == 4
    assert await asyncio.gather(*later) == [4, 8, None]
    assert asked.queries == [[2], [2, 4, 5]], "a query that had begun answers no later question"


async def test_no_query_asks_about_too_many(supervisor, monkeypatch):
    monkeypatch.setattr(together, "MOST", 3)
    asked = Asked()
    questions = Together(asked, supervisor)
    found = await asyncio.gather(*(questions.get(n) for n in range(0, 14, 2)))
    assert found == list(range(0, 28, 4))
    assert max(map(len, asked.queries)) == 3


async def test_a_failure_is_told_to_those_who_asked_and_to_nobody_after_them(supervisor):
    asked = Asked()
    asked.fault = ConnectionError("away")
    questions = Together(asked, supervisor)
    ends = await asyncio.gather(questions.get(2), questions.get(4), return_exceptions=True)
    assert [type(end) for end in ends] == [ConnectionError, ConnectionError]
    asked.fault = None
    assert await questions.get(2) == 4


async def test_who_stops_waiting_disturbs_nobody(supervisor):
    asked = Asked()
    asked.open.clear()
    questions = Together(asked, supervisor)
    impatient = asyncio.ensure_future(questions.get(2))
    patient = asyncio.ensure_future(questions.get(4))
    while not asked.queries:
        await asyncio.sleep(0)
    impatient.cancel()
    asked.open.set()
    assert await patient == 8


async def test_a_stop_leaves_nobody_waiting(supervisor):
    asked = Asked()
    asked.open.clear()
    questions = Together(asked, supervisor)
    waiting = asyncio.ensure_future(questions.get(2))
    while not asked.queries:
        await asyncio.sleep(0)
    await supervisor.stop()
    with pytest.raises(asyncio.CancelledError):
        await waiting
