"""deploy.sh on a server whose `docker` only plays: what runs where afterwards, and what is said."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.run_folder import ROOT

# Notes each call. `up` of a replica leaves the wanted version running there, ready or not.
DOCKER = """#!/bin/sh -f
said="${CHATAPP_TAG:-} $*"
printf '%s\\n' "$said" >>calls
for last; do :; done
case "$*" in
    "compose ps "*) [ ! -e running-nginx ] || echo 5ac1e ;;
    "compose up "*) printf '%s' "${CHATAPP_TAG:-}" >"running-$last" ;;
esac
for pattern in $FAILING; do
    case "$said" in $pattern) exit 1 ;; esac
done
"""


class Server:
    """A folder as the guide makes it, in which version `old` runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "deploy").mkdir(parents=True)
        for script in ("deploy.sh", "make-secrets.sh"):
            shutil.copy(ROOT / "deploy" / script, folder / "deploy")
        (folder / "bin").mkdir()
        (folder / "bin/docker").write_text(DOCKER)
        (folder / "bin/sleep").write_text("#!/bin/sh\necho pause >>calls\n")
        for program in (folder / "bin").iterdir():
            program.chmod(0o755)
        self.settings = folder / ".env"
        self.settings.write_text("CHATAPP_IMAGE=r.example/chatapp\nCHATAPP_HOST=chat.example.org\n")

    def deploy(self, *words: str, failing: str = "") -> int:
        """`failing`: shell patterns for the calls of docker that fail, without spaces."""
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", f"{self.folder}/deploy/deploy.sh", *words],
            env={"PATH": path, "FAILING": failing},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        self.said = done.stderr
        return done.returncode

    def calls(self) -> list[str]:
        """Those since they were last asked for."""
        file = self.folder / "calls"
        found = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return found

    def runs(self) -> list[str]:
        files = [self.folder / f"running-{name}" for name in ("app-1", "app-2")]
        return [file.read_text() if file.exists() else "" for file in files]

    def started(self) -> list[str]:
        """The replicas that were replaced, in order, as `app-1 new`."""
        ups = [call.split() for call in self.calls() if "compose up" in call]
        return [f"{words[-1]} {words[0]}" for words in ups if words[-1].startswith("app-")]


@pytest.fixture
def fresh(tmp_path: Path) -> Server:
    return Server(tmp_path / "server")


@pytest.fixture
def server(fresh: Server) -> Server:
    assert fresh.deploy("old") == 0
    fresh.calls()
    return fresh


def test_both_replicas_get_the_new_version_one_after_the_other(server):
    assert server.deploy("new") == 0
    assert server.runs() == ["new", "new"]
    assert server.said.splitlines() == ["app-1: new …", "app-2: new …", "new runs."]
    assert server.started() == ["app-1 new", "app-2 new"]
    assert server.settings.read_text().splitlines() == [
        "CHATAPP_IMAGE=r.example/chatapp",
        "CHATAPP_HOST=chat.example.org",
        "CHATAPP_TAG=new",
        "CHATAPP_PREVIOUS_TAG=old",
    ]


def test_a_secret_that_the_new_version_needs_is_made_first(server):
    secret = server.folder / "deploy/secrets/turn_secret"
    secret.unlink()
    assert server.deploy("new") == 0
    assert secret.exists()
    assert server.said.startswith("The secrets are in ")


def test_each_replica_is_waited_for_before_the_next_is_touched(server):
    server.deploy("new")
    ups = [call for call in server.calls() if call.startswith("new compose up")]
    assert [call.split()[-1] for call in ups] == ["app-1", "app-2"]
    assert all("--wait " in call and "--no-deps" in call for call in ups)


def test_between_the_two_nginx_has_time_to_trust_the_first_again(server):
    """Else both would count as gone for some seconds, and nobody be served."""
    server.deploy("new")
    calls = server.calls()
    first, second = (n for n, call in enumerate(calls) if call.startswith("new compose up"))
    assert calls[first + 1 : second] == ["pause"]


