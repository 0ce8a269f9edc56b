"""One tab's socket: bounded, in order, and over when it is closed."""

import asyncio

import pytest

from chatapp.realtime.connection import WAITING_BYTES, WAITING_FRAMES, Connection


class Wire:
    """What leaves. `open` lets it."""

    def __init__(self):
        self.sent = []
        self.code = None
        self.open = asyncio.Event()
        self.open.set()
        self.aborted = asyncio.Event()
        self.connection = Connection(
            user_id=1,
            session_id=1,
            expires_at=0,
            send=self._send,
            close=self._close,
            abort=self.aborted.set,
        )

    async def _send(self, text):
        await self.open.wait()
        self.sent.append(text)

    async def _close(self, code):
        self.code = code


@pytest.fixture
async def wire():
    wire = Wire()
    running = asyncio.ensure_future(wire.connection.run())
    yield wire
    wire.open.set()
    wire.connection.close(1000)
    await running
    assert wire.connection.finished.is_set()


async def test_frames_leave_in_the_order_they_were_put_in(wire):
    for n in range(100):
        wire.connection.send(str(n))
    await asyncio.sleep(0.01)
    assert wire.sent == [str(n) for n in range(100)]


async def test_nothing_is_sent_after_the_end_but_the_last_word(wire):
    wire.open.clear()
    wire.connection.send("under way")
    await asyncio.sleep(0.01)
    wire.connection.send("dropped")
    wire.connection.close(4400, "the last word")
    wire.connection.close(1012, "too late")
    wire.connection.send("too late")
    wire.open.set()
    await wire.connection.finished.wait()
    assert wire.sent == ["under way", "the last word"]
    assert wire.code == 4400
    assert not wire.connection.is_open


@pytest.mark.parametrize("frame", ["x" * 10_000, "x"], ids=["large", "small"])
async def test_who_reads_too_slowly_is_cut_and_holds_no_memory(wire, frame):
    wire.open.clear()
    sent = 0
    while wire.connection.is_open:
        wire.connection.send(frame)
        sent += 1
        assert sent * len(frame) <= WAITING_BYTES + len(frame)
        assert sent <= WAITING_FRAMES + 1
    for _ in range(1000):
        wire.connection.send(frame)
    assert not wire.connection._queue
    assert wire.aborted.is_set(), "at once: what was written already would never drain"
    wire.open.set()
    await wire.connection.finished.wait()
    assert wire.code == 1013


async def test_who_does_not_take_its_end_is_cut_off_after_a_while(wire, monkeypatch):
    monkeypatch.setattr("chatapp.realtime.connection.CLOSE_SECONDS", 0.05)
    wire.open.clear()
    wire.connection.send("never taken")
    await asyncio.sleep(0)
    wire.connection.close(4401)
    assert not wire.aborted.is_set(), "it is given time"
    await asyncio.wait_for(wire.aborted.wait(), 2)


async def test_a_line_that_breaks_ends_the_connection(wire):
    async def fail(_):
        raise BrokenPipeError

    broken = Wire()
    broken.connection._send = fail
    running = asyncio.ensure_future(broken.connection.run())
    broken.connection.send("x")
    with pytest.raises(BrokenPipeError):
        await running
    assert broken.connection.finished.is_set()
    assert not broken.connection.is_open


async def test_a_cancelled_sender_counts_as_ended():
    wire = Wire()
    running = asyncio.ensure_future(wire.connection.run())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert wire.connection.finished.is_set()
    assert not wire.connection.is_open
