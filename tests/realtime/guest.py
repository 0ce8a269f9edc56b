"""People of a site in this process, with sockets."""

import itertools
import json
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from chatapp.domain.commands import CreateRoom, JoinRoom
from chatapp.tables import users
from tests.support.asgi import Site
from tests.support.asgi_socket import AsgiSocket

PASSWORD = "correct horse battery"
NAMES = ("Ann Archer", "Bob Baker", "Cat Carver", "Dan Dyer")

_numbers = itertools.count(1)


class Guest:
    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self.kit = site.app.state.services  # type: ignore[attr-defined]
        self.name = name
        self.email = f"guest{next(_numbers)}@people.example"
        self.client = site.client()
        self.id = 0

    async def signs_up(self) -> "Guest":
        form = {"name": self.name, "email": self.email, "password": PASSWORD}
        answer = await self.client.post("/sign-up", data=form)
        assert answer.status_code == 303, answer.text
        query = select(users.c.id).where(users.c.email_key == self.email)
        self.id = await self.kit.database.fetch_value(query)
        return self

    async def opens(self, name: str) -> int:
        room_id: int = await self.kit.writer.ask(CreateRoom(self.id, name, ""))
        return room_id

    async def joins(self, room_id: int) -> None:
        await self.kit.writer.ask(JoinRoom(self.id, room_id))

    async def does(self, path: str, **fields: str) -> None:
        answer = await self.client.post(path, data=fields)
        assert answer.status_code == 303, answer.text

    def socket(self) -> Any:
        return self.site.socket(self.client)


async def guest(site: Site, name: str = "Ann Archer") -> Guest:
    return await Guest(site, name).signs_up()


async def watch(socket: AsgiSocket, kit: Any, room_id: int, seq: int = 0) -> dict[str, Any]:
    """Returns the frame that says where the reader now is."""
    await socket.send_json({"type": "watch", "room": room_id, "cursor": f"{kit.epoch}:{seq}"})
    return await socket.receive_json("watching")


async def post(socket: AsgiSocket, room_id: int, body: str, key: str = "") -> str:
    key = key or str(uuid4())
    await socket.send_json({"type": "post", "room": room_id, "key": key, "body": body})
    return key


async def frames_until(socket: AsgiSocket, kind: str) -> list[dict[str, Any]]:
    """All frames up to the first of a kind."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["type"] != kind:
        found.append(json.loads(await socket.receive()))
    return found
