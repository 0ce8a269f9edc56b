"""The core over a database of its own, and people in a room."""

from collections.abc import AsyncIterator

import pytest

from chatapp.database import Database
from tests.domain import world
from tests.domain.conftest import ann, bob, cat, lab
from tests.realtime.core import Core

__all__ = [
    "ann",
    "bob",
    "cat",
    "core",
    "database",
    "lab",
]  # the people are those of the domain's tests


@pytest.fixture
async def core(database_url: str) -> AsyncIterator[Core]:
    async with world.opened(database_url) as database:
        core = Core(database)
        yield core
        await core.stop()


@pytest.fixture
def database(core: Core) -> Database:
    return core.database
