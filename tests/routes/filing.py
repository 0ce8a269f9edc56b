"""How the people of these tests send files."""

from typing import Any

import httpx

from chatapp.domain.attached import File
from tests.routes.pages import read
from tests.routes.people import JSON, Person
from tests.support import pictures

DOT = pictures.photo("PNG", 1, pictures.halves(2, 2))


async def tries_to_send(
    person: Person, room: int, name: str, content: Any, **options: Any
) -> httpx.Response:
    return await person.client.post(
        f"/rooms/{room}/files", params={"name": name}, content=content, headers=JSON, **options
    )


async def sends(person: Person, room: int, name: str, content: Any = b"hello") -> str:
    """Returns the file's id."""
    return str((await told(person, room, name, content))["id"])


async def told(person: Person, room: int, name: str, content: Any = b"hello") -> dict[str, Any]:
    """What the answer says about a file."""
    answer = await tries_to_send(person, room, name, content)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def says_with(person: Person, room: int, *ids: str, body: str = "") -> int:
    """A message with these files. Returns its number."""
    answer = await person.tries_to_say(room, body, files=" ".join(ids))
    assert answer.status_code == 200, answer.text
    return int(answer.json()["seq"])


async def shows(person: Person, room: int, name: str, content: Any = b"hello") -> str:
    """A message that is one file. Returns the file's id."""
    id_ = await sends(person, room, name, content)
    await says_with(person, room, id_)
    return id_


def at(file: File | str, name: str = "x") -> str:
    return f"/files/{file if isinstance(file, str) else file.id}/{name}"


async def shows_face(person: Person, content: Any = DOT, name: str = "me.png") -> str:
    """Somebody has this picture from now on. Returns its id."""
    answer = await tries_to_show_face(person, content, name)
    assert answer.status_code == 303, answer.text
    page = read((await person.get("/settings")).text)
    (image,) = page.one(id="picture").all("img")
    return image.attributes["src"].split("/")[2]


async def tries_to_show_face(person: Person, content: Any, name: str = "me.png") -> httpx.Response:
    return await person.client.post("/settings/avatar", files={"file": (name, content)})
