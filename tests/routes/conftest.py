"""Sites and people that many of these tests begin with."""

from collections.abc import Iterator
from functools import partial

import pytest
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from chatapp import templating
from tests.routes.people import ROOMY, Person, somebody
from tests.support.asgi import Site
from tests.support.fixtures import MakeSite


class _Compiled(BytecodeCache):
    """Compiled templates, kept in memory by their content."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if kept := self._kept.get(bucket.key):
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session", autouse=True)
def _templates_are_compiled_once() -> Iterator[None]:
    """Each test has a site of its own; compiling its templates would take half of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(templating, "Environment", partial(Environment, bytecode_cache=_Compiled()))
        yield


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
