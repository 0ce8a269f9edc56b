"""The files that PostgreSQL, Redis and the health check get, tried on the real programs."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from redis.exceptions import AuthenticationError

from tests.support import postgres_server
from tests.support.redis_server import RedisServer
from tests.support.run_folder import ROOT, free_port

SECRETS = "/run/secrets"


@pytest.fixture
def guarded(redis: RedisServer, tmp_path: Path) -> RedisServer:
    """Redis as deploy/redis.conf wants it, with the password `opensesame`."""
    (tmp_path / "redis_auth.conf").write_text("requirepass opensesame\n")
    file = tmp_path / "redis.conf"
    file.write_text((ROOT / "deploy/redis.conf").read_text().replace(SECRETS, str(tmp_path)))
    redis.stop()
    redis.argv = [redis.argv[0], str(file), "--port", str(redis.port), "--bind", "127.0.0.1"]
    redis.start(wait=False)
    return redis


def client(url: str) -> Any:
    return redis.asyncio.from_url(url, protocol=2, retry_on_error=[ConnectionError])


async def test_redis_lets_nobody_in_without_the_password(guarded):
    await answers(guarded)
    async with client(guarded.url) as stranger:
        with pytest.raises(AuthenticationError):
            await stranger.get("anything")


async def test_redis_keeps_nothing_and_bounds_what_it_takes(guarded):
    await answers(guarded)
    async with client(guarded.url.replace("://", "://:opensesame@")) as friend:
        asked = {**await friend.config_get("save"), **await friend.config_get("max*memory*")}
        limits = await friend.config_get("client-output-buffer-limit")
    assert asked["save"] == ""
    assert asked["maxmemory"] == str(64 * 1024 * 1024)
    assert "pubsub 16777216 4194304 30" in limits["client-output-buffer-limit"]


async def test_the_health_check_of_redis_needs_no_password(guarded):
    await answers(guarded)
    assert "NOAUTH" in pinged(guarded)


async def answers(server: RedisServer) -> None:
    for _ in range(200):
        if "NOAUTH" in pinged(server):
            return
    pytest.fail(server.log_end())


def pinged(server: RedisServer) -> str:
    ping = ["redis-cli", "-p", str(server.port), "ping"]
    done = subprocess.run(ping, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


async def test_chatapp_makes_its_tables_with_an_account_that_may_do_nothing_else(
    own_postgres, serve, tmp_path
):
    (tmp_path / "database_password").write_text("opensesame\n")
    file = tmp_path / "init.sql"
    script = (ROOT / "deploy/postgres/init.sql").read_text()
    file.write_text(script.replace(SECRETS, str(tmp_path)))
    psql = [str(postgres_server.programs() / "psql"), "-v", "ON_ERROR_STOP=1", "--no-psqlrc"]
    url = own_postgres.url().replace("+asyncpg", "")
    subprocess.run([*psql, url, "-f", str(file)], check=True, capture_output=True)

    ours = own_postgres.url("chatapp").replace("postgres@", "chatapp@")
    server = await serve(DATABASE_URL=ours)
    assert server.status("/ready") == 200
    own_postgres.execute(  # divides by zero if it may
        "SELECT 1 / count(*) FROM pg_roles WHERE rolname = 'chatapp'"
        " AND NOT (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication)"
    )


def ask(path: str, port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "deploy/ask.py"), path],
        env={"PORT": str(port), "http_proxy": "http://127.0.0.1:9", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


async def test_the_health_check_tells_a_server_that_is_well_from_others(serve):
    server = await serve()
    up = ask("/up", server.port)
    assert (up.returncode, up.stdout) == (0, "200 up\n")
    assert ask("/ready", server.port).returncode == 0
    assert ask("/metrics", server.port).returncode == 1
    nobody = ask("/up", free_port())
    assert nobody.returncode == 1
    assert nobody.stdout.startswith("no answer: ")
    assert nobody.stderr == ""
