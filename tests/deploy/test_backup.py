"""F22: a backup is taken while people talk and put back later, under open tabs. Nobody sees a mixture of the two."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from chatapp.domain import epoch
from tests.domain import world
from tests.faults.driver import Crowd, gather_crowd
from tests.faults.talks import conversation, somebody_is_heard, until
from tests.faults.verdict import NONE, Stored, check, stored, tell, verify
from tests.support.fixtures import Serve
from tests.support.run_folder import ROOT

SEED = 20261204
PEOPLE = 3


async def script(name: str, file: Path, database_url: str) -> tuple[int, str]:
    """Exit code, and what it said."""
    done = await asyncio.to_thread(
        subprocess.run,
        ["sh", str(ROOT / f"deploy/{name}.sh"), file.name],
        env={"PATH": os.environ["PATH"], "DATABASE_URL": database_url},
        cwd=file.parent,  # a name without a folder means here
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


async def goes_through(name: str, file: Path, database_url: str) -> None:
    code, said = await script(name, file, database_url)
    assert code == 0, said


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> str:
    """Another database of the same kind, without tables."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/new%20place.db"
    url: str = request.getfixturevalue("empty_postgresql_url")
    return url


def forget_what_came_after(crowd: Crowd, room: Stored) -> None:
    """What was said after the backup is gone: nobody is promised it any more."""
    known = {key for key, _ in room.messages.values()}
    for client in crowd.clients:
        client.acked = {key: seq for key, seq in client.acked.items() if key in known}
        client.sent = {key: words for key, words in client.sent.items() if key in known}


async def test_f22_whoever_is_there_when_a_backup_is_put_back_loads_afresh_and_talks_on(
    serve: Serve, database_url: str, tmp_path: Path
) -> None:
    """One was away before the backup already, and comes with a number that the restored room has as well."""
    server = await serve(DATABASE_URL=database_url)
    crowd = await gather_crowd([server.url], PEOPLE + 1, SEED)
    absent, present = crowd.clients[-1], Crowd(crowd.clients[:-1], crowd.room)
    file = tmp_path / "yesterday"
    async with present.here():
        await asyncio.gather(*(client.talk(4) for client in present.clients))
        before = await stored(database_url, crowd.room)
        await goes_through("backup", file, database_url)
        await asyncio.gather(*(client.talk(4) for client in present.clients))
        await present.settle((await stored(database_url, crowd.room)).last_seq)
        await asyncio.to_thread(server.stop)
        await goes_through("restore", file, database_url)
        assert await stored(database_url, crowd.room) == before
        forget_what_came_after(crowd, before)
        await asyncio.to_thread(server.start)
        async with Crowd([absent], crowd.room).here():
            await until(lambda: all(client.loads for client in crowd.clients))
            await until(lambda: all(client.connected.is_set() for client in crowd.clients))
            assert check(crowd, before) == NONE
            await asyncio.gather(*(client.say("news") for client in crowd.clients))
            await crowd.settle(before.last_seq + len(crowd.clients))
    assert [client.loads for client in crowd.clients] == [1] * (PEOPLE + 1), "once is enough"
    await verify(crowd, database_url)


async def test_a_backup_that_is_taken_while_people_talk_holds_all_of_one_moment(
    serve: Serve, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    """Put into a new database, no number is missing, and everything that was acknowledged before is there."""
    server = await serve(DATABASE_URL=database_url, LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], PEOPLE, SEED + 1)
    file = tmp_path / "now"
    async with conversation(crowd):
        await somebody_is_heard(crowd, times=20)
        acked = {key for client in crowd.clients for key in client.acked}
        await goes_through("backup", file, database_url)
        await somebody_is_heard(crowd)
    assert file.stat().st_mode & 0o077 == 0, "others can read it"
    await goes_through("restore", file, empty_url)
    now, then = await stored(database_url, crowd.room), await stored(empty_url, crowd.room)
    tell(f"f22: a backup with {then.rows} rows of {now.rows}")
    assert then.rows == then.last_seq
    assert [*then.messages.items()] == [*now.messages.items()][: len(then.messages)]
    assert acked <= {key for key, _ in then.messages.values()}
    elsewhere = await serve(DATABASE_URL=empty_url)
    assert elsewhere.status("/") == 200


async def test_nothing_is_put_back_under_a_running_server(
    serve: Serve, database_url: str, tmp_path: Path
) -> None:
    server = await serve(DATABASE_URL=database_url)
    crowd = await gather_crowd([server.url], 2, SEED + 2)
    async with crowd.here():
        await goes_through("backup", tmp_path / "it", database_url)
        await crowd.clients[0].say("and more")
        code, said = await script("restore", tmp_path / "it", database_url)
        assert code != 0
        assert "stop it first" in said
        assert not any(client.closes for client in crowd.clients)
    await verify(crowd, database_url)


async def test_what_is_no_backup_is_refused_and_all_stays_as_it_is(
    database_url: str, tmp_path: Path
) -> None:
    async with world.opened(database_url) as database:
        ann = await world.person(database, "Ann Archer")
        room = await world.opens(database, ann)
        await world.says(database, ann, room, "here")
        name = await epoch.read(database)
    before = await stored(database_url, room)
    for content in (b"no backup", b"SQLite format 3\0" + bytes(4080), b"PGDMP" + bytes(99)):
        file = tmp_path / "file"
        file.write_bytes(content)
        code, said = await script("restore", file, database_url)
        assert code != 0
        assert "everything is as before" in said
        assert "Traceback" not in said
    assert await stored(database_url, room) == before
    async with world.opened(database_url) as database:
        assert await epoch.read(database) == name


async def test_a_backup_never_writes_over_a_file_and_leaves_none_when_it_fails(
    sqlite_url: str, tmp_path: Path
) -> None:
    (tmp_path / "old").write_text("precious")
    code, said = await script("backup", tmp_path / "old", sqlite_url)
    assert (code, "there already" in said) == (1, True)
    assert (tmp_path / "old").read_text() == "precious"
    nowhere = f"sqlite:///{tmp_path}/nowhere.db"
    code, said = await script("backup", tmp_path / "new", nowhere)
    assert (code, "no database" in said) == (1, True)
    assert {path.name for path in tmp_path.iterdir()} == {"old", "sqlite"}
