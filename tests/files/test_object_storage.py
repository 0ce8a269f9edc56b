"""Files in a bucket: the same as in a folder, for the storage alone and for people."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chatapp.errors import Busy
from chatapp.files.object_storage import PART_BYTES, ObjectStorage
from chatapp.files.storage import Folder, Storage
from tests.routes.filing import DOT, at, says_with, sends, tries_to_send
from tests.routes.people import Person
from tests.routes.test_uploads import swept
from tests.support.fixtures import MakeSite
from tests.support.object_server import ObjectServer


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    server = ObjectServer(tmp_path_factory.mktemp("objects"))
    server.start()
    yield server
    server.close()


async def everything(storage: Storage, name: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in storage.read(name, start, end)])


@pytest.mark.parametrize("kind", ["folder", "bucket"])
async def test_what_is_kept_is_read_in_parts_and_forgotten(kind, tmp_path, request):
    if kind == "folder":
        storage: Storage = Folder(tmp_path)
    else:
        storage = ObjectStorage(request.getfixturevalue("bucket").url)
    content = bytes(range(256)) * (PART_BYTES // 256) + b"the end"  # more than one part
    spool = tmp_path / "spool"
    spool.write_bytes(content)
    name = "A-_z" * 6
    await storage.keep(name, spool)
    assert not spool.exists()
    assert await everything(storage, name) == content
    assert await everything(storage, name, 250, 260) == content[250:260]
    assert await everything(storage, name, len(content) - 7) == b"the end"
    assert await everything(storage, name, 5, 5) == b""
    await storage.forget([name, "never there"])
    with pytest.raises(FileNotFoundError):
        await everything(storage, name)
    await storage.close()


async def test_people_send_fetch_and_delete_files_as_with_a_folder(
    make_site: MakeSite, sqlite_url: str, bucket: ObjectServer
) -> None:
    site = await make_site(DATABASE_URL=sqlite_url, S3_URL=bucket.url, DISK_FLOOR_MB="0")
    ann = await Person(site).signs_up()
    room = await ann.opens()
    id_ = await sends(ann, room, "dot.png", DOT)
    seq = await says_with(ann, room, id_)
    assert (await ann.get(f"/thumbnails/{id_}")).headers["content-type"] == "image/webp"
    part = await ann.get(at(id_), headers={"Range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"PNG")
    files = Path(site.settings.data_dir) / "files"
    assert [path for path in files.rglob("*") if path.is_file()] == []
    await ann.post(f"/rooms/{room}/delete", {"confirm": f"Room of {ann.name}"})
    assert seq
    await swept(site)
    storage = ObjectStorage(bucket.url)
    for name in (id_, f"{id_}.webp"):
        with pytest.raises(FileNotFoundError):
            await everything(storage, name)


async def test_a_bucket_that_is_away_is_said_and_nothing_is_half_there(
    make_site: MakeSite, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatapp.files.object_storage.TRIES", 0)
    url = "http://key:secret@127.0.0.1:9/files"
    site = await make_site(DATABASE_URL=sqlite_url, S3_URL=url, DISK_FLOOR_MB="0")
    ann = await Person(site).signs_up()
    answer = await tries_to_send(ann, await ann.opens(), "x", b"hello")
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    with pytest.raises(Busy):
        await everything(ObjectStorage(url), "x")
