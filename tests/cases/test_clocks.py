"""HIS-03: days and times are those of the reader, whatever their clock does, and whatever the server's zone is.

Left out: searching by date, which does not exist yet.
"""

import asyncio
import re
import sqlite3
from datetime import UTC, datetime

import pytest
from playwright.async_api import expect

from tests.browser.actions import bodies, join, open_room, post_many, say, sign_up
from tests.browser.test_lost_line import LOST
from tests.cases.callers import Caller
from tests.cases.conftest import Call
from tests.routes import pages
from tests.support.chat_server import ChatServer
from tests.support.fixtures import Arrive, Serve
from tests.support.wire import wire

PATIENCE = 30_000


def set_times(server: ChatServer, instants: list[str]) -> None:
    """The last messages of room 1 were stored then. The server must read them anew."""
    with sqlite3.connect(server.folder / "data/chatapp.db", timeout=20) as database:
        last = database.execute("SELECT last_seq FROM rooms WHERE id = 1").fetchone()[0]
        for seq, instant in enumerate(reversed(instants)):
            at = int(datetime.fromisoformat(instant).timestamp() * 1000)
            database.execute(
                "UPDATE messages SET at = ? WHERE room_id = 1 AND seq = ?", (at, last - seq)
            )
    database.close()


NIGHTS = [
    pytest.param(
        ["2026-01-15T11:30:00Z", "2026-01-15T11:45:00Z"],
        {
            "Pacific/Auckland": ["2026-01-16 00:30", "2026-01-16 00:45"],
            "America/Los_Angeles": ["2026-01-15 03:30", "2026-01-15 03:45"],
        },
        id="one day here, another there",
    ),
    pytest.param(
        ["2026-01-15T10:59:00Z", "2026-01-15T11:00:00Z"],
        {
            "Pacific/Auckland": ["2026-01-15 23:59", "2026-01-16 00:00"],
            "America/Los_Angeles": ["2026-01-15 02:59", "2026-01-15 03:00"],
        },
        id="midnight in Auckland",
    ),
    pytest.param(
        ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"],
        {"Europe/Berlin": ["2026-10-25 02:30", "2026-10-25 02:30"]},
        id="half past two, twice",
    ),
    pytest.param(
        ["2026-03-08T06:59:00Z", "2026-03-08T07:00:00Z"],
        {"America/New_York": ["2026-03-08 01:59", "2026-03-08 03:00"]},
        id="an hour that is missing",
    ),
]

SEEN = """() => [...document.querySelectorAll('.timeline .msg')].map((row) =>
  `${row.closest('.day').dataset.day} ${row.querySelector('time').textContent}`)"""


@pytest.fixture
async def told(serve: Serve, call: Call) -> tuple[ChatServer, Caller]:
    """Ann has said two things in room 1."""
    server = await serve()
    ann = await call("Ann", server)
    await ann.opens(server, "Clock")
    for text in ("first", "second"):
        assert (await ann.posts(server, 1, text)).status_code == 200
    return server, ann


@pytest.mark.parametrize(("instants", "seen"), NIGHTS)
async def test_day_lines_stand_between_the_readers_days(
    told: tuple[ChatServer, Caller], person: Arrive, instants: list[str], seen: dict[str, list[str]]
) -> None:
    """HIS-03: as the scripts draw it and, for those who told their zone, as the server does"""
    server, ann = told
    set_times(server, [instants[0], *instants])
    for zone, rows in seen.items():
        ben = await person("Ben", server, timezone_id=zone)
        await ben.context.add_cookies([{"name": "sid", "value": ann.cookie, "url": server.url}])
        await ben.goto("/rooms/1")
        await expect(bodies(ben.page)).to_have_text(["first", "second"])
        assert await ben.page.evaluate(SEEN) == rows
        days = sorted({row.split()[0] for row in rows})
        lines = await ben.page.evaluate(
            "() => [...document.querySelectorAll('.timeline .day')].filter((day) =>"
            " day.querySelector('.msg')).map((day) => day.dataset.day)"
        )
        assert lines == days, "one line for each day"
        times = await ben.page.evaluate(
            "() => [...document.querySelectorAll('.timeline .msg time')].map((each) => each.dateTime)"
        )
        assert times == instants, "an instant that no zone can change"
        titles = await ben.page.evaluate(
            "() => [...document.querySelectorAll('.timeline .msg time')].map((each) => each.title)"
        )
        assert len({*titles}) == 2, "with the zone, since 02:30 may come twice"
        drawn = await ann.at(server).get(
            "/rooms/1", headers={"Cookie": f"sid={ann.cookie}; tz={zone}"}
        )
        sections = pages.read(drawn.text).all("section", class_="day")
        with_words = [day.attributes["data-day"] for day in sections if day.all("article")]
        assert with_words == days


