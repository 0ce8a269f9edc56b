"""The one door to a Janus media server (1.x): one WebSocket of this process to its API, and one Janus session on it.

MUSTs
1. Every question ends within `ANSWER_SECONDS`: with an answer, with `JanusAway`, or with `JanusRefused`.
2. When the line breaks, Janus ends all that was asked for over it, and every handle here hears `None`.
3. Nothing that Janus says can raise; what makes no sense is dropped.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

ANSWER_SECONDS: Final = 5.0
KEEP_ALIVE_SECONDS: Final = 20.0  # Janus gives a session up after 60
PAUSES: Final = (0.5, 1.0, 2.0, 4.0)  # between tries to connect; the last one again and again
WAITING_MOST: Final = 2000  # questions under way, and messages not yet written
MESSAGE_BYTES: Final = 1024 * 1024  # from Janus: an offer with all lines of a call is the largest
PROTOCOL: Final = "janus-protocol"
PLUGIN: Final = "janus.plugin.videoroom"

log = logging.getLogger(__name__)


class JanusAway(Exception):
    """No answer: the line is down, or Janus is too slow."""


class JanusRefused(Exception):
    """Janus said no. `code` is its own, of the core or of the plugin."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


class Made(msgspec.Struct):
    """The number of what was asked for."""

    id: int = 0


class Said(msgspec.Struct):
    """One message of Janus. `janus` is its kind; plugins' own content is in `plugindata`."""

    janus: str
    transaction: str = ""
    sender: int = 0
    data: Made = msgspec.field(default_factory=Made)
    plugindata: dict[str, Any] = {}
    jsep: dict[str, Any] = {}
    error: dict[str, Any] = {}

    @property
    def content(self) -> dict[str, Any]:
        """What the plugin says."""
        found = self.plugindata.get("data")
        return found if isinstance(found, dict) else {}

    @property
    def sdp(self) -> str:
        """The session description that came along, or ''."""
        return str(self.jsep.get("sdp", ""))


Hear = Callable[[Said | None], None]

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Said).decode


class Handle:
    """One connection of somebody to the plugin. Made by `Janus.attach`."""

    def __init__(self, janus: "Janus", number: int) -> None:
        self._janus = janus
        self._number = number
        self._is_dropped = False

    async def ask(self, body: dict[str, Any], kind: str = "", sdp: str = "") -> Said:
        """`kind` and `sdp`: a session description to go along. Raises `JanusAway`, `JanusRefused`."""
        message: dict[str, Any] = {"janus": "message", "body": body}
        if sdp:
            message["jsep"] = {"type": kind, "sdp": sdp}
        if self._is_dropped:
            raise JanusAway
        return await self._janus.ask(self._number, message)

    async def trickle(self, candidates: list[dict[str, Any]]) -> None:
        """Raises `JanusAway`, `JanusRefused`."""
        await self._janus.ask(
            self._number, {"janus": "trickle", "candidates": candidates}, is_done_by_ack=True
        )

    def drop(self) -> None:
        """Ends it, and its media. Never waits."""
        self._is_dropped = True
        self._janus.drop(self._number)


