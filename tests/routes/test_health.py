"""/up and /ready, and what people get while the database is away."""

import asyncio

import pytest

from chatapp.app import create_app
from chatapp.settings import Settings
from tests.routes.people import JSON, Person, services, somebody
from tests.support import databases
from tests.support.asgi import Site, lifespan
from tests.support.asgi_socket import Refused


async def test_the_process_says_that_it_is_up_and_ready(site):
    visitor = Person(site)
    up = await visitor.get("/up")
    assert (up.status_code, up.text) == (200, "up")
    ready = await visitor.get("/ready")
    assert ready.status_code == 200
    assert ready.json() == {
        "stopping": False,
        "database": True,
        "storing": True,
        "oldest_command_seconds": 0.0,
    }


async def test_a_process_that_is_told_to_stop_is_up_but_not_ready(site):
    services(site).stopping = True
    visitor = Person(site)
    assert (await visitor.get("/up")).status_code == 200
    assert (await visitor.get("/ready")).status_code == 503


async def test_a_process_whose_commands_are_not_stored_is_not_ready(site, monkeypatch):
    monkeypatch.setattr(type(services(site).writer), "oldest_seconds", lambda _: 6.0)
    visitor = Person(site)
    assert (await visitor.get("/ready")).status_code == 503
    answer = await (await somebody(site)).post("/rooms", {"name": "Lab"})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.expects_errors
async def test_while_the_database_is_away_people_are_asked_to_come_again(own_postgres, tmp_path):
    _, url = await asyncio.to_thread(databases.postgresql, own_postgres)
    settings = Settings.from_env({"DATABASE_URL": url, "DATA_DIR": str(tmp_path)})
    app = create_app(settings, password_cost=4)
    async with lifespan(app) as state:
        site = Site(app, state, settings)
        ann = await somebody(site)
        room = await ann.opens("Lab")
        await ann.says(room, "before")
        impatient = Person(site, raise_errors=False).with_cookie(ann.cookie)

        await asyncio.to_thread(own_postgres.stop, "immediate")
        assert (await impatient.get("/up")).status_code == 200
        for _ in range(3):
            assert (await impatient.get("/ready")).status_code == 503
            for path in ("/", "/rooms", f"/rooms/{room}", "/settings", "/sidebar", "/sign-in"):
                answer = await impatient.get(path)
                assert answer.status_code == 503, f"{path}: {answer.status_code}"
                assert "busy" in answer.text
            told = await impatient.get("/rooms", headers=JSON)
            assert (told.status_code, told.json()["code"]) == (503, "busy")
            posted = await impatient.tries_to_say(room, "meanwhile")
            assert posted.status_code == 503, posted.text
            for fields in (
                {"email": ann.email, "password": ann.password},
                {"email": "x@y.example"},
            ):
                assert (await impatient.post("/sign-in", fields)).status_code == 503
        assert (await impatient.get("/offline")).status_code == 200
        with pytest.raises(Refused) as refusal:  # a browser takes it for a lost line and comes back
            async with ann.socket():
                pass
        assert refusal.value.status == 403

        await asyncio.to_thread(own_postgres.start)

        async def well() -> bool:
            return (await impatient.get("/ready")).status_code == 200

        async with asyncio.timeout(15):
            while not await well():
                await asyncio.sleep(0.1)
        for _ in range(10):  # no connection that died is handed out later
            assert (await ann.get(f"/rooms/{room}")).status_code == 200
        await ann.says(room, "after")
        await site.close()


TOKEN = "a-token-for-the-monitoring"


async def test_nobody_sees_figures_while_no_token_is_set(site):
    admin = await (await somebody(site)).becomes_administrator()
    for headers in ({}, {"authorization": "Bearer "}, {"authorization": "Bearer x"}):
        assert (await admin.get("/metrics", headers=headers)).status_code == 404


async def test_monitoring_sees_the_queue_and_the_writer_with_its_token(make_site, database_url):
    site = await make_site(DATABASE_URL=database_url, METRICS_TOKEN=TOKEN)
    ann = await somebody(site, "Ann Archer")
    await ann.says(await ann.opens("Lab"), "hello")
    monitoring = Person(site)
    right = {"authorization": f"Bearer {TOKEN}"}
    for wrong in (
        {},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": "Bearer ä".encode()},
    ):
        assert (await monitoring.get("/metrics", headers=wrong)).status_code == 404
    answer = await monitoring.get("/metrics", headers=right)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    figures = dict(
        line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#")
    )
    assert float(figures["chatapp_queue_commands"]) == 0
    assert float(figures["chatapp_queue_oldest_seconds"]) == 0
    assert float(figures["chatapp_batch_commands_count"]) == 2  # the room, the message
    assert float(figures["chatapp_commit_seconds_count"]) == 2
    assert float(figures['chatapp_commands_total{end="stored"}']) == 2
    assert float(figures["process_resident_memory_bytes"]) > 10_000_000
    assert "Ann" not in answer.text
    assert "Lab" not in answer.text
