"""A database of the test's own, and the people in it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatapp.database import Database
from chatapp.domain.users import User
from tests.domain import world
from tests.domain.searching import index


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with world.opened(database_url) as database:
        yield database


@pytest.fixture
async def ann(database: Database) -> User:
    """The first, and so the administrator."""
    return await world.person(database, "Ann Archer")


@pytest.fixture
async def bob(database: Database, ann: User) -> User:
    return await world.person(database, "Bob Baker")


@pytest.fixture
async def cat(database: Database, bob: User) -> User:
    return await world.person(database, "Cat Carver")


@pytest.fixture
async def lab(database: Database, ann: User, bob: User) -> int:
    """A room that ann owns and bob is in: two events are in its log."""
    return await world.opens(database, ann, "Lab", bob)


@pytest.fixture(params=["not indexed", "indexed"])
def settle(request: pytest.FixtureRequest, database: Database) -> Any:
    """Nothing, or the index brought up to date: both must find the same."""

    async def settled() -> None:
        if request.param == "indexed":
            await index(database)

    return settled
