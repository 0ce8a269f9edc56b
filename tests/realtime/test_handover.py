"""Taking sockets over from uvicorn: the same on the wire as through ASGI, and nothing left behind."""

import asyncio
import base64
import contextlib
import os

import pytest
import uvicorn
import websockets

from chatapp.realtime import direct_line, frames, handover, wire
from chatapp.realtime.asgi_line import AsgiLine
from chatapp.realtime.connection import WAITING_BYTES, Connection
from chatapp.realtime.direct_line import DirectLine
from tests.support import run_folder

MOST = 1000
SAID = [wire.text_frame(b"x" * size) for size in (0, 1, 125, 126, 65_535, 65_536)]


class Door:
    """An endpoint as `routes/socket.py` has it, that writes down what lines tell it. `/asgi` takes nothing over."""

    def __init__(self):
        self.connections = []
        self.heard = []
        self.binary = 0
        self.gone = []
        self.news = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            return
        await receive()
        handover.refuse_extensions(send)
        await self.may_answer.wait()
        await send({"type": "websocket.accept"})
        line = handover.take_over(send, MOST, self) if scope["path"] != "/asgi" else None
        if isinstance(line, DirectLine):
            connection = Connection(user_id=1, session_id=1, expires_at=0, line=line)
            line.serve(connection)
            self._add(connection)
            return
        asgi = AsgiLine(
            send=lambda text: send({"type": "websocket.send", "text": text}),
            close=lambda code: send({"type": "websocket.close", "code": code}),
            abort=lambda: handover.transport_of(send).abort(),
        )
        self._add(Connection(user_id=1, session_id=1, expires_at=0, line=asgi))
        sending = asyncio.ensure_future(asgi.run())
        while (message := await receive())["type"] == "websocket.receive":
            self.took(self.connections[-1], message["text"])
        await sending

    def _add(self, connection):
        self.connections.append(connection)
        self.news.set()

    def took(self, connection, text):
        self.heard.append(text)
        self.news.set()

    def took_binary(self, connection):
        self.binary += 1
        self.news.set()

    def lost(self, connection):
        self.gone.append(connection)
        self.news.set()

    async def until(self, true):
        async with asyncio.timeout(5):
            while not true():
                self.news.clear()
                await self.news.wait()

    async def connection(self):
        await self.until(lambda: self.connections)
        return self.connections[-1]


class Served:
    def __init__(self, door, server, port):
        self.door, self.server, self.port = door, server, port
        self.writers = []

    async def raw(self, path="/direct", early=b""):
        """A line of plain bytes after a handshake; `early` arrives before it is answered."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n".encode()
        )
        if early:
            self.door.may_answer.clear()
            while not (old := self._under_way()):
                await asyncio.sleep(0.005)
            writer.write(early)
            while old.queue.empty():
                await asyncio.sleep(0.005)
            self.door.may_answer.set()
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 101")
        assert b"sec-websocket-extensions" not in head, "compression is declined"
        return reader, writer

    def _under_way(self):
        """uvicorn's protocol of the one handshake that waits for its answer."""
        found = self.server.server_state.connections
        return next((p for p in found if getattr(p, "handshake_initiated", False)), None)


@contextlib.asynccontextmanager
async def serving():
    door = Door()
    port = run_folder.free_port()
    config = uvicorn.Config(
        door, port=port, lifespan="off", log_config=None, ws_ping_interval=0.05, ws_ping_timeout=1
    )
    server = uvicorn.Server(config)
    setattr(server, "capture_signals", contextlib.nullcontext)  # noqa: B010  the signals are pytest's
    running = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    it = Served(door, server, port)
    try:
        yield it
    finally:
        for writer in it.writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        for connection in door.connections:
            connection.close(1000)
        server.should_exit = True
        server.force_exit = True
        await running


@pytest.fixture
async def served():
    async with serving() as it:
        yield it


def text(words, *, first=0x81):
    """A short frame of a client, with a mask of zeros."""
    return bytes((first, 0x80 | len(words))) + bytes(4) + words


def test_the_uvicorn_that_is_locked_is_one_we_know():
    """A new version: run this file, read `websockets_sansio_impl.py`, then add it to `handover.KNOWN`."""
    assert handover.is_known()


async def test_both_ways_put_the_same_bytes_on_the_wire(served):
    got: list[bytes] = []
    for path in ("/direct", "/asgi"):
        reader, writer = await served.raw(path)
        await served.door.until(lambda: len(served.door.connections) == len(got) + 1)
        connection = served.door.connections[-1]
        for frame in SAID:
            connection.send(frame)
        connection.close(frames.CLOSE_SESSION, frames.error("busy", "The last word."))
        end = wire.close_frame(frames.CLOSE_SESSION)
        arrived = b""
        while not arrived.endswith(end):
            arrived += await reader.read(1 << 20)
        got.append(arrived.replace(wire.ping_frame(), b""))
        writer.write(text(frames.CLOSE_SESSION.to_bytes(2), first=0x88))
        assert await reader.read() == b"", "the line ends when both have said so"
        writer.close()
    direct, asgi = got
    assert direct.startswith(b"".join(SAID))
    assert direct == _without_pings(asgi)


def _without_pings(data):
    """uvicorn's own pings carry four random bytes."""
    at = data.find(b"\x89\x04")
    while at >= 0 and not data[:at].endswith(b"x"):
        data = data[:at] + data[at + 6 :]
        at = data.find(b"\x89\x04")
    return data


