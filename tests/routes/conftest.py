"""Sites and people that many of these tests begin with."""

import pytest

from tests.routes.people import ROOMY, Person, somebody
from tests.support.asgi import Site
from tests.support.fixtures import MakeSite


@pytest.fixture
async def roomy(make_site: MakeSite, database_url: str) -> Site:
    """A site on each database, on which nobody meets a rate limit."""
    return await make_site(DATABASE_URL=database_url, LIMIT_FACTOR=ROOMY)


@pytest.fixture
async def ann(site: Site) -> Person:
    """The first to sign up, and so the administrator."""
    return await somebody(site, "Ann Archer")


@pytest.fixture
async def bob(ann: Person) -> Person:
    return await somebody(ann.site, "Bob Baker")


@pytest.fixture
async def cat(bob: Person) -> Person:
    return await somebody(bob.site, "Cat Carver")


@pytest.fixture
async def lab(ann: Person, bob: Person) -> int:
    """A room that ann owns and bob is in."""
    room = await ann.opens("Lab", "What we found out")
    await bob.joins(room)
    return room
