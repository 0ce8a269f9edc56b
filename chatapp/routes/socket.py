"""/ws: one socket per tab. Outermost: no middleware wraps what is sent here."""

import logging
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from chatapp.database import is_worth_retrying
from chatapp.domain import sessions
from chatapp.limits import CONNECT, CONNECT_ADDRESS
from chatapp.middleware import Hosts, is_own_origin
from chatapp.realtime import frames
from chatapp.realtime.connection import Connection
from chatapp.routes.door import Services, address, session_of
from chatapp.words import SENTENCES

SOCKETS_MOST = 20  # per person

log = logging.getLogger(__name__)


class Socket:
    """MUSTs: origin, host and session are checked before accept; whoever is signed out is told so by a close code
    (4401), since a refused handshake looks like a lost line to a browser."""

    def __init__(self, services: Services, hosts: Hosts) -> None:
        self._services = services
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kit = self._services
        await receive()  # websocket.connect
        if scope["path"] != "/ws" or not self._may_connect(scope):
            await send({"type": "websocket.close", "code": 1008})
            return
        request = HTTPConnection(scope)
        if kit.stopping or kit.limits.wait(CONNECT_ADDRESS, address(request)):
            await send({"type": "websocket.close", "code": frames.CLOSE_OVERLOADED})
            return
        try:
            session = await session_of(kit, request)
        except Exception as error:
            if not is_worth_retrying(error):
                raise
            # The database is away. To a browser this is a lost line: it comes back.
            await send({"type": "websocket.close", "code": frames.CLOSE_OVERLOADED})
            return
        await send({"type": "websocket.accept"})
        if session is None:
            await send({"type": "websocket.close", "code": frames.CLOSE_SESSION})
            return
        if kit.limits.wait(CONNECT, session.user.id):
            await send({"type": "websocket.close", "code": frames.CLOSE_OVERLOADED})
            return
        connection = Connection(
            user_id=session.user.id,
            session_id=session.id,
            expires_at=session.expires_at / 1000,
            send=lambda frame: send({"type": "websocket.send", "text": frame}),
            close=lambda code: send({"type": "websocket.close", "code": code}),
            abort=_abort_of(send),
        )
        if kit.hub.count(session.user.id) >= SOCKETS_MOST:
            code = "too_many_sockets"
            connection.close(frames.CLOSE_PROTOCOL, frames.error(code, SENTENCES[code]))
            await connection.run()
            return
        await self._talk(connection, receive)

    def _may_connect(self, scope: Scope) -> bool:
        """No Origin means no browser; with nothing but a cookie to show, that is refused as well."""
        origin = Headers(scope=scope).get("origin")
        return self._hosts.allows(scope) and origin is not None and is_own_origin(scope, origin)

    async def _talk(self, connection: Connection, receive: Receive) -> None:
        kit = self._services
        kit.hub.add(connection)
        connection.send(frames.hello(connection.user_id, kit.epoch))
        sending = kit.supervisor.spawn(_send_all(connection), "socket")
        try:
            await self._end_if_dead(connection)
            while connection.is_open:
                message = await receive()
                if message["type"] != "websocket.receive":
                    break
                text = message.get("text")
                if text is None:
                    code = "frame_binary"
                    connection.close(frames.CLOSE_PROTOCOL, frames.error(code, SENTENCES[code]))
                elif len(text) > frames.FRAME_BYTES or len(text.encode()) > frames.FRAME_BYTES:
                    connection.close(frames.CLOSE_TOO_LARGE)
                else:
                    kit.dispatch.take(connection, text)
        finally:
            kit.hub.remove(connection)
            connection.close(1000)
            await connection.finished.wait()
            sending.cancel()

    async def _end_if_dead(self, connection: Connection) -> None:
        """The session may have ended before the hub could know of us."""
        try:
            if not await sessions.living(self._services.database, [connection.session_id]):
                connection.close(frames.CLOSE_SESSION)
        except Exception as error:
            if not is_worth_retrying(error):
                raise
            connection.close(frames.CLOSE_OVERLOADED)


def _abort_of(send: Send) -> Callable[[], None]:
    """ASGI has no way to drop a line, so this asks the server's own object, where there is one: `send` is a method
    of uvicorn's protocol, which has the transport."""

    def abort() -> None:
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()

    return abort


async def _send_all(connection: Connection) -> None:
    try:
        await connection.run()
    except OSError:
        return  # the browser went away in mid-sentence: nothing to be done, nothing to report
