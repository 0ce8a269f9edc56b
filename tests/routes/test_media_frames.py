"""Large calls as tabs speak of them to the server, with a real Janus: who is let near it, and for how long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from chatapp.limits import MEDIA
from chatapp.realtime.media import room_number
from chatapp.realtime.media_session import SDP_MOST, WANTS_MOST
from tests.routes.people import Person, somebody
from tests.routes.test_call_frames import in_call
from tests.support import sdp
from tests.support.asgi import Site
from tests.support.asgi_socket import AsgiSocket
from tests.support.fixtures import MakeSite
from tests.support.janus_server import SECRET, JanusServer

WANT = {"id": "t", "line": 1}
BAD: dict[str, Any] = {
    "an oversized offer": {"data": {"offer": "v" * (SDP_MOST + 1)}},
    "too many wishes": {"data": {"wants": [WANT] * (WANTS_MOST + 1)}},
    "a line that nobody has": {"data": {"wants": [{**WANT, "line": 4}]}},
    "a layer that nobody has": {"data": {"wants": [{**WANT, "layer": 3}]}},
    "a wish for somebody too long": {"data": {"wants": [{**WANT, "id": "t" * 25}]}},
    "too many candidates": {"data": {"sending": [{"candidate": "c"}] * 41}},
    "something else in the data": {"data": {"request": "destroy"}},
    "something else in a wish": {"data": {"wants": [{**WANT, "feed": 7}]}},
    "no data": {},
    "no session": {"session": ""},
    "a session too long": {"session": "s" * 65},
}


class Scene:
    """Ann and Bob in a call that is large for two, and a room in Janus for it."""

    def __init__(self, site: Site, janus: JanusServer, room: int) -> None:
        self.site = site
        self.janus = janus
        self.room = room
        self.people: list[Person] = []
        self.tabs: list[AsgiSocket] = []
        self.tokens: list[str] = []

    @property
    def number(self) -> int:
        app: Any = self.site.app
        return room_number(app.state.services.epoch, 1)

    async def says(self, tab: AsgiSocket, session: str = "s1", **data: Any) -> None:
        frame = {"type": "media", "room": self.room, "session": session, "data": data}
        await tab.send_json(frame)

    async def sends(self, who: int, session: str = "s1") -> None:
        await self.says(self.tabs[who], session, offer=sdp.offer())
        answer = await self.tabs[who].receive_json("media")
        while answer["session"] != session:  # what is left to say of the one before
            answer = await self.tabs[who].receive_json("media")
        assert "m=video" in answer["data"]["answer"]

    async def are_there(self, *who: int) -> None:
        await self.janus.comes_to(self.number, sorted(self.tokens[each] for each in who))


@pytest.fixture
async def scene(make_site: MakeSite, database_url: str, janus: JanusServer) -> AsyncIterator[Scene]:
    site = await make_site(
        DATABASE_URL=database_url, JANUS_ABOVE="1", JANUS_URL=janus.url, JANUS_SECRET=SECRET
    )
    ann, bob = await somebody(site), await somebody(site)
    room = await ann.opens("Lab")
    await bob.joins(room)
    scene = Scene(site, janus, room)
    async with AsyncExitStack() as open_:
        for person in (ann, bob):
            tab, token = await in_call(open_, person, room)
            scene.people.append(person)
            scene.tabs.append(tab)
            scene.tokens.append(token)
        while not (await scene.tabs[0].receive_json("call"))["large"]:
            pass
        yield scene


async def test_the_media_server_knows_tabs_by_the_token_we_gave_them(scene: Scene) -> None:
    await scene.sends(0)
    await scene.sends(1)
    await scene.are_there(0, 1)


@pytest.mark.parametrize("how", ["leaves the call", "leaves the room", "closes the tab"])
async def test_who_goes_sends_and_gets_nothing_any_more(
    scene: Scene, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatapp.realtime.calls.GRACE_SECONDS", 0.2)
    await scene.sends(0)
    await scene.sends(1)
    await scene.are_there(0, 1)
    if how == "leaves the call":
        await scene.tabs[1].send_json({"type": "call_leave", "room": scene.room})
    elif how == "leaves the room":
        await scene.people[1].client.post(f"/rooms/{scene.room}/leave")
    else:
        await scene.tabs[1].leave()
    await scene.are_there(0)
    if how != "closes the tab":
        await scene.says(scene.tabs[1], "s2", offer=sdp.offer())
        assert (await scene.tabs[1].receive_json("error"))["code"] == "not_in_call"
    await scene.tabs[0].send_json({"type": "call_leave", "room": scene.room})
    await scene.janus.comes_to(scene.number, None)


async def test_nobody_outside_the_call_is_let_near_it(scene: Scene) -> None:
    cat = await somebody(scene.site)
    async with cat.socket() as outsiders, scene.people[0].socket() as other_tab:
        for tab in (outsiders, other_tab):
            await tab.receive_json("hello")
            await scene.says(tab, offer=sdp.offer())
            assert (await tab.receive_json("error"))["code"] == "not_in_call"
    await scene.janus.comes_to(scene.number, None)


async def test_a_small_call_does_not_go_there(scene: Scene) -> None:
    small = await scene.people[0].opens("Small")
    async with AsyncExitStack() as open_:
        tab, _ = await in_call(open_, scene.people[0], small)
        frame = {"type": "media", "room": small, "session": "s", "data": {"offer": sdp.offer()}}
        await tab.send_json(frame)
        assert (await tab.receive_json("error"))["code"] == "not_in_call"


@pytest.mark.parametrize("what", BAD)
async def test_what_makes_no_sense_is_refused(scene: Scene, what: str) -> None:
    frame = {"type": "media", "room": scene.room, "session": "s1", "data": {}, **BAD[what]}
    if what == "no data":
        del frame["data"]
    await scene.tabs[0].send_json(frame)
    assert (await scene.tabs[0].receive_json("error"))["code"] == "frame_invalid"
    await scene.sends(0)


async def test_an_offer_that_is_none_ends_only_its_own_session(scene: Scene) -> None:
    await scene.sends(1)
    await scene.says(scene.tabs[0], offer="v=0")
    assert (await scene.tabs[0].receive_json("media"))["data"] == {"over": True}
    await scene.are_there(1)
    await scene.sends(0, "s2")
    await scene.are_there(1, 0)


async def test_wishes_of_a_session_that_is_over_are_answered_so(scene: Scene) -> None:
    await scene.says(scene.tabs[0], "gone", wants=[])
    told = await scene.tabs[0].receive_json("media")
    assert (told["session"], told["data"]) == ("gone", {"over": True})


async def test_a_tab_has_one_session_and_cannot_begin_too_many(scene: Scene) -> None:
    await scene.sends(0)
    await scene.sends(0, "s2")
    await scene.are_there(0)
    for number in range(MEDIA.count):
        await scene.says(scene.tabs[0], f"more {number}", offer=sdp.offer())
    assert (await scene.tabs[0].receive_json("error"))["code"] == "too_many"
    await scene.are_there(0)


async def test_without_the_media_server_sessions_are_over_and_with_it_they_begin_again(
    scene: Scene,
) -> None:
    await scene.sends(0)
    await asyncio.to_thread(scene.janus.kill)
    assert (await scene.tabs[0].receive_json("media"))["data"] == {"over": True}
    await scene.says(scene.tabs[0], "s2", offer=sdp.offer())
    assert (await scene.tabs[0].receive_json("media"))["data"] == {"over": True}
    await asyncio.to_thread(scene.janus.start)
    app: Any = scene.site.app
    while not app.state.services.calls.has_media_server:
        await asyncio.sleep(0.02)
    await scene.sends(0, "s3")
    await scene.are_there(0)


async def test_while_the_media_server_is_away_no_call_grows_into_it(scene: Scene) -> None:
    app: Any = scene.site.app
    await asyncio.to_thread(scene.janus.kill)
    while app.state.services.calls.has_media_server:
        await asyncio.sleep(0.02)
    small = await scene.people[0].opens("Small")
    await scene.people[1].joins(small)
    async with AsyncExitStack() as open_:
        first, _ = await in_call(open_, scene.people[0], small)
        await in_call(open_, scene.people[1], small)
        sizes = [await first.receive_json("call")]
        while len(sizes[-1]["people"]) < 2:
            sizes.append(await first.receive_json("call"))
        assert not any(each["large"] for each in sizes)


async def test_who_comes_back_on_another_line_is_told_of_the_session_that_goes_on(
    scene: Scene,
) -> None:
    await scene.sends(0)
    await scene.tabs[0].leave()
    async with scene.people[0].socket() as again:
        epoch = (await again.receive_json("hello"))["epoch"]
        await again.send_json({"type": "watch", "room": scene.room, "cursor": f"{epoch}:0"})
        await again.receive_json("watching")
        await again.send_json({"type": "call_join", "room": scene.room, "id": scene.tokens[0]})
        joined = await again.receive_json("call_joined")
        assert (joined["id"], joined["session"]) == (scene.tokens[0], "s1")
        await scene.are_there(0)
