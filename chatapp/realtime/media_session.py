"""One tab's media in a large call: what it sends to the media server, and what it gets from there.

Two connections of the browser to Janus: over one it sends its four lines (microphone, camera, picture and sound of a
screen, in this order), over the other it gets those lines of others that it wants. The browser offers the first; Janus
offers the second, again whenever what is wanted changes. One worker takes all in turn, so that no two of these run into
each other. Whatever goes wrong ends the session, and the browser begins another.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec

from chatapp.realtime.janus import Handle, Janus, JanusAway, JanusRefused, Said
from chatapp.realtime.signals import CANDIDATES_MOST, TOKEN_MOST, Candidate

SDP_MOST: Final = 56 * 1024  # code points: what leaves room for the rest of a frame
WANTS_MOST: Final = 64  # an answer for so many lines, of about 850 bytes each, fits a frame
WAITING_MOST: Final = 100  # steps; when full, the session ends
BROWSER_SECONDS: Final = 15.0  # for an answer to an offer
UNKNOWN: Final = -1
LARGEST: Final = 2  # the layer that comes unless another is asked for
BITS_MOST: Final = 4_000_000  # a second, of one tab, whatever it asks its browser for
ROOM_EXISTS: Final = 427

log = logging.getLogger(__name__)

Sdp = Annotated[str, msgspec.Meta(max_length=SDP_MOST)]
Candidates = Annotated[list[Candidate], msgspec.Meta(max_length=CANDIDATES_MOST)]


class Want(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One of the lines 0 to 3 of the tab `id`. `layer` of a camera: 0 is small, 2 is large."""

    id: Annotated[str, msgspec.Meta(max_length=TOKEN_MOST)]
    line: Annotated[int, msgspec.Meta(ge=0, le=3)]
    layer: Annotated[int, msgspec.Meta(ge=0, le=LARGEST)] = LARGEST