class Janus:
    """Owner of the line. MUST be used from one event loop; `run` is for `Supervisor.keep`."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret
        self._session = 0
        self.refusals = 0  # of us, as strangers
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue(WAITING_MOST)
        self._waiting: dict[str, tuple[asyncio.Future[Said], bool]] = {}
        self._handles: dict[int, Hear] = {}

    @property
    def is_there(self) -> bool:
        return self._session != 0

    def waiting(self) -> int:
        """Questions under way."""
        return len(self._waiting)

    async def attach(self, hear: Hear) -> Handle:
        """`hear` is told what nobody asked for, and None when it is over. Raises `JanusAway`, `JanusRefused`."""
        answer = await self.ask(0, {"janus": "attach", "plugin": PLUGIN})
        number = answer.data.id
        self._handles[number] = hear
        return Handle(self, number)

    async def ask(
        self, handle: int, message: dict[str, Any], *, is_done_by_ack: bool = False
    ) -> Said:
        """`handle` 0: of the session itself. Raises `JanusAway`, `JanusRefused`."""
        if not self._session or len(self._waiting) >= WAITING_MOST:
            raise JanusAway
        return await self._ask(message | self._address(handle), is_done_by_ack=is_done_by_ack)

    def drop(self, handle: int) -> None:
        if self._handles.pop(handle, None) is None or not self._session:
            return
        with suppress(JanusAway):
            self._post({"janus": "detach", "transaction": "-", **self._address(handle)})

    # -- the task -----------------------------------------------------------------

    async def run(self) -> None:
        # imported here: most sites have no media server
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException
        from websockets.typing import Subprotocol

        failures = 0
        while True:
            try:
                async with connect(
                    self._url,
                    subprotocols=[Subprotocol(PROTOCOL)],
                    open_timeout=ANSWER_SECONDS,
                    close_timeout=1,
                    max_size=MESSAGE_BYTES,
                    compression=None,
                    proxy=None,
                ) as line:
                    if await self._speak(line):
                        failures = 0
            except (OSError, TimeoutError, WebSocketException):
                pass
            if failures == 0:
                log.warning("the media server is away")
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1

    async def _speak(self, line: "ClientConnection") -> bool:
        """Until the line breaks. Returns whether there was a session."""
        tasks = [
            asyncio.create_task(self._write(line), name="janus out"),
            asyncio.create_task(self._keep(line), name="janus session"),
        ]
        try:
            async for text in line:
                self._hear(text)
            return self.is_there
        finally:
            for task in tasks:
                task.cancel()
            self._lost()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _write(self, line: "ClientConnection") -> None:
        while True:
            await line.send(_encode(await self._out.get()), text=True)

    async def _keep(self, line: "ClientConnection") -> None:
        """Opens the Janus session, and keeps it."""
        try:
            answer = await self._ask({"janus": "create", "apisecret": self._secret})
            self._session = answer.data.id
            log.info("the media server is there")
            while True:
                await asyncio.sleep(KEEP_ALIVE_SECONDS)
                await self.ask(0, {"janus": "keepalive"}, is_done_by_ack=True)
        except JanusAway:
            log.warning("the media server does not answer")
        except JanusRefused as error:
            self.refusals += 1
            log.warning("the media server takes us for a stranger: %s", error)
        await line.close()

    # -- messages -----------------------------------------------------------------

    def _address(self, handle: int) -> dict[str, Any]:
        where: dict[str, Any] = {"session_id": self._session, "apisecret": self._secret}
        return {**where, "handle_id": handle} if handle else where

    def _post(self, message: dict[str, Any]) -> None:
        try:
            self._out.put_nowait(message)
        except asyncio.QueueFull:
            raise JanusAway from None

    async def _ask(self, message: dict[str, Any], *, is_done_by_ack: bool = False) -> Said:
        transaction = secrets.token_urlsafe(12)
        answer: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        self._waiting[transaction] = (answer, is_done_by_ack)
        try:
            self._post({**message, "transaction": transaction})
            async with asyncio.timeout(ANSWER_SECONDS):
                said = await answer
        except TimeoutError:
            raise JanusAway from None
        finally:
            self._waiting.pop(transaction, None)
        refused = said.error or said.content
        code = refused.get("code", refused.get("error_code"))
        if isinstance(code, int):
            raise JanusRefused(code, str(refused.get("reason", refused.get("error", ""))))
        return said

    def _hear(self, text: str | bytes) -> None:
        try:
            said = _decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return
        waiting = self._waiting.get(said.transaction)
        if waiting is not None:
            answer, is_done_by_ack = waiting
            if not answer.done() and (said.janus != "ack" or is_done_by_ack):
                answer.set_result(said)
        elif said.janus in {"detached", "hangup"}:
            self._over(said.sender)
        elif said.janus == "event" and said.sender in self._handles:
            self._handles[said.sender](said)

    def _over(self, handle: int) -> None:
        if hear := self._handles.get(handle):
            hear(None)

    def _lost(self) -> None:
        self._session = 0
        self._out = asyncio.Queue(WAITING_MOST)
        for answer, _ in self._waiting.values():
            if not answer.done():
                answer.set_exception(JanusAway())
        handles, self._handles = self._handles, {}
        for hear in handles.values():
            hear(None)
