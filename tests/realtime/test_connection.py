"""One tab's socket over an ASGI server: bounded, in order, and over when it is closed."""

import asyncio

import pytest

from chatapp.realtime import wire
from chatapp.realtime.asgi_line import WAITING_FRAMES, AsgiLine
from chatapp.realtime.connection import WAITING_BYTES, Connection


class Browser:
    """What arrives. `open` lets it."""

    def __init__(self):
        self.came = []
        self.code = None
        self.open = asyncio.Event()
        self.open.set()
        self.aborted = asyncio.Event()
        self.line = AsgiLine(send=self._send, close=self._close, abort=self.aborted.set)
        self.connection = Connection(user_id=1, session_id=1, expires_at=0, line=self.line)

    def send(self, text):
        self.connection.send(wire.text_frame(text.encode()))

    async def _send(self, text):
        await self.open.wait()
        self.came.append(text)

    async def _close(self, code):
        self.code = code


@pytest.fixture
async def browser():
    browser = Browser()
    running = asyncio.ensure_future(browser.line.run())
    yield browser
    browser.open.set()
    browser.connection.close(1000)
    await running
    assert browser.line.finished.is_set()


async def test_frames_arrive_in_the_order_they_were_put_in(browser):
    for n in range(100):
        browser.send(str(n))
    await browser.connection.drained()
    assert browser.came == [str(n) for n in range(100)]


async def test_nothing_is_sent_after_the_end_but_the_last_word(browser):
    browser.open.clear()
    browser.send("under way")
    browser.connection.close(4400, wire.text_frame(b"the last word"))
    browser.connection.close(1012, wire.text_frame(b"too late"))
    browser.send("too late")
    browser.open.set()
    await browser.line.finished.wait()
    assert browser.came == ["under way", "the last word"]
    assert browser.code == 4400
    assert not browser.connection.is_open


@pytest.mark.parametrize("text", ["x" * 10_000, "x"], ids=["large", "small"])
async def test_who_reads_too_slowly_is_cut_and_holds_no_memory(browser, text):
    browser.open.clear()
    sent = 0
    while browser.connection.is_open:
        browser.send(text)
        sent += 1
        assert sent * len(text) <= WAITING_BYTES + 2 * len(text)
        assert sent <= WAITING_FRAMES + 1
    for _ in range(1000):
        browser.send(text)
    assert not browser.line._queue
    assert browser.aborted.is_set(), "at once: what was written already would never drain"
    browser.open.set()
    await browser.line.finished.wait()


async def test_who_reads_too_slowly_is_cut_by_what_could_wait_as_well(browser):
    browser.open.clear()
    frame = wire.text_frame(b"x" * 10_000)
    for _ in range(WAITING_BYTES // 10_000 + 2):
        browser.connection.send_soon(frame)
    assert not browser.connection.is_open
    assert not browser.line._queue
    assert browser.aborted.is_set()
    browser.open.set()
    await browser.line.finished.wait()


async def test_one_frame_may_be_larger_than_all_that_may_wait(browser):
    browser.send("x" * (WAITING_BYTES + 1))
    assert browser.connection.is_open
    await browser.connection.drained()
    assert len(browser.came) == 1


async def test_who_does_not_take_its_end_is_cut_off_after_a_while(browser, monkeypatch):
    monkeypatch.setattr("chatapp.realtime.asgi_line.CLOSE_SECONDS", 0.05)
    browser.open.clear()
    browser.send("never taken")
    browser.connection.close(4401)
    assert not browser.aborted.is_set(), "it is given time"
    await asyncio.wait_for(browser.aborted.wait(), 2)


async def test_a_line_that_breaks_ends_the_sending():
    async def fail(_):
        raise BrokenPipeError

    broken = Browser()
    broken.line._send = fail
    running = asyncio.ensure_future(broken.line.run())
    broken.send("x")
    with pytest.raises(BrokenPipeError):
        await running
    assert broken.line.finished.is_set()


async def test_a_cancelled_sender_counts_as_ended():
    browser = Browser()
    running = asyncio.ensure_future(browser.line.run())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert browser.line.finished.is_set()