def test_databases_that_run_are_left_alone_and_nginx_reads_its_file_first(server):
    server.deploy("new")
    calls = server.calls()
    databases = next(call for call in calls if call.endswith("postgres redis"))
    assert "--no-recreate" in databases
    reload = next(n for n, call in enumerate(calls) if call.endswith("-s reload"))
    first = next(n for n, call in enumerate(calls) if call.endswith("app-1"))
    assert calls.index(databases) < reload < first


def test_a_first_deployment_starts_everything(fresh):
    assert fresh.deploy("old") == 0
    ups = [call.split()[-1] for call in fresh.calls() if "compose up" in call]
    assert ups == ["redis", "app-1", "app-2", "nginx"]


@pytest.mark.parametrize("replica", ["app-1", "app-2"])
def test_when_a_replica_does_not_become_ready_both_run_the_old_version(server, replica):
    before = server.settings.read_text()
    assert server.deploy("new", failing=f"new*{replica}") == 1
    assert server.runs()[1] == "old"
    assert server.runs()[0] == "old"
    assert "new does not become ready: back to old." in server.said
    assert server.said.endswith("new was not deployed; old runs.\n")
    assert server.settings.read_text() == before
    assert server.deploy("newer") == 0, "the next one is not held up"


def test_a_replica_that_was_never_touched_never_runs_the_new_version(server):
    server.deploy("new", failing="new*app-1")
    assert server.started() == ["app-1 new", "app-2 old", "app-1 old"]


def test_on_the_way_back_the_replica_that_serves_is_the_last(server):
    server.deploy("new", failing="new*app-2")
    assert server.started() == ["app-1 new", "app-2 new", "app-2 old", "app-1 old"]


def test_if_the_old_version_does_not_start_either_the_replica_that_serves_stays(server):
    assert server.deploy("new", failing="*app-2") == 1
    assert server.runs()[0] == "new"
    assert "old does not become ready either" in server.said


def test_a_first_version_that_fails_has_nowhere_to_return_to(fresh):
    assert fresh.deploy("new", failing="new*app-1") == 1
    assert "there is no other version to return to" in fresh.said
    assert "CHATAPP_TAG" not in fresh.settings.read_text()


def test_the_log_of_the_replica_that_failed_is_shown(server):
    server.deploy("new", failing="new*app-2")
    shown = [call.split()[-1] for call in server.calls() if "compose logs" in call]
    assert shown == ["app-2"]


def test_back_and_back_again(server):
    server.deploy("new")
    assert server.deploy("--back") == 0
    assert server.runs() == ["old", "old"]
    assert server.deploy("--back") == 0
    assert server.runs() == ["new", "new"]


def test_the_same_version_once_more_keeps_the_way_back(server):
    server.deploy("new")
    assert server.deploy("new") == 0
    assert "CHATAPP_PREVIOUS_TAG=old" in server.settings.read_text()


@pytest.mark.parametrize(
    ("failing", "said"),
    [
        ("new*config*", ""),
        ("*pull* *image*inspect*", "There is no r.example/chatapp:new"),
        ("*reload", ""),
    ],
)
def test_what_is_known_to_be_wrong_touches_no_replica(server, failing, said):
    assert server.deploy("new", failing=failing) == 1
    assert server.runs() == ["old", "old"]
    assert server.started() == []
    assert said in server.said


def test_an_image_that_was_built_here_needs_no_registry(server):
    assert server.deploy("new", failing="*pull*") == 0
    assert server.runs() == ["new", "new"]


@pytest.mark.parametrize("tag", ["", "a b", "new;reboot", "../new", "a:b"])
def test_what_is_no_tag_is_refused(server, tag):
    assert server.deploy(tag) != 0
    assert server.calls() == []


def test_back_without_an_earlier_version_is_refused(server):
    assert server.deploy("--back") == 1
    assert server.started() == []


def test_two_deployments_do_not_run_at_once(server):
    (server.folder / ".deploy.lock").mkdir()
    assert server.deploy("new") == 1
    assert "Another deployment is under way" in server.said
    assert server.calls() == []
    (server.folder / ".deploy.lock").rmdir()
    assert server.deploy("new") == 0
