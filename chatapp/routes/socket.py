"""/ws: one socket per tab. Outermost: no middleware wraps what is sent here.

The handshake is the ASGI server's. After it, a socket is a `DirectLine` where the server lets us have its transport,
and goes through ASGI where not. Both lead to the same `took` and `lost`.
"""

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from chatapp.domain import sessions
from chatapp.limits import CONNECT, CONNECT_ADDRESS
from chatapp.middleware import Hosts, is_own_origin
from chatapp.realtime import frames, handover
from chatapp.realtime.asgi_line import AsgiLine
from chatapp.realtime.connection import Connection
from chatapp.routes.door import Services, address, session_of
from chatapp.trouble import is_worth_retrying
from chatapp.words import SENTENCES

SOCKETS_MOST = 20  # per person


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
        if kit.stopping:
            _hang_up(send)  # where there is no answer, a proxy asks another process
        if kit.stopping or kit.limits.wait(CONNECT_ADDRESS, address(request)):
            await send({"type": "websocket.close", "code": frames.CLOSE_OVERLOADED})
            return
        endings = kit.hub.endings
        try:
            session = await session_of(kit, request)
        except Exception as error:
            if not is_worth_retrying(error):
                raise
            # The database is away. To a browser this is a lost line: it comes back.
            await send({"type": "websocket.close", "code": frames.CLOSE_OVERLOADED})
            return
        handover.refuse_extensions(send)
        await send({"type": "websocket.accept"})
        if session is None:
            await send({"type": "websocket.close", "code": frames.CLOSE_SESSION})
            return
        if kit.limits.wait(CONNECT, session.user.id):
            await send({"type": "websocket.close", "code": frames.CLOSE_OVERLOADED})
            return
        direct = handover.take_over(send, frames.FRAME_BYTES, self)
        line = direct or _asgi_line(send)
        connection = Connection(
            user_id=session.user.id,
            session_id=session.id,
            expires_at=session.expires_at / 1000,
            line=line,
        )
        if direct is not None:
            direct.serve(connection)
        self._welcome(connection)
        if isinstance(line, AsgiLine):
            await self._through_asgi(connection, line, receive, endings)
        else:
            await self._end_if_dead(connection, endings)

    def _welcome(self, connection: Connection) -> None:
        kit = self._services
        if kit.hub.count(connection.user_id) >= SOCKETS_MOST:
            code = "too_many_sockets"
            connection.close(frames.CLOSE_PROTOCOL, frames.error(code, SENTENCES[code]))
            return
        kit.hub.add(connection)
        connection.send(frames.hello(connection.user_id, kit.epoch))

    # -- what lines tell --------------------------------------------------------

    def took(self, connection: Connection, text: str) -> None:
        self._services.dispatch.take(connection, text)

    def took_binary(self, connection: Connection) -> None:
        code = "frame_binary"
        connection.close(frames.CLOSE_PROTOCOL, frames.error(code, SENTENCES[code]))

    def lost(self, connection: Connection) -> None:
        self._services.hub.remove(connection)
        self._services.rosters.left(connection)
        self._services.presence.left(connection)
        self._services.calls.left(connection)

    def _may_connect(self, scope: Scope) -> bool:
        """No Origin means no browser; with nothing but a cookie to show, that is refused as well."""
        origin = Headers(scope=scope).get("origin")
        return self._hosts.allows(scope) and origin is not None and is_own_origin(scope, origin)

    async def _through_asgi(
        self, connection: Connection, line: AsgiLine, receive: Receive, endings: int
    ) -> None:
        sending = self._services.supervisor.spawn(_send_all(line), "socket")
        try:
            await self._end_if_dead(connection, endings)
            while connection.is_open:
                message = await receive()
                if message["type"] != "websocket.receive":
                    break
                text = message.get("text")
                if text is None:
                    self.took_binary(connection)
                elif len(text) > frames.FRAME_BYTES or len(text.encode()) > frames.FRAME_BYTES:
                    connection.close(frames.CLOSE_TOO_LARGE)
                else:
                    self.took(connection, text)
        finally:
            self.lost(connection)
            connection.close(1000)
            await line.finished.wait()
            sending.cancel()

    async def _end_if_dead(self, connection: Connection, endings: int) -> None:
        """The session may have ended before the hub knew of us: asks again if any has since we looked."""
        if self._services.hub.endings == endings:
            return
        try:
            if not await sessions.living(self._services.database, [connection.session_id]):
                connection.close(frames.CLOSE_SESSION)
        except Exception as error:
            if not is_worth_retrying(error):
                raise
            connection.close(frames.CLOSE_OVERLOADED)


def _hang_up(send: Send) -> None:
    """Breaks a line off. ASGI has no way to, so this asks the server's own object, where there is one."""
    transport = handover.transport_of(send)
    if transport is not None:
        transport.abort()


def _asgi_line(send: Send) -> AsgiLine:
    return AsgiLine(
        send=lambda text: send({"type": "websocket.send", "text": text}),
        close=lambda code: send({"type": "websocket.close", "code": code}),
        abort=lambda: _hang_up(send),
    )


async def _send_all(line: AsgiLine) -> None:
    try:
        await line.run()
    except (OSError, RuntimeError):
        return  # the browser went away in mid-sentence (uvicorn says so by either): nothing to report
