"""Frames that can wait for the next one: fewer writings, the same order, nothing held for longer than a step."""

import asyncio

import pytest

from chatapp.realtime import frames, wire
from chatapp.realtime.connection import WAITING_BYTES, Connection
from chatapp.realtime.direct_line import DirectLine

ACK, ROW, BEAT = (wire.text_frame(word) for word in (b"ack", b"row", b"beat"))


class Wire(asyncio.Transport):
    """Writes down each writing. `waiting`: bytes that a reader has not taken yet."""

    def __init__(self):
        super().__init__()
        self.written = []
        self.waiting = 0
        self.aborted = False

    def write(self, data):
        self.written.append(bytes(data))

    def get_write_buffer_size(self):
        return self.waiting

    def close(self):
        return

    def abort(self):
        self.aborted = True


class Nobody:
    def took(self, connection, text):
        raise AssertionError

    def took_binary(self, connection):
        raise AssertionError

    def lost(self, connection):
        return


@pytest.fixture
def cable():
    return Wire()


@pytest.fixture
def connection(cable):
    line = DirectLine(cable, set(), 1000, Nobody())
    connection = Connection(user_id=1, session_id=1, expires_at=0, line=line)
    line.serve(connection)
    return connection


async def one_step():
    """The loop goes round once."""
    await asyncio.sleep(0)


async def test_an_acknowledgement_goes_out_with_the_row_that_follows(connection, cable):
    connection.send_soon(ACK)
    connection.send(ROW)
    connection.send(BEAT)
    await one_step()
    assert cable.written == [ACK + ROW, BEAT]


async def test_an_acknowledgement_that_nothing_follows_goes_out_by_itself(connection, cable):
    connection.send_soon(ACK)
    connection.send_soon(ACK)
    assert cable.written == []
    await one_step()
    assert cable.written == [ACK + ACK]
    connection.send_soon(ACK)
    await one_step()
    assert cable.written == [ACK + ACK, ACK]


async def test_a_line_that_is_closed_says_first_what_it_held(connection, cable):
    connection.send_soon(ACK)
    connection.close(frames.CLOSE_RESTART)
    connection.send_soon(ACK)
    await one_step()
    assert cable.written == [ACK + wire.close_frame(frames.CLOSE_RESTART)]


async def test_who_does_not_read_is_cut_off_by_what_was_held_too(connection, cable):
    cable.waiting = WAITING_BYTES
    connection._line.pause_writing()
    connection.send_soon(ACK)
    await one_step()
    assert cable.aborted
    assert not connection.is_open
    assert cable.written == []


async def test_a_line_that_is_lost_writes_nothing_any_more(connection, cable):
    connection.send_soon(ACK)
    connection._line.connection_lost(None)
    await one_step()
    assert cable.written == []
