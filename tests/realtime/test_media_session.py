"""One tab's session with the media server, with a stand-in that answers as the test says: what a real Janus never does,
or not when it is wanted. The real one: tests/routes/test_media_frames.py, tests/browser/test_large_calls.py."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from chatapp.realtime import media_session
from chatapp.realtime.janus import PROTOCOL
from chatapp.realtime.media_session import Asked, MediaSession, Told, Want
from tests.support.janus_server import speaking

ANN = 71  # a publisher, as the media server numbers her
PUBLISHERS = [{"id": ANN, "display": "ann"}, {"id": 72, "display": "me"}]


class StandIn:
    """`asked`: the requests to the plugin, but for the making of a room. `lines`: those that there are to get."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.publishers: Any = PUBLISHERS
        self.lines = {"0", "1", "2", "3"}
        self.taken: dict[str, str] = {}  # lines by part of the offer
        self._handles = 100

    async def speak(self, line: ServerConnection) -> None:
        async for text in line:
            said: dict[str, Any] = msgspec.json.decode(text)
            await line.send(msgspec.json.encode(self._answer(said)).decode())

    def _answer(self, said: dict[str, Any]) -> dict[str, Any]:
        answer = {"janus": "success", "transaction": said["transaction"]}
        if said["janus"] != "message":
            self._handles += 1
            return {**answer, "data": {"id": self._handles}}
        body = said["body"]
        if body["request"] != "create":
            self.asked.append(body)
        content, sdp = self._content(body)
        return {
            **answer,
            "janus": "event",
            "sender": said["handle_id"],
            "plugindata": {"data": content},
            **({"jsep": {"type": "x", "sdp": sdp}} if sdp else {}),
        }

    def _content(self, body: dict[str, Any]) -> tuple[dict[str, Any], str]:
        if body["request"] == "joinandconfigure":
            return {"videoroom": "joined", "publishers": self.publishers}, "their answer"
        if body["request"] not in {"join", "update"}:
            return {"videoroom": "event"}, ""
        for gone in body.get("unsubscribe", []):
            del self.taken[gone["sub_mid"]]
        for fresh in [*body.get("streams", []), *body.get("subscribe", [])]:
            if fresh["mid"] in self.lines:
                self.taken[f"part {fresh['mid']}"] = fresh["mid"]
        streams = [
            {"mid": mid, "active": True, "feed_id": ANN, "feed_mid": line}
            for mid, line in self.taken.items()
        ]
        return {"videoroom": "attached", "streams": streams}, "their offer"


class Tab:
    """A session, and what its browser is told."""

    def __init__(self, session: MediaSession, told: "asyncio.Queue[Told]") -> None:
        self.session = session
        self.told = told

    def says(self, **data: Any) -> None:
        self.session.take(Asked(**data))

    async def hears(self) -> Told:
        return await asyncio.wait_for(self.told.get(), 10)


@asynccontextmanager
async def sitting(stand_in: StandIn) -> AsyncIterator[Tab]:
    server = await serve(stand_in.speak, "127.0.0.1", 0, subprotocols=[Subprotocol(PROTOCOL)])
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, speaking(url) as janus:
        await until(lambda: janus.is_there)
        told: asyncio.Queue[Told] = asyncio.Queue()
        session = MediaSession(
            janus=janus, room=7, most=30, token="me", name="s1", tell=told.put_nowait
        )
        task = asyncio.create_task(session.run())
        yield Tab(session, told)
        session.end()
        await task


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn()


@pytest.fixture
async def tab(stand_in: StandIn) -> AsyncIterator[Tab]:
    async with sitting(stand_in) as tab:
        tab.says(offer="my offer")
        assert await tab.hears() == Told(answer="their answer")
        stand_in.asked.clear()
        yield tab


def line(number: int) -> dict[str, object]:
    return {"mid": f"part {number}", "id": "ann", "line": number}


async def test_what_is_wanted_is_got_and_let_go_again(tab: Tab, stand_in: StandIn) -> None:
    tab.says(wants=[Want("ann", 0), Want("ann", 1, 0), Want("me", 0), Want("nobody", 0)])
    assert await tab.hears() == Told(offer="their offer", lines=[line(0), line(1)])
    tab.says(answer="my answer")
    await until(lambda: len(stand_in.asked) == 3)
    join, start, layers = stand_in.asked
    assert join["streams"] == [{"feed": ANN, "mid": "0"}, {"feed": ANN, "mid": "1"}]
    assert start == {"request": "start"}
    assert layers["streams"] == [{"mid": "part 1", "substream": 0}]
    tab.says(wants=[Want("ann", 0)])
    assert await tab.hears() == Told(offer="their offer", lines=[line(0)])
    assert stand_in.asked[-1] == {"request": "update", "unsubscribe": [{"sub_mid": "part 1"}]}


async def test_one_offer_is_answered_before_the_next(tab: Tab, stand_in: StandIn) -> None:
    tab.says(wants=[Want("ann", 0)])
    await tab.hears()
    tab.says(wants=[Want("ann", 0), Want("ann", 2)])
    tab.says(wants=[Want("ann", 0), Want("ann", 3)])
    tab.says(answer="my answer")
    assert await tab.hears() == Told(offer="their offer", lines=[line(0), line(3)])
    assert [each["request"] for each in stand_in.asked] == ["join", "start", "update"]


async def test_a_line_that_is_not_there_is_asked_for_once(tab: Tab, stand_in: StandIn) -> None:
    stand_in.lines = {"0"}
    tab.says(wants=[Want("ann", 0), Want("ann", 1)])
    assert await tab.hears() == Told(offer="their offer", lines=[line(0)])
    tab.says(answer="my answer")
    tab.says(wants=[Want("ann", 0), Want("ann", 1, 0)])
    tab.says(offer="again")
    assert await tab.hears() == Told(answer="")
    assert [each["request"] for each in stand_in.asked] == ["join", "start", "configure"]


async def test_a_browser_that_does_not_answer_is_given_up(
    tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_session, "BROWSER_SECONDS", 0.1)
    tab.says(wants=[Want("ann", 0)])
    await tab.hears()
    assert await tab.hears() == Told(over=True)


@pytest.mark.parametrize("nonsense", [7, "x", [7], [{"display": "ann"}], [{"id": "x"}], {"id": 1}])
async def test_a_media_server_that_makes_no_sense_ends_the_session(
    stand_in: StandIn, nonsense: Any
) -> None:
    stand_in.publishers = nonsense
    async with sitting(stand_in) as tab:
        tab.says(offer="my offer")
        assert await tab.hears() == Told(over=True)


async def test_who_says_more_than_is_taken_is_given_up(tab: Tab) -> None:
    for _ in range(2 * media_session.WAITING_MOST):
        tab.says(wants=[])
    assert await tab.hears() == Told(over=True)
