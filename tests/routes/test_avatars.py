"""Pictures of people: sent, shown everywhere, replaced and taken away; and what is no picture."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from chatapp.realtime import portraits
from chatapp.realtime.sweeper import Sweeper
from chatapp.tables import avatars
from tests.routes.filing import DOT, sends, shows_face, tries_to_show_face
from tests.routes.pages import read
from tests.routes.people import Person, services
from tests.support import pictures
from tests.support.asgi import Site


def stored(site: Site) -> list[str]:
    folder = Path(site.settings.data_dir) / "files"
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def states(site: Site) -> dict[str, str]:
    rows = await services(site).database.fetch_all(select(avatars))
    return {row.id: row.state for row in rows}


async def swept(site: Site) -> None:
    kit = services(site)
    await Sweeper(kit.database, kit.uploads.storage, kit.uploads.spool).look()


def faces(html: str) -> set[str]:
    """The addresses of all pictures of people on a page."""
    images = read(html).one("main").all("img")
    return {image.attributes["src"] for image in images}


async def test_a_picture_is_cropped_drawn_anew_and_tells_nothing(ann, bob):
    id_ = await shows_face(bob, pictures.photo("JPEG", 1, pictures.halves(400, 200)))
    for address, side in ((f"/avatars/{id_}", 64), (f"/avatars/{id_}/large", 256)):
        answer = await ann.get(address)
        assert answer.headers["content-type"] == "image/webp"
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        image = pictures.opened(answer.content)
        assert (image.format, image.size) == ("WEBP", (side, side))
        assert not image.getexif()
        assert pictures.SERIAL.encode() not in answer.content
    assert stored(bob.site) == sorted([id_, f"{id_}.webp"])
    assert (await Person(bob.site).get(f"/avatars/{id_}")).status_code == 404


async def test_it_stands_wherever_its_person_does(ann, bob, lab):
    await bob.says(lab, "hello @Ann Archer")
    id_ = await shows_face(bob)
    small, large = f"/avatars/{id_}", f"/avatars/{id_}/large"
    assert faces(await ann.sees(lab)) == {small}
    assert faces((await ann.get(f"/rooms/{lab}/members")).text) == {small}
    assert faces((await ann.get("/mentions")).text) == {small}
    assert faces((await ann.get("/search?q=hello")).text) == {small}
    person = (await bob.get("/settings")).text
    assert faces(person) == {large}
    side = read(person).one("footer", class_="side-me").one("img")
    assert side.attributes["src"] == small


async def test_another_one_takes_its_place_and_the_old_one_goes_from_the_disk(ann, bob, lab):
    await bob.says(lab, "hello")
    first = await shows_face(bob)
    second = await shows_face(bob)
    assert (await ann.get(f"/avatars/{first}")).status_code == 404
    assert faces(await ann.sees(lab)) == {f"/avatars/{second}"}
    await swept(bob.site)
    assert stored(bob.site) == sorted([second, f"{second}.webp"])
    assert await states(bob.site) == {second: "shown"}
    answer = await bob.post("/settings/avatar/remove")
    assert answer.headers["location"] == "/settings#picture"
    assert faces(await ann.sees(lab)) == set()
    await swept(bob.site)
    assert stored(bob.site) == []


async def test_it_goes_with_the_account(ann, bob, lab):
    await bob.says(lab, "hello")
    await shows_face(bob)
    assert (await bob.post("/settings/delete-account", {"password": bob.password})).is_redirect
    assert faces(await ann.sees(lab)) == set()
    await swept(ann.site)
    assert stored(ann.site) == []


@pytest.mark.parametrize(
    "content",
    [
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        DOT[:40],
        pictures.bomb(),
        b"GIF89a" + b"<script>alert(1)</script>" * 9,
    ],
    ids=["text", "svg", "truncated", "bomb", "polyglot"],
)
async def test_what_is_no_picture_is_said_and_leaves_nothing(bob, content):
    answer = await tries_to_show_face(bob, content)
    assert answer.status_code == 422
    assert "no picture that we can read" in read(answer.text).one(id="picture").text
    await swept(bob.site)
    assert (stored(bob.site), await states(bob.site)) == ([], {})


async def test_nothing_too_large_and_no_file_at_all(bob, monkeypatch):
    monkeypatch.setattr(portraits, "MB_MOST", 1)
    answer = await tries_to_show_face(bob, DOT + bytes(1024 * 1024))
    assert answer.status_code == 413
    assert "at most 1 MB" in read(answer.text).one(id="picture").text
    assert (await tries_to_show_face(bob, b"")).status_code == 422
    assert (await bob.post("/settings/avatar", {"file": "x"})).status_code == 400
    assert stored(bob.site) == []


async def test_a_file_of_a_message_is_no_picture_of_a_person(ann, bob, lab):
    """Both lie in the same storage; whoever may have the one has nothing of the other by it."""
    file = await sends(bob, lab, "dot.png", DOT)
    for address in (f"/avatars/{file}", f"/avatars/{file}/large", f"/avatars/{file}.webp"):
        assert (await ann.get(address)).status_code == 404
    face = await shows_face(bob)
    assert (await ann.get(f"/files/{face}/x")).status_code == 404


async def test_what_stopped_on_its_way_is_taken_away_an_hour_later(ann, bob):
    id_ = await shows_face(bob)

    async def become(**values: Any) -> None:
        async with services(bob.site).database.transaction() as tx:
            await tx.execute(update(avatars).where(avatars.c.id == id_).values(**values))

    await become(state="coming")
    await swept(bob.site)
    assert id_ in await states(bob.site)
    assert (await ann.get(f"/avatars/{id_}")).status_code == 404
    await become(created_at=0)
    await swept(bob.site)
    assert (stored(bob.site), await states(bob.site)) == ([], {})
