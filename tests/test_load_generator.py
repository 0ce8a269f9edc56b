"""The load generator notices what goes wrong, and takes nothing for wrong that is right."""

import socket
import threading
import time

import pytest

from benchmarks import frames
from benchmarks.ledger import Ledger, Member, Room
from benchmarks.sockets import Line
from benchmarks.swarm import Swarm


def mark(number: int) -> bytes:
    return b"%08d" % number


@pytest.fixture
def room():
    return Room(7)


@pytest.fixture
def members(room):
    found = [Member(number, room, is_live=True) for number in range(3)]
    room.members += found
    return found


@pytest.fixture
def ledger(members):
    ledger = Ledger()
    for _ in range(3):
        ledger.sent(members[0], 0.0)
    return ledger


ALL = [mark(0), mark(1), mark(2)]


def test_all_is_well(ledger, members):
    for member in members:
        ledger.delivered(member, ALL, 1.0)
    assert ledger.lost() == ledger.faults.bad() == 0
    assert ledger.latencies(0.0) == [1.0] * 9
    assert ledger.arrived(0.5, 1.5) == 9


def test_lost_for_one(ledger, members):
    for member in members[:2]:
        ledger.delivered(member, ALL, 1.0)
    ledger.delivered(members[2], [mark(0), mark(2)], 1.0)
    assert ledger.lost() == 1
    ledger.delivered(members[2], [mark(1)], 1.0)
    assert (ledger.lost(), ledger.faults.out_of_order) == (0, 1)


def test_lost_for_all(ledger, members):
    for member in members:
        ledger.delivered(member, [mark(0), mark(2)], 1.0)
    assert ledger.lost() == 3
    ledger.refused.add(1)
    assert ledger.lost() == 0


def test_doubled(ledger, members):
    ledger.delivered(members[0], ALL, 1.0)
    ledger.delivered(members[0], [mark(2)], 1.0)
    ledger.delivered(members[1], [mark(0), mark(0)], 1.0)
    assert ledger.faults.doubled == 2


def test_repeated_while_catching_up(ledger, members):
    ledger.delivered(members[0], ALL, 1.0)
    members[0].is_live = False
    ledger.delivered(members[0], [mark(2)], 1.0)
    assert (ledger.faults.doubled, ledger.faults.repeated) == (0, 1)


def test_misrouted_and_unknown(ledger, members):
    stranger = Member(9, Room(8), is_live=True)
    ledger.delivered(stranger, [mark(1)], 1.0)
    ledger.delivered(members[0], [mark(99)], 1.0)
    assert (ledger.faults.misrouted, ledger.faults.unknown) == (1, 1)


def test_frames_in_any_portions():
    whole = b"\x81\x05hello" + b"\x81\x7e\x00\xc8" + b"x" * 200 + b"\x89\x00"
    for cut in range(len(whole) + 1):
        found, at = frames.parts(whole[:cut])
        more, rest = frames.parts(whole[at:])
        assert [*found, *more] == [(1, b"hello"), (1, b"x" * 200), (9, b"")]
        assert at + rest == len(whole)


def test_a_post_is_masked_and_has_a_key_of_its_own():
    data = frames.Post(7).frame(42)
    payload = bytes(byte ^ frames.MASK for byte in data[8:])
    assert len(payload) == int.from_bytes(data[2:4], "big")
    assert frames.MARK.findall(payload) == [mark(42)]
    found = frames.KEY.search(payload)
    assert found is not None
    assert int(found[1]) == 42


def changes(room: int, *numbers: int) -> bytes:
    """Message `n` has the number n + 1 in its room."""
    html = b"".join(b"<p>Zq%08dqZ</p>" % number for number in numbers)
    payload = b'{"type":"changes","room":%d,"from":%d,"seq":%d,"html":"%s"}'
    payload %= (room, numbers[0], max(numbers) + 1, html)
    return bytes((0x81, 126)) + len(payload).to_bytes(2, "big") + payload


def test_the_swarm_over_a_real_socket():
    """A server by hand that loses a message, repeats one, doubles one, and sends one of another room."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        swarm = Swarm(listener.getsockname()[1])
        lines = [Line(number, room, "sid=x") for room in [Room(7)] for number in range(2)]
        peers: list[socket.socket] = []

        def serve() -> None:
            for _ in lines:
                peer, _ = listener.accept()
                peers.append(peer)
                peer.recv(4096)
                hello = b'{"type":"hello","user":1,"epoch":"e"}'
                peer.sendall(b"HTTP/1.1 101 ok\r\n\r\n\x81" + bytes((len(hello),)) + hello)
                peer.recv(4096)
                watching = b'{"type":"watching","room":7,"seq":0}'
                peer.sendall(b"\x81" + bytes((len(watching),)) + watching)

        server = threading.Thread(target=serve)
        server.start()
        swarm.join(lines, parallel=1, patience=5)
        server.join()
        for number in range(3):
            swarm.ledger.sent(lines[0], float(number))
        for first, second in ((changes(7, 0, 1), changes(7, 0, 1)), (changes(7, 2), b"")):
            peers[0].sendall(first)
            peers[1].sendall(second)
            until = time.perf_counter() + 0.05
            while time.perf_counter() < until:
                swarm.turn(0.01)
        assert (swarm.ledger.lost(), swarm.ledger.faults.bad()) == (1, 0)
        peers[1].sendall(changes(7, 2) + changes(7, 2) + changes(8, 1))
        until = time.perf_counter() + 2
        while not swarm.ledger.faults.misrouted and time.perf_counter() < until:
            swarm.turn(0.01)
        # The second frame says that it is an old one, which a browser drops.
        faults = swarm.ledger.faults
        assert (swarm.ledger.lost(), faults.misrouted) == (0, 1)
        assert (faults.doubled, faults.repeated) == (0, 1)
        swarm.ledger.sent(lines[0], 3.0)
        peers[0].sendall(changes(7, 3, 2))
        until = time.perf_counter() + 2
        while not faults.doubled and time.perf_counter() < until:
            swarm.turn(0.01)
        assert (faults.doubled, faults.repeated) == (1, 1)
        swarm.close()
        for peer in peers:
            peer.close()
