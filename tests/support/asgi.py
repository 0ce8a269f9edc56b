"""chatapp in this process: its lifespan, clients that look like browsers, and sockets."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.types import ASGIApp, Message

from tests.support.asgi_socket import AsgiSocket

BASE_URL = "http://localhost"


class NotStarted(AssertionError):
    """The application reported that its start or its end failed."""


@asynccontextmanager
async def lifespan(app: ASGIApp) -> AsyncIterator[dict[str, Any]]:
    """Runs start and end as a server would, in one task of their own. Yields the lifespan's state,
    which each request gets a copy of."""
    state: dict[str, Any] = {}
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
    task = asyncio.ensure_future(app(scope, to_app.get, from_app.put))

    async def ask(what: str) -> None:
        await to_app.put({"type": f"lifespan.{what}"})
        answer = asyncio.ensure_future(from_app.get())
        await asyncio.wait({answer, task}, return_when=asyncio.FIRST_COMPLETED, timeout=30)
        if not answer.done():
            answer.cancel()
            if task.done():
                task.result()  # raises what the application raised
            raise NotStarted(f"no answer to lifespan.{what}")
        if answer.result()["type"] != f"lifespan.{what}.complete":
            await asyncio.wait({task}, timeout=1)
            if task.done():
                task.result()
            raise NotStarted(answer.result().get("message") or f"lifespan.{what} failed")

    try:
        await ask("startup")
        yield state
        await ask("shutdown")
        await asyncio.wait_for(task, 10)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class _WithState:
    """A server hands each request the lifespan's state; httpx's transport does not."""

    def __init__(self, app: ASGIApp, state: Mapping[str, Any]) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope, "state": dict(self._state)}, receive, send)


class Site:
    """A running chatapp without a server: `client()` is another person at another address."""

    def __init__(self, app: ASGIApp, state: Mapping[str, Any], settings: Any) -> None:
        self.app = app
        self.settings = settings
        self.state = state
        self._served = _WithState(app, state)
        self._addresses = (f"10.0.{n // 250}.{n % 250 + 1}" for n in itertools.count())
        self._clients: list[httpx.AsyncClient] = []

    def client(
        self,
        *,
        headers: Mapping[str, str] | None = None,
        address: str | None = None,
        raise_errors: bool = True,
        base_url: str = BASE_URL,
    ) -> httpx.AsyncClient:
        """Sends what a browser sends from a page of ours. raise_errors=False: see the 500 page."""
        transport = httpx.ASGITransport(
            app=self._served,
            raise_app_exceptions=raise_errors,
            client=(address or next(self._addresses), 40_000),
        )
        like_a_browser = {"Origin": base_url, "Sec-Fetch-Site": "same-origin"}
        client = httpx.AsyncClient(
            transport=transport, base_url=base_url, headers={**like_a_browser, **(headers or {})}
        )
        self._clients.append(client)
        return client

    @asynccontextmanager
    async def socket(
        self,
        client: httpx.AsyncClient | None = None,
        path: str = "/ws",
        *,
        headers: Mapping[str, str | None] | None = None,
    ) -> AsyncIterator[AsgiSocket]:
        """A socket with the client's cookies and address, accepted; raises Refused when it was not.
        A header that is None is left out."""
        cookies = "; ".join(f"{c.name}={c.value}" for c in client.cookies.jar) if client else ""
        sent: dict[str, str | None] = {"host": "localhost", "origin": BASE_URL, "cookie": cookies}
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        socket = AsgiSocket(
            self._served,
            path,
            headers={name: value for name, value in sent.items() if value},
            address=_address(client) or next(self._addresses),
        )
        await socket.connect()
        try:
            yield socket
        finally:
            await socket.leave()

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


def _address(client: httpx.AsyncClient | None) -> str | None:
    transport = client._transport if client else None
    return transport.client[0] if isinstance(transport, httpx.ASGITransport) else None
