"""Set-up and tear-down of a whole run. The fixtures are in tests/support/fixtures.py."""

import gc
import os
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.support import nursery, run_folder

pytest_plugins = ["tests.support.fixtures"]

# The machine may be busy, so no example has a deadline; CI tries the same examples each time.
settings.register_profile(
    "chatapp",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    database=None if os.environ.get("CI") else DirectoryBasedExampleDatabase(".cache/hypothesis"),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("chatapp")

_FOLDER = pytest.StashKey[Path]()
_DOORS = Path(__file__).parent / "routes"
# Whose tests take seconds, many of them without a processor.
_WAITING = ("cases", "faults", "deploy", "browser")
_DATABASES = ("sqlite", "postgresql")


def _database_and_test(item: pytest.Item) -> tuple[str | None, str]:
    """On which database it runs, and what is the same test on the other."""
    name, _, given = item.nodeid.partition("[")
    parts = given.rstrip("]").split("-")
    database = next((part for part in parts if part in _DATABASES), None)
    return database, "-".join([name, *(part for part in parts if part != database)])


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    # As chatapp itself has it; else a tenth of the time goes there.
    gc.set_threshold(20_000, 20, 50)
    if _is_worker(config):
        run_folder.join()
    else:
        memory = run_folder.memory()
        config.stash[_FOLDER] = run_folder.make(memory)
        if memory and run_folder.may_run_programs(memory):
            # pytest's own variable for where each tmp_path is, which is where SQLite's files are.
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


def pytest_collection_finish() -> None:
    gc.freeze()  # what is loaded by now stays


def pytest_unconfigure(config: pytest.Config) -> None:
    nursery.close()
    if folder := config.stash.get(_FOLDER, None):
        run_folder.remove(folder)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no worker sits idle at the end; browser tests are marked.

    What SQL does, the tests of the domain try on both databases. Of the tests of the doors above it each runs on one of
    them, by turns, and on the other with `make faults`.
    """
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        if item.path.is_relative_to(_DOORS) and not item.get_closest_marker("both_databases"):
            database, test = _database_and_test(item)
            if database is not None and database != _DATABASES[crc32(test.encode()) % 2]:
                item.add_marker("faults")
    items.sort(key=_length)


def _length(item: pytest.Item) -> int:
    """The less the longer it takes."""
    if item.get_closest_marker("early"):
        return 0
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return 1 + _WAITING.index(folder) if folder in _WAITING else 1 + len(_WAITING)
