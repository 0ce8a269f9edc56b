"""The name for one unbroken line of numbers."""

from pathlib import Path

from chatapp import renew_epoch
from chatapp.domain import epoch
from chatapp.sqlite_file import SqliteFile
from tests.domain import world


async def test_it_stays_until_it_is_renewed(database):
    first = await epoch.read(database)
    assert await epoch.read(database) == first
    second = await epoch.renew(database)
    assert second != first
    assert await epoch.read(database) == second


async def test_a_database_without_one_can_be_given_one(database):
    new = await epoch.renew(database)
    assert await epoch.read(database) == new
    assert (await world.person(database, "Ann Archer")).is_admin


def test_it_is_not_renewed_under_a_running_server(sqlite_url, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    server = SqliteFile(Path(sqlite_url.removeprefix("sqlite:///")))
    server.hold()
    assert renew_epoch.main() == 2
    assert "as before" in capsys.readouterr().err
    server.let_go()
    assert renew_epoch.main() == 0
