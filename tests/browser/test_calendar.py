"""Days and times of the reader's own, as the browser's module reckons them."""

from tests.browser.conftest import Check, Run

CALENDAR = "const c = new m.Calendar('en', { today: 'Today', yesterday: 'Yesterday' });"


async def test_days_and_times_are_the_readers_own(check: Check):
    readings = [
        ("Pacific/Auckland", "2026-01-15T11:30:00Z", "2026-01-16", "00:30"),
        ("America/Los_Angeles", "2026-01-15T11:30:00Z", "2026-01-15", "03:30"),
        ("Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25", "02:30"),
        ("Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25", "02:30"),
        ("America/New_York", "2026-03-08T06:59:00Z", "2026-03-08", "01:59"),
        ("America/New_York", "2026-03-08T07:00:00Z", "2026-03-08", "03:00"),
    ]
    for zone, instant, day, clock in readings:
        read = f"(() => {{ {CALENDAR} const d = new Date('{instant}'); return [m.dayKey(d), c.clock(d)]; }})()"
        await check("time", {read: [day, clock]}, zone)


async def test_day_words_follow_the_calendar_over_a_clock_change(run: Run):
    body = (
        CALENDAR
        + """
        return [["2026-10-26", "2026-10-26"], ["2026-10-25", "2026-10-26"], ["2026-10-24", "2026-10-26"],
          ["2025-12-31", "2026-01-01"], ["2025-12-30", "2026-01-01"]].map(([k, t]) => c.dayWords(k, t));
        """
    )
    assert await run("time", body, "Europe/Berlin") == [
        "Today",
        "Yesterday",
        "Saturday 24 October",
        "Yesterday",
        "Tuesday 30 December 2025",
    ]


async def test_midnight_is_found_on_a_day_of_twenty_five_hours(run: Run):
    body = "return m.untilMidnight(new Date('2026-10-24T22:00:00Z')) / 3600000;"
    assert await run("time", body, "Europe/Berlin") == 25


async def test_the_zone_goes_into_a_cookie_only_when_it_is_a_name(run: Run):
    cookies = await run(
        "time", "return [m.zoneCookie(), m.zoneCookie('x; y'), m.zoneCookie('')];", "Europe/Berlin"
    )
    assert cookies == ["tz=Europe/Berlin; Path=/; Max-Age=31536000; SameSite=Lax", "", ""]
