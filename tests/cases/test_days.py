"""HIS-03: a day begins at the reader's own midnight, on the server's pages and in the browser, also where the clock
is turned. The rows have set times, and the browser's clock is set before it sees them; the server's own zone is one
where it is always another day."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page, expect

from tests.browser.actions import bodies
from tests.cases.callers import Caller
from tests.cases.conftest import House, Open
from tests.support.past import remember

INSTANTS = [
    "2026-01-15T10:45:00Z",  # 23:45 in Auckland
    "2026-01-15T11:30:00Z",  # 00:30 there, 03:30 in Los Angeles
    "2026-01-15T11:45:00Z",
    "2026-03-08T04:59:00Z",  # 23:59 in New York
    "2026-03-08T06:59:00Z",  # 01:59 there
    "2026-03-08T07:00:00Z",  # 03:00 there, a minute later
    "2026-10-24T21:59:00Z",  # 23:59 in Berlin
    "2026-10-25T00:30:00Z",  # 02:30 there
    "2026-10-25T01:30:00Z",  # 02:30 there once more
    "2026-10-25T23:30:00Z",
]
ZONES = ["Pacific/Auckland", "America/Los_Angeles", "America/New_York", "Europe/Berlin", "UTC"]
NOW = datetime(2026, 10, 27, 12, tzinfo=UTC)
SECTION = re.compile(r'<section class="day" data-day="([^"]+)">(.*?)</section>', re.DOTALL)
TIME = re.compile(r'class="msg-time"[^>]*><time datetime="([^"]+)"')
SEEN = """() => [...document.querySelectorAll('.timeline .day')].map((day) => [day.dataset.day,
  [...day.querySelectorAll('.msg-time time')].map((time) => [time.dateTime, time.textContent, time.title])])"""

Days = list[tuple[str, list[str]]]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def days_in(zone: str) -> Days:
    """By another calendar than the product's: each day with its instants."""
    days: Days = []
    for text in INSTANTS:
        day = instant(text).astimezone(ZoneInfo(zone)).date().isoformat()
        if not days or days[-1][0] != day:
            days.append((day, []))
        days[-1][1].append(text)
    return days


@pytest.fixture
async def room(house: House) -> int:
    room = await house.room()
    remember(house.database_url, room, [(instant(text), text) for text in INSTANTS])
    return room


async def page_of(house: House, reader: Caller, room: int, zone: str) -> Days:
    """The days on the page as the server sends it to a browser with this zone in its cookie."""
    browser = reader.at(house.server)
    answer = await browser.get(
        f"/rooms/{room}", headers={"Cookie": f"sid={reader.cookie}; tz={zone}"}
    )
    found = [(day, TIME.findall(rows)) for day, rows in SECTION.findall(answer.text)]
    return [(day, times) for day, times in found if times]


async def seen_by(page: Page) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Days, and of each message the instant, the clock and the whole date, as scripts have left them."""
    await expect(page.locator(".msg-time time:not([title])")).to_have_count(0)
    found = await page.evaluate(SEEN)
    return [(day, [tuple(time) for time in times]) for day, times in found if times]


@pytest.mark.parametrize("zone", ZONES)
async def test_a_day_line_stands_where_the_readers_own_date_changes(
    house: House, room: int, open_room: Open, zone: str
) -> None:
    assert await page_of(house, house.ben, room, zone) == days_in(zone)
    ben = await open_room(house.ben, house.server, room, now=NOW, timezone_id=zone)
    for _ in range(2):  # without the cookie, and then with it
        await expect(bodies(ben.page)).to_have_text(INSTANTS)
        days = await seen_by(ben.page)
        assert [(day, [each[0] for each in times]) for day, times in days] == days_in(zone)
        for _, times in days:
            for at, clock, _ in times:
                assert clock == instant(at).astimezone(ZoneInfo(zone)).strftime("%H:%M"), at
        cookies = {each.get("name"): each.get("value") for each in await ben.context.cookies()}
        assert cookies["tz"] == zone
        await ben.page.reload()


async def test_an_hour_that_comes_twice_and_one_that_never_comes(
    house: House, room: int, open_room: Open
) -> None:
    """Both 02:30 are of one day, in the order sent, and can be told apart; after 01:59 comes 03:00."""
    berlin = await open_room(house.ben, house.server, room, now=NOW, timezone_id="Europe/Berlin")
    days = dict(await seen_by(berlin.page))
    first, second = days["2026-10-25"]
    assert (first[:2], second[:2]) == (
        ("2026-10-25T00:30:00Z", "02:30"),
        ("2026-10-25T01:30:00Z", "02:30"),
    )
    assert first[2] != second[2]
    new_york = await open_room(
        house.ben, house.server, room, now=NOW, timezone_id="America/New_York"
    )
    days = dict(await seen_by(new_york.page))
    assert [clock for _, clock, _ in days["2026-03-08"]] == ["01:59", "03:00"]


async def test_a_tab_that_stays_open_over_midnight_turns_its_calendar(
    house: House, open_room: Open
) -> None:
    """The evening before the clocks are turned back: of what came before midnight is said "Yesterday" after it."""
    room = await house.room()
    remember(house.database_url, room, [(instant("2026-10-24T21:57:00Z"), "late")])
    evening = instant("2026-10-24T21:58:00Z")
    ben = await open_room(house.ben, house.server, room, now=evening, timezone_id="Europe/Berlin")
    line = ben.page.locator('.day[data-day="2026-10-24"] .day-label')
    await expect(line).to_have_text("Today")
    await ben.page.clock.fast_forward(150_000)
    await expect(line).to_have_text("Yesterday")
    remember(house.database_url, room, [(instant("2026-10-24T22:00:30Z"), "early")])
    await house.ann.posts(house.server, room, "whenever this test runs")
    await expect(bodies(ben.page)).to_have_text(["late", "early", "whenever this test runs"])
    today = ben.page.locator('.day[data-day="2026-10-25"]')
    await expect(today.locator(".day-label")).to_have_text("Today")
    await expect(today.locator(".msg-body").first).to_have_text("early")
