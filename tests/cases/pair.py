"""Two processes on one PostgreSQL and one Redis."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import databases
from tests.support.chat_server import ChatServer
from tests.support.postgres_server import PostgresServer
from tests.support.redis_server import RedisServer

KEY = "7c1e5f3a9b2d4860" * 4


@dataclass(frozen=True)
class Pair:
    first: ChatServer
    second: ChatServer
    database_url: str

    def __iter__(self) -> Iterator[ChatServer]:
        return iter((self.first, self.second))

    def at(self, number: int) -> ChatServer:
        """The first or the second, in turns."""
        return (self.first, self.second)[number % 2]


@contextmanager
def running_pair(postgres: PostgresServer, folder: Path) -> Iterator[Pair]:
    """Their logs may hold no error in the end."""
    name, url = databases.postgresql(postgres)
    redis = RedisServer(folder / "redis")
    redis.start()
    given = {"DATABASE_URL": url, "REDIS_URL": redis.url, "SECRET_KEY": KEY, "DATABASE_POOL": "4"}
    given["LIMIT_FACTOR"] = "1000"
    given["DATA_DIR"] = str(folder / "data")  # for the files that people send
    servers = [ChatServer(folder / f"chatapp-{number}", **given) for number in (1, 2)]
    for server in servers:
        server.start(wait=False)
    for server in servers:
        server.wait_ready()
    yield Pair(servers[0], servers[1], url)
    for process in (*servers, redis):
        process.close()
    postgres.drop_database(name)
    errors = [error for server in servers for error in server.errors()]
    assert errors == []
