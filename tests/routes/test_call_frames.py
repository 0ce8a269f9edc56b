"""What a hostile browser sends about calls: it gets an error, and nobody else notices."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from chatapp.realtime.signals import CANDIDATES_MOST, SDP_MOST
from tests.routes.people import Person, somebody
from tests.support.asgi import Site
from tests.support.asgi_socket import AsgiSocket

Two = tuple[int, tuple[AsgiSocket, str], tuple[AsgiSocket, str]]

GOOD = {"state": {"mic": True, "camera": False, "hand": False, "screen": ""}}


def offer(size: int) -> dict[str, Any]:
    return {"session": "s", "description": {"type": "offer", "sdp": "v" * size}}


BAD: dict[str, dict[str, Any]] = {
    "an oversized description": {"data": offer(SDP_MOST + 1)},
    "too many candidates": {"data": {"candidates": [{"candidate": "c"}] * (CANDIDATES_MOST + 1)}},
    "a candidate too long": {"data": {"candidates": [{"candidate": "c" * 1001}]}},
    "a kind of description nobody knows": {"data": {"description": {"type": "x", "sdp": ""}}},
    "something else in the data": {"data": {"html": "<script>alert(1)</script>"}},
    "something else in the state": {"data": {"state": {**GOOD["state"], "admin": True}}},
    "no data": {},
    "data that is none": {"data": 7},
    "a number for a text": {"data": {"session": 7}},
    "an address too long": {"data": GOOD, "to": "t" * 25},
}


async def in_call(open_: AsyncExitStack, person: Person, room: int) -> tuple[AsgiSocket, str]:
    socket = await open_.enter_async_context(person.socket())
    epoch = (await socket.receive_json("hello"))["epoch"]
    await socket.send_json({"type": "watch", "room": room, "cursor": f"{epoch}:0"})
    await socket.receive_json("watching")
    await socket.send_json({"type": "call_join", "room": room})
    return socket, (await socket.receive_json("call_joined"))["id"]


@pytest.fixture
async def two(site: Site) -> AsyncIterator[Two]:
    ann, bob = await somebody(site), await somebody(site)
    room = await ann.opens("Lab")
    await bob.joins(room)
    async with AsyncExitStack() as open_:
        yield room, await in_call(open_, ann, room), await in_call(open_, bob, room)


@pytest.mark.parametrize("what", BAD)
async def test_a_signal_that_is_none_is_refused_and_reaches_nobody(two: Two, what: str) -> None:
    room, (hers, token), (his, _) = two
    await his.send_json({"type": "signal", "room": room, "to": token, **BAD[what]})
    assert (await his.receive_json("error"))["code"] == "frame_invalid"
    await his.send_json({"type": "signal", "room": room, "data": GOOD})
    assert (await hers.receive_json("signal"))["data"] == GOOD


async def test_the_largest_description_passes_and_its_sender_is_who_sent_it(two: Two) -> None:
    room, (hers, token), (his, his_token) = two
    frame = {"type": "signal", "room": room, "to": token, "data": offer(SDP_MOST), "from": token}
    await his.send_json(frame)
    came = await hers.receive_json("signal")
    assert (came["from"], came["data"]) == (his_token, offer(SDP_MOST))
