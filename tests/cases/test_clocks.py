"""HIS-03: days and times are those of the reader, whatever their clock does, and whatever the server's zone is.

Left out: searching by date, which does not exist yet.
"""

import asyncio
import re
import sqlite3
from datetime import UTC, datetime

from playwright.async_api import expect

from tests.browser.actions import bodies, join, open_room, post_many, say, sign_up
from tests.browser.test_lost_line import LOST
from tests.cases.callers import Caller
from tests.cases.conftest import Call
from tests.routes import pages
from tests.support.chat_server import ChatServer
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve
from tests.support.wire import wire

PATIENCE = 30_000


def set_times(server: ChatServer, instants: list[str], room: int = 1) -> None:
    """The last rows of the room were stored then. The server must read them anew."""
    with sqlite3.connect(server.folder / "data/chatapp.db", timeout=20) as database:
        query = "SELECT last_seq FROM rooms WHERE id = ?"
        last = database.execute(query, (room,)).fetchone()[0]
        for seq, instant in enumerate(reversed(instants)):
            at = int(datetime.fromisoformat(instant).timestamp() * 1000)
            database.execute(
                "UPDATE messages SET at = ? WHERE room_id = ? AND seq = ?", (at, room, last - seq)
            )
    database.close()


# Two instants, and what they are to readers in some zones.
NIGHTS: list[tuple[list[str], dict[str, list[str]]]] = [
    (  # one day here, another there
        ["2026-01-15T11:30:00Z", "2026-01-15T11:45:00Z"],
        {
            "Pacific/Auckland": ["2026-01-16 00:30", "2026-01-16 00:45"],
            "America/Los_Angeles": ["2026-01-15 03:30", "2026-01-15 03:45"],
        },
    ),
    (  # midnight in Auckland
        ["2026-01-15T10:59:00Z", "2026-01-15T11:00:00Z"],
        {
            "Pacific/Auckland": ["2026-01-15 23:59", "2026-01-16 00:00"],
            "America/Los_Angeles": ["2026-01-15 02:59", "2026-01-15 03:00"],
        },
    ),
    (  # half past two, twice
        ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"],
        {"Europe/Berlin": ["2026-10-25 02:30", "2026-10-25 02:30"]},
    ),
    (  # an hour that is missing
        ["2026-03-08T06:59:00Z", "2026-03-08T07:00:00Z"],
        {"America/New_York": ["2026-03-08 01:59", "2026-03-08 03:00"]},
    ),
]

SEEN = """() => [...document.querySelectorAll('.timeline .msg')].map((row) =>
  `${row.closest('.day').dataset.day} ${row.querySelector('time').textContent}`)"""


MESSAGES = """() => [...document.querySelectorAll('.timeline .msg time')].map((time) => [time.dateTime, time.title])"""
DAYS = """() => [...document.querySelectorAll('.timeline .day')].filter((day) => day.querySelector('.msg'))
  .map((day) => day.dataset.day)"""


async def two_messages(ann: Caller, server: ChatServer, name: str) -> int:
    room = await ann.opens(server, name)
    for text in ("first", "second"):
        assert (await ann.posts(server, room, text)).status_code == 200
    return room


async def test_day_lines_stand_between_the_readers_days(
    serve: Serve, call: Call, person: Arrive
) -> None:
    """HIS-03: as the scripts draw it and, for those who told their zone, as the server does"""
    server = await serve()
    ann = await call("Ann", server)
    readers: dict[str, Person] = {}
    for number, (instants, seen) in enumerate(NIGHTS, 1):
        room = await two_messages(ann, server, f"Night {number}")
        set_times(server, [instants[0], *instants], room)
        for zone, rows in seen.items():
            if zone not in readers:
                ben = readers[zone] = await person("Ben", server, timezone_id=zone)
                cookie = {"name": "sid", "value": ann.cookie, "url": server.url}
                await ben.context.add_cookies([cookie])  # type: ignore[list-item]
            page = readers[zone].page
            await page.goto(f"/rooms/{room}")
            await expect(bodies(page)).to_have_text(["first", "second"])
            assert await page.evaluate(SEEN) == rows
            days = sorted({row.split()[0] for row in rows})
            assert await page.evaluate(DAYS) == days, "one line for each day"
            times = await page.evaluate(MESSAGES)
            assert [instant for instant, _ in times] == instants, "which no zone can change"
            assert len({title for _, title in times}) == 2, "with the zone: 02:30 may come twice"
            cookies = {"Cookie": f"sid={ann.cookie}; tz={zone}"}
            drawn = (await ann.at(server).get(f"/rooms/{room}", headers=cookies)).text
            sections = pages.read(drawn).all("section", class_="day")
            with_words = [day.attributes["data-day"] for day in sections if day.all("article")]
            assert with_words == days


async def test_the_servers_own_zone_changes_nothing(serve: Serve, call: Call) -> None:
    """HIS-03: TZ of the process is no part of any page"""
    server = await serve()
    ann = await call("Ann", server)
    await two_messages(ann, server, "Clock")
    seen: list[list[str]] = []
    assert server.environment is not None
    given = dict(server.environment)
    for zone in ("Pacific/Kiritimati", "America/Los_Angeles"):
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
    assert seen[0] == seen[1]


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
        ben.allow(f"{LOST}|htmx:error: timeout")  # a jump in time, too
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
