"""Lines that swallow what is sent into them: between one replica and PostgreSQL, and between people and the server."""

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError

from chatapp.database import CommitUnknown
from chatapp.domain.posts import apply_posts
from chatapp.trouble import is_worth_retrying
from tests.domain import world
from tests.faults.driver import Crowd
from tests.faults.replicas import SAME_KEY, crowd_at, hear_redis, shared, those_at
from tests.faults.talks import conversation, everybody_is_told, seconds_until, waits
from tests.faults.verdict import short_and_long, tell, verify
from tests.support.fixtures import Serve
from tests.support.postgres_server import PostgresServer
from tests.support.redis_server import RedisServer
from tests.support.swamp import swamp

SEED = 20261203
PEOPLE = 4
UNDER_WAY = 1.0  # seconds for what was answered before the cut to arrive


def acknowledged(crowd: Crowd) -> int:
    return sum(len(client.acked) for client in crowd.clients)


@short_and_long("seconds", 3, 30)
async def test_f7_a_replica_that_is_cut_off_from_the_database_acknowledges_nothing(
    serve: Serve, own_postgres: PostgresServer, redis: RedisServer, seconds: float
) -> None:
    """The other one goes on, and all numbers are given once."""
    own_postgres.create_database("chat")
    url = own_postgres.url("chat")
    async with swamp(own_postgres.port) as between:
        through = url.replace(f":{own_postgres.port}/", f":{between.port}/")
        cut = await serve(**shared(through, redis.url))
        whole = await serve(**shared(url, redis.url))
        await hear_redis([cut, whole])
        crowd = await crowd_at([cut, whole], PEOPLE, SEED)
        there, elsewhere = those_at(cut, crowd), those_at(whole, crowd)
        for client in there.clients:
            client.urls = []  # they stay, whatever happens
        async with conversation(crowd):
            await everybody_is_told(crowd, "ack")
            between.swallow()
            await asyncio.sleep(UNDER_WAY)
            before = acknowledged(there)
            going_on = await seconds_until(everybody_is_told(elsewhere, "ack"))
            await asyncio.sleep(seconds)
            assert acknowledged(there) == before
            between.clear()
            back = await seconds_until(everybody_is_told(there, "ack", times=1, seconds=60))
        tell(
            f"f7: cut off for {seconds} s; three acknowledgements for each elsewhere after {going_on:.2f} s,"
            f" one for each here {back:.2f} s after its end; elsewhere stored in {waits(elsewhere)}"
        )
        await verify(crowd, url)


async def test_f7_a_process_that_stops_in_the_middle_of_storing_holds_the_room_for_seconds_only(
    postgresql_url: str,
) -> None:
    """It has the room's lock and the next number. Both are the others' again, and its own try counts for nothing."""
    async with world.opened(postgresql_url) as stopped, world.opened(postgresql_url) as other:
        ann = await world.person(other, "Ann Archer")
        room = await world.opens(other, ann)

        async def gets_through() -> None:
            while True:
                try:
                    await world.says(other, ann, room, "hers")
                except DBAPIError as error:
                    if not is_worth_retrying(error):
                        raise
                else:
                    return

        with pytest.raises((DBAPIError, CommitUnknown)):
            async with stopped.transaction() as tx:
                await apply_posts(tx, [world.a_post(ann, room, "lost")])
                held = await seconds_until(asyncio.wait_for(gets_through(), 30))
        assert [row.body for row in await world.log_of(other, room) if row.body] == ["hers"]
        await world.assert_no_gaps(other, room)
    tell(f"f7: held for {held:.1f} s")


@pytest.mark.faults
async def test_f7_the_server_ends_lines_that_died_without_a_word(serve: Serve) -> None:
    """It has nothing to say to them but its beat: the room is quiet."""
    server = await serve(SECRET_KEY=SAME_KEY)
    async with swamp(server.port) as between:
        crowd = await crowd_at([server], PEOPLE, SEED + 1)
        for client in crowd.clients:
            client.url, client.urls = between.url, []
        async with crowd.here():
            between.swallow()
            took = await seconds_until(between.until_given_up(there=PEOPLE, seconds=60))
    tell(f"f7: {PEOPLE} half-open lines were ended after {took:.1f} s")