class Asked(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a browser says. `offer` and `sending` are of what it sends, `answer` and `receiving` of what it gets.
    `wants`: everything it wants from now on."""

    offer: Sdp = ""
    sending: Candidates = []
    answer: Sdp = ""
    receiving: Candidates = []
    wants: Annotated[list[Want], msgspec.Meta(max_length=WANTS_MOST)] | None = None


class Told(msgspec.Struct, omit_defaults=True):
    """What a browser is told. `lines`: what comes over which part (`mid`) of the offer."""

    answer: str = ""
    offer: str = ""
    lines: list[dict[str, object]] = []
    over: bool = False


class _Publisher(msgspec.Struct):
    """Somebody who sends, as Janus tells it."""

    id: int
    display: str = ""


class _Stream(msgspec.Struct):
    """A line that we get, or got once."""

    mid: str
    active: bool = False
    feed_id: int = 0
    feed_mid: str = ""


Key = tuple[int, str]  # a publisher as Janus numbers it, and its line
Tell = Callable[[Told], None]


class MediaSession:
    """`name` is the browser's for it, `token` the tab's, `room` the number of Janus' room, for `most` people."""

    def __init__(
        self, *, janus: Janus, room: int, most: int, token: str, name: str, tell: Tell
    ) -> None:
        self.name = name
        self._janus = janus
        self._room = room
        self._most = most
        self._token = token
        self._tell = tell
        self._steps: asyncio.Queue[Asked | Said | None] = asyncio.Queue(WAITING_MOST)
        self._is_over = False
        self._handles: list[Handle] = []
        self._sends: Handle | None = None
        self._gets: Handle | None = None
        self._feeds: dict[
            int, str
        ] = {}  # tokens by publisher; of two with one token the later counts
        self._wants: list[Want] = []
        self._taken: dict[Key, str] = {}  # the part of the offer over which a line comes
        self._layers: dict[str, int] = {}  # by part of the offer, whichever line comes over it
        self._missing: set[Key] = set()
        self._is_offered = False  # and not yet answered

    def take(self, step: Asked | Said | None) -> None:
        """In turn. None: it is over."""
        if step is not None and self._steps.qsize() < WAITING_MOST - 1:
            self._steps.put_nowait(step)
        elif not self._steps.full():
            self._steps.put_nowait(None)

    def end(self) -> None:
        """At once: nothing is sent or got over it any more."""
        self._is_over = True
        for handle in self._handles:
            handle.drop()
        self.take(None)

    async def run(self) -> None:
        """Until it is over, and then the browser is told so. What was in Janus is gone by then."""
        try:
            while True:
                async with asyncio.timeout(BROWSER_SECONDS if self._is_offered else None):
                    step = await self._steps.get()
                if step is None or self._is_over:
                    break
                await (self._asked(step) if isinstance(step, Asked) else self._said(step))
                while not self._is_offered and await self._want():
                    pass
        except JanusRefused as error:
            log.info("the media server refused something: %s", error)
        except msgspec.ValidationError as error:
            log.warning("the media server said what makes no sense: %s", error)
        except (JanusAway, TimeoutError):
            pass
        finally:
            for handle in self._handles:
                handle.drop()
            self._tell(Told(over=True))

    # -- steps --------------------------------------------------------------------

    async def _asked(self, step: Asked) -> None:
        if step.offer:
            self._tell(Told(answer=await self._publish(step.offer)))
        if step.sending and self._sends:
            await self._sends.trickle(_plain(step.sending))
        if step.answer and self._gets and self._is_offered:
            await self._gets.ask({"request": "start"}, "answer", step.answer)
            self._is_offered = False
        if step.receiving and self._gets:
            await self._gets.trickle(_plain(step.receiving))
        if step.wants is not None:
            self._wants = step.wants

    async def _said(self, step: Said) -> None:
        """Who sends, as Janus tells it."""
        content = step.content
        self._meet(content)
        if content.get("videoroom") == "destroyed":
            raise JanusAway
        for name in ("unpublished", "leaving"):
            gone = content.get(name)
            self._feeds = {feed: token for feed, token in self._feeds.items() if feed != gone}

    def _meet(self, content: dict[str, Any]) -> None:
        for one in msgspec.convert(content.get("publishers", []), list[_Publisher]):
            self._feeds[one.id] = one.display
            self._missing = {key for key in self._missing if key[0] != one.id}

    async def _publish(self, offer: str) -> str:
        """Returns the answer."""
        if self._sends:
            return (await self._sends.ask({"request": "configure"}, "offer", offer)).sdp
        self._sends = handle = await self._attach()
        body = {
            "request": "joinandconfigure",
            "ptype": "publisher",
            "room": self._room,
            "display": self._token,
        }
        await self._make_room(handle)  # first: a handle takes only one offer, even if it is refused
        answer = await handle.ask(body, "offer", offer)
        self._meet(answer.content)
        return answer.sdp

    async def _attach(self) -> Handle:
        handle = await self._janus.attach(self.take)
        self._handles.append(handle)
        if self._is_over:
            raise JanusAway
        return handle

    async def _make_room(self, handle: Handle) -> None:
        try:
            await handle.ask(
                {
                    "request": "create",
                    "room": self._room,
                    "is_private": True,
                    "publishers": 2 * self._most,  # those of a dead replica stay for a minute
                    "bitrate": BITS_MOST,
                    "audiocodec": "opus",
                    "videocodec": "vp8",
                }
            )
        except JanusRefused as error:
            if error.code != ROOM_EXISTS:  # another tab was here before
                raise

    async def _want(self) -> bool:
        """Brings what is got nearer to what is wanted. Returns whether more may be left to do."""
        if not self._sends:
            return False
        feeds = {token: feed for feed, token in self._feeds.items() if token != self._token}
        wanted: dict[Key, int] = {}
        for want in self._wants:
            if want.id in feeds:
                wanted[feeds[want.id], str(want.line)] = want.layer
        fresh = wanted.keys() - self._taken.keys() - self._missing
        if fresh or self._taken.keys() - wanted.keys():
            await self._change(wanted, fresh)
            return not self._is_offered
        if self._gets:
            await self._set_layers(self._gets, wanted)
        return False

    async def _change(self, wanted: dict[Key, int], fresh: set[Key]) -> None:
        more = [{"feed": feed, "mid": mid} for feed, mid in sorted(fresh)]
        if self._gets is None:
            self._gets = await self._attach()
            answer = await self._gets.ask(
                {
                    "request": "join",
                    "ptype": "subscriber",
                    "room": self._room,
                    "autoupdate": False,
                    "streams": more,
                }
            )
        else:
            less = [{"sub_mid": mid} for key, mid in self._taken.items() if key not in wanted]
            body = {"subscribe": more, "unsubscribe": less}
            answer = await self._gets.ask(
                {"request": "update", **{name: value for name, value in body.items() if value}}
            )
        lines: list[dict[str, object]] = []
        self._taken = {}
        for stream in msgspec.convert(answer.content.get("streams", []), list[_Stream]):
            key = (stream.feed_id, stream.feed_mid)
            if stream.active and key in wanted:
                self._taken[key] = stream.mid
                token = self._feeds[stream.feed_id]
                lines.append({"mid": stream.mid, "id": token, "line": int(stream.feed_mid)})
        self._missing |= fresh - self._taken.keys()
        for mid in (self._taken[key] for key in fresh & self._taken.keys()):
            self._layers[mid] = UNKNOWN if mid in self._layers else LARGEST
        if answer.sdp:
            self._is_offered = True
            self._tell(Told(offer=answer.sdp, lines=lines))

    async def _set_layers(self, gets: Handle, wanted: dict[Key, int]) -> None:
        streams = [
            {"mid": mid, "substream": wanted[key]}
            for key, mid in self._taken.items()
            if key[1] == "1" and self._layers[mid] != wanted[key]
        ]
        if streams:
            await gets.ask({"request": "configure", "streams": streams})
            self._layers |= {mid: wanted[key] for key, mid in self._taken.items()}


def _plain(candidates: list[Candidate]) -> list[dict[str, Any]]:
    """As Janus takes them, whose parser knows no `usernameFragment`."""
    return [
        {"candidate": one.candidate, "sdpMid": one.sdpMid, "sdpMLineIndex": one.sdpMLineIndex}
        for one in candidates
    ]
