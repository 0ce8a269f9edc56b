"""Sending files: what is taken, what is refused and why, and that nothing is left of what did not come."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select, update
from starlette.requests import ClientDisconnect

from chatapp.domain import files as rules
from chatapp.realtime import uploads
from chatapp.realtime.sweeper import Sweeper
from chatapp.tables import files, users
from tests.routes.filing import DOT, at, says_with, sends, shows, told, tries_to_send
from tests.routes.people import JSON, Person, services, until
from tests.support import pictures
from tests.support.asgi import Site
from tests.support.fixtures import MakeSite

MB = 1024 * 1024


@pytest.fixture
async def site(make_site: MakeSite, database_url: str) -> Site:
    return await make_site(DATABASE_URL=database_url, UPLOAD_MB="1", DISK_FLOOR_MB="0")


def folder(site: Site) -> Path:
    return Path(site.settings.data_dir) / "files"


def stored(site: Site) -> list[str]:
    """Names of everything that lies there."""
    return sorted(path.name for path in folder(site).rglob("*") if path.is_file())


async def rows(site: Site) -> list[Any]:
    return list(await services(site).database.fetch_all(select(files)))


async def swept(site: Site) -> None:
    kit = services(site)
    await Sweeper(kit.database, kit.uploads.storage, kit.uploads.spool).look()


async def test_a_file_comes_and_is_told_what_it_is(ann, lab):
    found = await told(ann, lab, "../café notes.txt", "Grüße".encode())
    assert {key: found[key] for key in ("name", "type", "kind", "size")} == {
        "name": "café notes.txt",
        "type": "text/plain",
        "kind": "text",
        "size": 7,
    }
    assert stored(ann.site) == [found["id"]]
    assert (await ann.get(at(found["id"]))).content == "Grüße".encode()


async def test_a_picture_comes_with_its_size_and_a_thumbnail(ann, lab):
    found = await told(ann, lab, "photo.jpg", pictures.photo())
    assert (found["kind"], found["width"], found["height"]) == ("picture", 20, 40)
    assert stored(ann.site) == sorted([found["id"], found["id"] + ".webp"])
    fetched = await ann.get(at(found["id"]))
    assert pictures.SERIAL.encode() not in fetched.content
    assert fetched.headers["content-length"] == str(len(fetched.content)) == str(found["size"])


@pytest.mark.parametrize(
    "content",
    [
        b"GIF89a/*<script>document.title='X'</script>*/",
        b"<script>document.title='X'</script>",
        pictures.bomb(),
        pictures.photo()[:-100],
    ],
)
async def test_what_is_no_picture_after_all_is_a_download(ann, bob, lab, content):
    id_ = await shows(ann, lab, "a.png", content)
    answer = await bob.get(at(id_, "a.png"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert (await bob.get(f"/thumbnails/{id_}")).status_code == 404
    assert f"/thumbnails/{id_}" not in await bob.sees(lab)


async def pieces(count: int, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield bytes(size)


async def test_exactly_the_limit_is_taken_and_a_byte_more_is_not(ann, lab):
    assert (await told(ann, lab, "x", bytes(MB)))["size"] == MB
    for content in (bytes(MB + 1), pieces(17)):  # by its length, and without saying one
        answer = await tries_to_send(ann, lab, "x", content)
        assert answer.status_code == 413
        assert answer.json()["code"] == "file_too_large"
        assert "1 MB" in answer.json()["message"]
    await until(lambda: len(stored(ann.site)) == 1)


async def test_a_file_of_no_length_that_fits_is_taken(ann, lab):
    assert (await told(ann, lab, "x", pieces(16)))["size"] == MB


async def test_an_empty_file_is_refused_with_the_reason(ann, lab):
    async def nothing() -> AsyncIterator[bytes]:
        yield b""

    for content in (b"", nothing()):
        answer = await tries_to_send(ann, lab, "x", content)
        assert (answer.status_code, answer.json()["code"]) == (422, "file_empty")
    assert stored(ann.site) == []


async def test_who_leaves_while_a_file_comes_sends_none(ann, bob, lab):
    begun, gone = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"half"
        begun.set()
        await gone.wait()
        yield b"whole"

    sending = asyncio.create_task(tries_to_send(bob, lab, "x", slowly()))
    await begun.wait()
    await until(lambda: services(ann.site).uploads.count() == 1)
    await bob.leaves(lab)
    gone.set()
    answer = await sending
    assert (answer.status_code, answer.json()["code"]) == (403, "not_member")
    await swept(ann.site)
    assert stored(ann.site) == []
    assert await rows(ann.site) == []


async def test_nothing_is_left_of_a_file_that_breaks_off(ann, lab):
    async def breaks() -> AsyncIterator[bytes]:
        yield bytes(1000)
        raise ClientDisconnect

    (me, *_) = await rows_of_users(ann.site)
    with pytest.raises(ClientDisconnect):
        await services(ann.site).uploads.take(me, lab, "x", 2000, breaks())
    await swept(ann.site)
    assert stored(ann.site) == []
    assert await rows(ann.site) == []
    assert services(ann.site).uploads.count() == 0


async def test_a_person_has_a_bound(make_site, database_url):
    site = await make_site(DATABASE_URL=database_url, UPLOAD_QUOTA_MB="1", DISK_FLOOR_MB="0")
    ann = await Person(site).signs_up()
    room = await ann.opens()
    await told(ann, room, "x", bytes(MB - 10))
    assert (await told(ann, room, "x", bytes(10)))["size"] == 10
    answer = await tries_to_send(ann, room, "x", b"1")
    assert (answer.status_code, answer.json()["code"]) == (413, "quota_full")
    bob = await Person(site).signs_up()
    await bob.joins(room)
    assert (await tries_to_send(bob, room, "x", b"1")).status_code == 201


async def test_a_disk_that_is_nearly_full_takes_none(make_site, sqlite_url):
    site = await make_site(DATABASE_URL=sqlite_url, DISK_FLOOR_MB="999999999")
    ann = await Person(site).signs_up()
    answer = await tries_to_send(ann, await ann.opens(), "x", b"1")
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_full")
    assert answer.headers["retry-after"]


async def test_where_files_are_off_none_is_taken(make_site, sqlite_url):
    site = await make_site(DATABASE_URL=sqlite_url, UPLOAD_MB="0")
    ann = await Person(site).signs_up()
    room = await ann.opens()
    answer = await tries_to_send(ann, room, "x", b"1")
    assert (answer.status_code, answer.json()["code"]) == (403, "files_off")
    assert "data-attach" not in await ann.sees(room)


async def test_too_many_at_once_are_told_to_come_again(ann, lab):
    hold = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"x"
        await hold.wait()

    sending = [
        asyncio.create_task(tries_to_send(ann, lab, "x", slowly())) for _ in range(uploads.EACH)
    ]
    await until(lambda: services(ann.site).uploads.count() == uploads.EACH)
    answer = await tries_to_send(ann, lab, "x", b"1")
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    hold.set()
    assert {(await each).status_code for each in sending} == {201}


# -- what is not sent ----------------------------------------------------------------


async def test_one_s_own_file_can_be_taken_back_until_it_is_sent(ann, bob, lab):
    id_ = await sends(ann, lab, "x")
    assert (await bob.client.delete(f"/files/{id_}")).status_code == 404
    assert (await ann.client.delete(f"/files/{id_}")).status_code == 204
    assert (await ann.client.delete(f"/files/{id_}")).status_code == 404
    assert (await ann.get(at(id_))).status_code == 404
    answer = await ann.tries_to_say(lab, "", files=id_)
    assert (answer.status_code, answer.json()["code"]) == (422, "file_gone")
    await swept(ann.site)
    assert stored(ann.site) == []
    sent = await shows(ann, lab, "x")
    assert (await ann.client.delete(f"/files/{sent}")).status_code == 404


async def test_what_nobody_sent_goes_after_an_hour(ann, lab):
    loose, sent = await sends(ann, lab, "x"), await shows(ann, lab, "y")
    await swept(ann.site)
    assert len(await rows(ann.site)) == 2
    async with services(ann.site).database.transaction() as tx:
        await tx.execute(update(files).values(created_at=files.c.created_at - rules.LOOSE_MS))
    await swept(ann.site)
    assert stored(ann.site) == [sent]
    assert (await ann.get(at(loose))).status_code == 404


async def test_what_a_crash_left_goes(ann, lab):
    kit = services(ann.site)
    async with kit.database.transaction() as tx:
        me = (await rows_of_users(ann.site))[0]
        await rules.apply_begin(tx, "A" * 24, me, lab, "x", 10, 0)
    dead = kit.uploads.spool / ("A" * 24)
    dead.write_bytes(b"half")
    os.utime(dead, (0, 0))
    async with kit.database.transaction() as tx:
        await rules.apply_settle(tx, alone_since=2**53)
    await swept(ann.site)
    assert await rows(ann.site) == []
    assert stored(ann.site) == []


async def rows_of_users(site: Site) -> list[int]:
    found = await services(site).database.fetch_all(select(users.c.id).order_by(users.c.id))
    return [row.id for row in found]


# -- without scripts -----------------------------------------------------------------


async def test_without_scripts_a_form_sends_a_file_and_words(ann, bob, lab):
    page = (await ann.get(f"/rooms/{lab}/files")).text
    assert 'enctype="multipart/form-data"' in page
    assert "1 MB" in page
    form = {"body": "**see**", "key": str(uuid4())}
    answer = await ann.client.post(
        f"/rooms/{lab}/files", data=form, files={"file": ("dot.png", DOT, "text/html")}
    )
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"/rooms/{lab}#m-")
    seen = await bob.sees(lab)
    assert "<strong>see</strong>" in seen
    assert 'alt="dot.png"' in seen


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("", b"", "Please choose a file."),
        ("x", b"", "This file is empty."),
        ("x", bytes(MB + 1), "at most 1 MB"),
    ],
)
async def test_the_form_says_what_is_wrong_and_keeps_the_words(ann, lab, name, content, words):
    form = {"body": "my words", "key": str(uuid4())}
    answer = await ann.client.post(
        f"/rooms/{lab}/files", data=form, files={"file": (name, content)}
    )
    assert answer.status_code in {413, 422}
    assert words in answer.text
    assert "my words" in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x\r\n",
        b"--x\r\nbroken",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nno end',
    ],
)
async def test_a_broken_form_is_refused(ann, lab, body):
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = await ann.client.post(f"/rooms/{lab}/files", content=body, headers=headers)
    assert answer.status_code in {400, 422}
    await until(lambda: stored(ann.site) == [])


async def test_a_form_of_endless_fields_is_cut(ann, lab):
    async def endless() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="body"\r\n\r\n'
        for _ in range(1000):
            yield b"a" * 10_000

    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = await ann.client.post(f"/rooms/{lab}/files", content=endless(), headers=headers)
    assert answer.status_code == 413


async def test_other_addresses_keep_their_bound(ann, lab):
    for path in (f"/rooms/{lab}/messages", f"/rooms/{lab}/files/", "/files/x"):
        answer = await ann.client.post(path, content=bytes(200_000), headers=JSON)
        assert answer.status_code == 413


async def test_a_sent_file_cannot_be_sent_again(ann, lab):
    id_ = await sends(ann, lab, "x")
    await says_with(ann, lab, id_)
    answer = await ann.tries_to_say(lab, "again", files=id_)
    assert answer.json()["code"] == "file_gone"


async def test_who_stops_sending_is_told_so(ann, lab, monkeypatch):
    monkeypatch.setattr(uploads, "PIECE_SECONDS", 0)

    async def stops() -> AsyncIterator[bytes]:
        yield b"half"
        await asyncio.Event().wait()

    answer = await tries_to_send(ann, lab, "x", stops())
    assert (answer.status_code, answer.json()["code"]) == (503, "file_slow")
    await swept(ann.site)
    assert stored(ann.site) == []


async def test_a_server_that_is_killed_in_the_middle_of_a_file_begins_clean(serve, tmp_path):
    server = await serve(DISK_FLOOR_MB="0")
    async with httpx.AsyncClient(base_url=server.url, headers={"Origin": server.url}) as ann:
        form = {"name": "Ann", "email": "ann@people.example", "password": "correct horse"}
        assert (await ann.post("/sign-up", data=form)).status_code == 303
        room = (await ann.post("/rooms", data={"name": "Lab", "topic": ""})).headers["location"]
        spool = next(tmp_path.rglob("spool"))

        async def dies_with_it() -> AsyncIterator[bytes]:
            yield bytes(2 * MB)
            await until(lambda: any(part.stat().st_size for part in spool.iterdir()))
            server.kill()
            yield bytes(MB)

        with pytest.raises(httpx.TransportError):
            await ann.post(f"{room}/files", params={"name": "x"}, content=dies_with_it())
        assert list(spool.iterdir())
        await asyncio.to_thread(server.start)
        assert list(spool.iterdir()) == []
        answer = await ann.post(f"{room}/files", params={"name": "x"}, content=bytes(2 * MB))
        assert answer.status_code == 201
