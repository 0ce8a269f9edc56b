"""deploy/turn on a real coturn: who gets a relay, and where it leads."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatapp.ice import IceServers
from tests.cases.callers import Caller, Line
from tests.support.process import Process
from tests.support.turn_client import TurnClient
from tests.support.turn_server import PUBLIC, SECRET, TurnServer

FORBIDDEN, OTHER_FAMILY, UNAUTHORIZED, QUOTA = 403, 443, 401, 486
Ask = Callable[..., TurnClient]


@pytest.fixture
def turn(tmp_path: Path, stack: list[Process]) -> Callable[..., TurnServer]:
    def start(own: str = "127.0.0.1", other: dict[str, str] | None = None) -> TurnServer:
        server = TurnServer(tmp_path / "turn", own=own, other=other)
        stack.append(server)
        server.start()
        return server

    return start


@pytest.fixture
def ask() -> Iterator[Ask]:
    """ask(server, username, credential), or with what chatapp gives user 7."""
    clients: list[TurnClient] = []

    def client(server: TurnServer, *given: str) -> TurnClient:
        clients.append(TurnClient(server.address, *(given or credentials())))
        return clients[-1]

    yield client
    for each in clients:
        each.close()


def credentials(user: int = 7, secret: str = SECRET) -> tuple[str, str]:
    (server,) = IceServers((), ("turn:turn.example.org",), secret).of(user)
    return str(server["username"]), str(server["credential"])


# -- who gets a relay ---------------------------------------------------------


async def test_who_is_in_a_live_call_gets_a_relay_and_nobody_else_gets_what_it_takes(
    serve, turn, ask, database_url
):
    relay = turn()
    url = f"turn:127.0.0.1:{relay.port}"
    server = await serve(DATABASE_URL=database_url, TURN_URLS=url, TURN_SECRET=SECRET)
    ann, bob, eve = [await Caller(name).signs_up(server) for name in ("Ann", "Bob", "Eve")]
    room = await ann.opens(server, "Lab")
    await bob.joins(server, room)
    async with ann.line(server) as hers, bob.line(server) as his, eve.line(server) as outside:
        await hers.watches(room)
        await his.watches(room)
        assert not given(hers)
        await hers.send(type="call_join", room=room)
        (ice,) = (await hers.frame("call_joined"))["ice"]
        assert ice["urls"] == [url]
        lapses = int(ice["username"].partition(":")[0])
        assert lapses <= time.time() + 600
        client = ask(relay, ice["username"], ice["credential"])
        assert client.allocate() == 0
        assert client.relayed is not None
        assert client.relayed[0] == PUBLIC
        assert client.relayed[1] in range(49160, 49360)

        await his.frame("call")  # a member who is not in the call hears of it
        assert not given(his)
        await bob.does(server, f"/rooms/{room}/leave")
        await his.frame("removed")
        for line in (his, outside):
            await line.send(type="watch", room=room, cursor=f"{hers.epoch}:0")
            await line.send(type="call_join", room=room)
            await line.frame("call_refused")
            assert not given(line)
    async with Caller("a visitor").line(server) as visitor:
        assert await visitor.ends() == 4401
        assert not given(visitor)
    for caller in (ann, bob, eve):
        await caller.goes()


def given(line: Line) -> list[str]:
    return [str(frame) for frame in line.frames if "credential" in str(frame)]


def test_forged_and_borrowed_names_get_nothing(turn, ask):
    relay = turn()
    name, credential = credentials()
    later = f"{int(time.time()) + 86_400}:7"
    for username, password in [
        (name, "forged"),
        (later, credential),  # more time than was given
        (name.replace(":7", ":8"), credential),  # somebody else
        credentials(secret="another secret that is long enough"),
        ("7", ""),
        ("", ""),
    ]:
        assert ask(relay, username, password).allocate() == UNAUTHORIZED, username
    assert ask(relay).allocate() == 0


def test_a_lapsed_name_gets_nothing_but_a_call_that_goes_on_keeps_what_it_has(
    turn, ask, monkeypatch
):
    """Even where it has to answer for itself again, since its nonce is too old."""
    relay = turn(other={"stale-nonce=600": "stale-nonce=1"})
    monkeypatch.setattr("chatapp.ice.CREDENTIAL_SECONDS", 2)
    soon = credentials()
    caller = ask(relay, *soon)
    assert caller.allocate() == 0
    while ask(relay, *soon).allocate() != UNAUTHORIZED:
        time.sleep(0.2)
    assert caller.refresh(600) == 0
    assert caller.permit(ELSEWHERE[0]) == 0
    monkeypatch.setattr("chatapp.ice.CREDENTIAL_SECONDS", -1)
    assert ask(relay, *credentials()).allocate() == UNAUTHORIZED


def test_nobody_takes_all_relays(turn, ask):
    relay = turn(other={"user-quota=24": "user-quota=3"})
    own = [ask(relay, *credentials(user=7)).allocate() for _ in range(5)]
    assert own == [0, 0, 0, QUOTA, QUOTA]
    assert ask(relay, *credentials(user=8)).allocate() == 0


# -- where a relay leads ------------------------------------------------------

ELSEWHERE = ("1.1.1.1", "193.0.0.1", "223.255.255.254")
INSIDE = (
    *("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.9.9.9"),
    *("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.30.57.11", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "100.127.255.255", "100.100.100.200"),
    *("192.0.0.8", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1"),
    *("203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
)
ELSEWHERE_6 = ("2606:4700::1111", "2a00::1", "2001:4860::8888")
INSIDE_6 = (
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
    *("::ffff:1.1.1.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "100::1"),
    *("2001::1", "2001:0:7f00:1::", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1"),
    *("fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "ff0e::1"),
)


def test_a_relay_leads_to_public_addresses_alone(turn, ask):
    client = ask(turn())
    assert client.allocate() == 0
    for peer in ELSEWHERE:
        assert (client.permit(peer), client.bind(peer)) == (0, 0), peer
    for peer in INSIDE:
        assert (client.permit(peer), client.bind(peer)) == (FORBIDDEN, FORBIDDEN), peer
    for peer in INSIDE_6:  # a relay of the one kind never leads to the other
        assert client.permit(peer) == OTHER_FAMILY, peer


def test_a_relay_of_ipv6_leads_to_public_addresses_alone(turn, ask):
    """Ours has none in its network; who gives it one is as safe."""
    client = ask(turn("::1"))
    assert client.allocate() == 0
    for peer in ELSEWHERE_6:
        assert (client.permit(peer), client.bind(peer)) == (0, 0), peer
    for peer in INSIDE_6:
        assert (client.permit(peer), client.bind(peer)) == (FORBIDDEN, FORBIDDEN), peer


# -- the container ------------------------------------------------------------


def test_the_health_check_tells_that_it_answers(turn):
    relay = turn()
    check = ["turnutils_stunclient", "-p", str(relay.port), relay.address[0]]
    assert subprocess.run(check, timeout=10, capture_output=True, check=False).returncode == 0


def test_no_part_of_it_is_unknown_to_coturn_and_the_secret_is_in_nobodys_sight(turn):
    relay = turn()
    assert "Bad configuration" not in relay.log_text()
    assert SECRET not in relay.log_text()
    assert SECRET not in Path(f"/proc/{relay.pid}/cmdline").read_text()
    assert (relay.folder / "turnserver.conf").stat().st_mode & 0o077 == 0


def test_without_a_public_address_it_says_what_is_missing(tmp_path):
    relay = TurnServer(tmp_path)
    done = subprocess.run(
        relay.argv, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "CHATAPP_TURN_IP" in done.stderr