async def test_it_is_the_line_that_serves_and_uvicorn_has_let_go(served):
    _, writer = await served.raw()
    await served.door.connection()
    (line,) = served.server.server_state.connections
    assert isinstance(line, DirectLine)
    while served.server.server_state.tasks:
        await asyncio.sleep(0)  # the endpoint returns: no task is left for the socket
    writer.write(text(b"one") + text(b"two"))
    await served.door.until(lambda: served.door.heard == ["one", "two"])
    writer.close()
    await served.door.until(lambda: served.door.gone)
    assert not served.server.server_state.connections
    assert not served.door.connections[0].is_open


async def test_who_speaks_before_the_handshake_is_answered_is_heard(served):
    """Their words are in uvicorn's hands already, so there they stay."""
    await served.raw(early=text(b"early"))
    await served.door.until(lambda: served.door.heard == ["early"])


async def test_another_version_of_uvicorn_is_served_through_asgi(served, monkeypatch):
    monkeypatch.setattr(handover, "KNOWN", ("0.1.",))
    async with websockets.connect(f"ws://127.0.0.1:{served.port}/direct") as socket:
        await socket.send("hello")
        await served.door.until(lambda: served.door.heard == ["hello"])
        (await served.door.connection()).send(frames.sidebar())
        assert await socket.recv() == '{"type":"sidebar"}'


async def test_pings_are_answered_and_binary_frames_told(served):
    reader, writer = await served.raw()
    writer.write(text(b"are you there", first=0x89) + text(b"\xff", first=0x82))
    assert await reader.readexactly(15) == wire.pong_frame(b"are you there")
    await served.door.until(lambda: served.door.binary)


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"\xc1\x80", 1002), (text(b"\xff"), 1007), (b"\x81\xfe\x03\xe9" + bytes(4), 1009)],
    ids=["reserved bit", "no UTF-8", "too large"],
)
async def test_a_breach_closes_the_line_with_the_right_code(served, data, code):
    reader, writer = await served.raw()
    writer.write(data)
    assert await reader.readexactly(4) == wire.close_frame(code)
    writer.write(text(b"ignored"))
    writer.write(text(code.to_bytes(2), first=0x88))
    assert await reader.read() == b"", "nothing more is said"
    writer.close()
    await served.door.until(lambda: served.door.gone)
    assert served.door.heard == []


async def test_whoever_is_in_the_middle_of_far_too_much_still_learns_why(served):
    """Dropping the line while megabytes are under way would reset it, and the reason would be lost."""
    reader, writer = await served.raw()
    size = 8_000_000
    writer.write(b"\x81\xff" + size.to_bytes(8) + bytes(4))
    for _ in range(8):
        writer.write(b"x" * (size // 8))
        await writer.drain()
    assert await reader.read() == wire.close_frame(1009)


async def test_a_browser_that_closes_is_answered(served):
    reader, writer = await served.raw()
    writer.write(text((1001).to_bytes(2), first=0x88))
    assert await reader.read() == wire.close_frame(1001)
    await served.door.until(lambda: served.door.gone)


async def test_who_does_not_answer_the_end_is_cut_off(served, monkeypatch):
    monkeypatch.setattr(direct_line, "CLOSE_SECONDS", 0.05)
    await served.raw()
    (await served.door.connection()).close(frames.CLOSE_SESSION)
    await served.door.until(lambda: served.door.gone)


async def test_who_reads_nothing_is_cut_with_a_bound_on_what_waits(served):
    _, writer = await served.raw()
    connection = await served.door.connection()
    transport = connection._line._transport
    frame = wire.text_frame(b"x" * 60_000)
    while connection.is_open:
        connection.send(frame)
        assert transport.get_write_buffer_size() <= WAITING_BYTES + len(frame)
        await asyncio.sleep(0)
    await served.door.until(lambda: served.door.gone)
    writer.close()


async def test_whoever_has_much_to_send_may_wait_for_the_reader(served):
    reader, writer = await served.raw()
    connection = await served.door.connection()
    for _ in range(40):
        connection.send(wire.text_frame(b"x" * 500_000))
        waiting = asyncio.ensure_future(connection.drained())
        await reader.readexactly(500_010)
        await waiting
    assert connection.is_open
    connection.send(wire.text_frame(b"x" * 20_000_000))
    waiting = asyncio.ensure_future(connection.drained())
    await asyncio.sleep(0)
    assert not waiting.done()
    writer.transport.abort()
    await asyncio.wait_for(waiting, 5)  # a line that is gone keeps nobody waiting


async def test_a_silent_line_is_pinged_and_then_given_up(served):
    reader, _ = await served.raw()
    connection = await served.door.connection()
    for _ in range(direct_line.SILENT_PINGS):
        connection.ping()
        assert await reader.readexactly(2) == wire.ping_frame()
    assert not served.door.gone
    connection.ping()
    await served.door.until(lambda: served.door.gone)


async def test_a_line_that_answers_lives_on(served):
    reader, writer = await served.raw()
    connection = await served.door.connection()
    for n in range(3 * direct_line.SILENT_PINGS):
        connection.ping()
        await reader.readexactly(2)
        writer.write(text(b"", first=0x8A) + text(b"%d" % n))
        await served.door.until(lambda n=n: served.door.heard[-1:] == [str(n)])
    assert connection.is_open


async def test_a_server_that_stops_tells_its_sockets_to_come_back(served):
    reader, writer = await served.raw()
    await served.door.connection()
    served.server.should_exit = True
    assert await reader.readexactly(4) == wire.close_frame(frames.CLOSE_RESTART)
    writer.write(text(frames.CLOSE_RESTART.to_bytes(2), first=0x88))
    assert await reader.read() == b""