async def test_the_servers_own_zone_changes_nothing(told: tuple[ChatServer, Caller]) -> None:
    """HIS-03: TZ of the process, on SQLite as on PostgreSQL no part of any page"""
    server, ann = told
    seen: list[list[str]] = []
    assert server.environment is not None
    given = dict(server.environment)
    for zone in ("UTC", "Pacific/Kiritimati", "America/Los_Angeles"):
        await asyncio.to_thread(server.stop)
        server.environment = {**given, "TZ": zone}
        await asyncio.to_thread(server.start)
        page = (await ann.at(server).get("/rooms/1")).text
        assert (await ann.posts(server, 1, f"said under {zone}")).status_code == 200
        said = pages.read((await ann.at(server).get("/rooms/1")).text).all("time")[-1]
        age = datetime.now(UTC) - datetime.fromisoformat(said.attributes["datetime"])
        assert abs(age.total_seconds()) < 300
        times = [
            each for each in pages.read(page).all("time") if "T" in each.attributes["datetime"]
        ]
        assert all(re.fullmatch(r"[\d-]{10}T[\d:]{8}Z", e.attributes["datetime"]) for e in times)
        seen.append([f"{each.attributes['datetime']} {each.text}" for each in times[:3]])
    assert seen[0] == seen[1] == seen[2]


async def test_a_tab_that_is_open_over_the_night_the_clocks_change_is_right_in_the_morning(
    serve: Serve, person: Arrive
) -> None:
    """HIS-03: Berlin, 24 to 25 October 2026, a day of 25 hours. 'Today' becomes 'Yesterday' by itself."""
    server = await serve()
    async with wire(server.port) as line:
        ann = await person("Ann", server)
        ann.allow(LOST)
        await sign_up(ann)
        room = await open_room(ann, "Night")
        ben = await person("Ben", line, timezone_id="Europe/Berlin")
        ben.allow(LOST)
        await sign_up(ben)
        await join(ben, room)
        await say(ann.page, "good night")
        await expect(bodies(ben.page)).to_have_text(["good night"])
        await ben.goto("/rooms")
        set_times(server, ["2026-10-24T21:40:00Z"] * 2 + ["2026-10-24T21:50:00Z"])
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        await ben.page.clock.install(time="2026-10-24T21:59:00Z")  # 23:59
        await ben.goto(room)
        labels = ben.page.locator(".timeline .day-label")
        await expect(labels).to_have_text(["Today"])
        await expect(ben.page.locator(".msg time")).to_have_text("23:50")
        await ben.page.clock.fast_forward(30_000)
        await expect(labels).to_have_text(["Today"])
        await ben.page.clock.fast_forward(60_000)
        await expect(labels).to_have_text(["Yesterday"], timeout=PATIENCE)
        # half past two comes twice, while his line is down
        line.cut()
        await post_many(ann, room, ["early", "late"])
        await asyncio.to_thread(server.stop)
        set_times(server, ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"])
        await asyncio.to_thread(server.start)
        await ben.page.clock.fast_forward(3 * 3600_000)
        line.mend()
        await ben.page.evaluate("() => { dispatchEvent(new Event('online')); }")
        await expect(bodies(ben.page)).to_have_text(["good night", "early", "late"], timeout=PATIENCE)  # fmt: skip
        await expect(labels).to_have_text(["Yesterday", "Today"])
        assert await ben.page.evaluate(SEEN) == [
            "2026-10-24 23:50",
            "2026-10-25 02:30",
            "2026-10-25 02:30",
        ]
        # 24 hours after midnight it is still the same day, and an hour more begins the next
        await ben.page.clock.fast_forward(21 * 3600_000)
        await ben.page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
        await expect(labels).to_have_text(["Yesterday", "Today"])
        await ben.page.clock.fast_forward(3600_000)
        await expect(labels).to_have_text(["Saturday 24 October", "Yesterday"], timeout=PATIENCE)
