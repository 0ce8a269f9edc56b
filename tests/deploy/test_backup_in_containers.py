"""backup.sh and restore.sh on a server whose `docker` only plays: what is asked of it, in which order, what is said.
That the same works with a real PostgreSQL is in test_backup.py."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.run_folder import ROOT

# Notes each call, gives a dump, takes one, and fails where it is told to.
DOCKER = """#!/bin/sh
printf '%s\\n' "$*" >>"$PLACE/calls"
case "$*" in
    *pg_dump*) printf 'all of it' ;;
    *pg_restore*) cat >"$PLACE/taken" ;;
esac
case "$*" in $FAILING) exit 1 ;; esac
"""
STOP = "compose stop app-1 app-2"
START = "compose start app-1 app-2"


class Server:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "a backup"
        (folder / "docker").write_text(DOCKER)
        (folder / "docker").chmod(0o755)

    def does(self, name: str, failing: str = "-") -> int:
        """`failing`: a shell pattern for the call of docker that fails."""
        done = subprocess.run(
            ["sh", str(ROOT / f"deploy/{name}.sh"), str(self.file)],
            env={
                "PATH": f"{self.folder}:{os.environ['PATH']}",
                "PLACE": str(self.folder),
                "FAILING": failing,
            },
            cwd="/",
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        self.said = done.stderr
        return done.returncode

    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def test_a_backup_is_what_the_database_gives(server):
    assert server.does("backup") == 0
    assert server.file.read_text() == "all of it"
    (call,) = server.calls()
    assert call.startswith("compose exec -T postgres pg_dump --format=custom")


def test_half_a_backup_is_none(server):
    assert server.does("backup", failing="*pg_dump*") != 0
    assert {path.name for path in server.folder.iterdir()} == {"docker", "calls"}


def test_a_backup_is_put_back_while_nobody_serves_and_gets_a_new_epoch_before_anybody_does(server):
    server.file.write_text("yesterday")
    assert server.does("restore") == 0
    assert (server.folder / "taken").read_text() == "yesterday"
    first, restore, renew, last = server.calls()
    assert (first, last) == (STOP, START)
    assert "--clean --if-exists --single-transaction" in restore
    assert renew == "compose run --rm --no-deps -T app-1 python -m chatapp.renew_epoch"


def test_what_cannot_be_put_back_changes_nothing_and_people_go_on(server):
    server.file.write_text("nonsense")
    assert server.does("restore", failing="*pg_restore*") != 0
    assert [server.calls()[0], *server.calls()[2:]] == [STOP, START]
    assert "everything is as before" in server.said


def test_nothing_is_served_from_a_backup_with_its_old_epoch(server):
    server.file.write_text("yesterday")
    assert server.does("restore", failing="*renew_epoch*") != 0
    assert START not in server.calls()
    assert "docker compose run --rm --no-deps -T app-1 python -m chatapp.renew_epoch" in server.said
