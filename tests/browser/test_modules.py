"""The browser's plain logic, module by module, in a real browser but without the app."""

import re
import threading
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.fixtures import Arrive

STATIC = Path(__file__).parents[2] / "chatapp" / "static"

Run = Callable[..., Awaitable[Any]]


class _Files(SimpleHTTPRequestHandler):
    """The static folder, and one empty page to import from."""

    def do_GET(self) -> None:
        if self.path in {"/", "/favicon.ico"}:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"<!doctype html><html lang=en><title>modules</title>")
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture(scope="module")
def files() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(STATIC))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
async def run(person: Arrive, files: str) -> Run:
    """await run('log', 'body using `m`', zone) gives what the body returns."""

    async def evaluate(module: str, body: str, zone: str = "UTC") -> Any:
        somebody = await person("Ann", files, timezone_id=zone)
        await somebody.goto("/")
        return await somebody.page.evaluate(
            f"async () => {{ const m = await import('/js/{module}.js'); {body} }}"
        )

    return evaluate


# -- backoff ------------------------------------------------------------------


async def test_waits_double_up_to_thirty_seconds_and_are_spread_by_chance(run: Run):
    waits = await run(
        "backoff",
        """
        let now = 0; const b = new m.Backoff({ random: () => 1, now: () => now });
        const waits = [];
        for (let i = 0; i < 9; i++) { b.tried(); now += 5000; waits.push(b.closed()); }
        return waits;
        """,
    )
    assert waits == [1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000]
    none = await run("backoff", "return new m.Backoff({ random: () => 0 }).closed();")
    assert none == 0


async def test_a_line_that_opens_and_breaks_at_once_goes_on_slowing_down(run: Run):
    waits = await run(
        "backoff",
        """
        let now = 0; const b = new m.Backoff({ random: () => 1, now: () => now });
        const after = (ms) => { b.tried(); b.opened(); now += ms; return b.closed(); };
        return [after(2000), after(2000), after(29_999), after(30_000), after(2000)];
        """,
    )
    assert waits == [1000, 2000, 4000, 1000, 2000]


async def test_attempts_are_never_closer_than_a_second(run: Run):
    waits = await run(
        "backoff",
        """
        let now = 0; const b = new m.Backoff({ random: () => 0, now: () => now });
        b.tried(); now = 300;
        return [b.closed(), b.soonest()];
        """,
    )
    assert waits == [700, 700]


# -- the room's number --------------------------------------------------------


async def test_frames_are_applied_dropped_or_show_a_gap(run: Run):
    verdicts = await run(
        "log",
        """
        const log = new m.Log("a:b:130");
        const judge = (from, seq) => {
          const verdict = log.judge({ from, seq });
          if (verdict === "apply") log.applied(seq);
          return verdict;
        };
        return [judge(130, 133), judge(130, 133), judge(131, 132), judge(132, 135), judge(136, 137), log.cursor];
        """,
    )
    assert verdicts == ["apply", "drop", "drop", "apply", "gap", "a:b:135"]


async def test_a_gap_is_asked_for_once_and_again_when_the_answer_fell_short(run: Run):
    said = await run(
        "log",
        """
        const log = new m.Log("e:10");
        log.judge({ from: 14, seq: 15 });
        const said = [log.ask(), log.ask()];
        log.judge({ from: 10, seq: 14 }); log.applied(14);
        said.push(log.caughtUp(14), log.ask());
        log.applied(15);
        said.push(log.caughtUp(15));
        return said;
        """,
    )
    assert said == [True, False, True, True, False]


async def test_a_beat_above_ones_own_number_means_something_is_missing(run: Run):
    said = await run("log", "const log = new m.Log('e:10'); return [log.heard(10), log.heard(11)];")
    assert said == [False, True]


async def test_a_new_line_forgets_what_was_asked_on_the_old_one(run: Run):
    said = await run(
        "log",
        """
        const log = new m.Log("e:10");
        log.ask(); log.lineChanged();
        const again = log.ask();
        log.rewind(7);
        return [again, log.cursor];
        """,
    )
    assert said == [True, "e:7"]


# -- limits -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("'hello'", None),
        ("''", "empty"),
        (r"' \n\t '", "empty"),
        (r"'\u200b\u2060\u00ad\ufeff\u3164\u2800'", "empty"),
        (r"'\u{1F469}\u200D\u{1F680}'", None),
        ("'x'.repeat(4000)", None),
        ("'x'.repeat(4001)", "over"),
        ("'  ' + 'x'.repeat(4000) + '\\n'", None),
        (r"'\u{1F600}'.repeat(4000)", None),
        (r"'\u{1F600}'.repeat(4001)", "over"),
        (r"'e\u0301'.repeat(4000)", None),
        (r"'\r\n'.repeat(1999) + 'ab'", None),
    ],
)
async def test_a_text_is_judged_as_the_server_judges_it(run: Run, typed: str, fault: str | None):
    assert await run("limits", f"return m.judge({typed}).fault;") == fault


async def test_the_text_that_is_sent_is_normalised(run: Run):
    assert await run("limits", r"return m.judge(' e\u0301\r\nb\rc ').text;") == "\u00e9\nb\nc"
    assert await run("limits", r"return m.judge('a\ud800b\u{1F600}').text;") == "a\ufffdb\U0001f600"


# -- the pace -----------------------------------------------------------------


async def test_a_full_outbox_leaves_at_a_pace_below_the_servers_limit(run: Run):
    waits = await run(
        "pace",
        """
        let now = 0; const pace = new m.Pace(() => now); const waits = [];
        for (let i = 0; i < 12; i++) waits.push(Math.round(pace.take()));
        now = 60_000; waits.push(pace.take());
        return waits;
        """,
    )
    assert waits == [0] * 10 + [83, 167, 0]


# -- the outbox's store -------------------------------------------------------

STORE = """
    const { MemoryStorage } = await import('/js/storage.js');
    const storage = new MemoryStorage(); let now = 1000;
    const store = new m.OutboxStore(storage, "17", () => now);
"""


async def test_messages_come_out_in_the_order_written_even_in_one_millisecond(run: Run):
    keys = await run(
        "outbox-store",
        STORE
        + """
        for (const key of ["c", "a", "b"]) store.add({ key, room: "7", body: key });
        now = 500; store.add({ key: "0", room: "7", body: "after the clock was set back" });
        store.add({ key: "other", room: "8", body: "x" });
        store.fail("c", { code: "no", message: "No." });
        return [store.inRoom("7").map((e) => e.key), store.head("7").key, store.waitingRooms()];
        """,
    )
    assert keys == [["c", "a", "b", "0"], "a", ["7", "8"]]


async def test_another_accounts_messages_are_never_read(run: Run):
    seen = await run(
        "outbox-store",
        STORE
        + """
        new m.OutboxStore(storage, "1").add({ key: "k", room: "7", body: "hers" });
        new m.OutboxStore(storage, "171").add({ key: "k", room: "7", body: "his" });
        storage.setItem("chatapp:outbox:17:bad", "{");
        storage.setItem("chatapp:outbox:17:odd", '{"key":1}');
        storage.setItem("chatapp:outbox:17:z", '{"key":"z","user":"18","room":"7","body":"","at":1}');
        return [store.all(), store.get("k")];
        """,
    )
    assert seen == [[], None]


async def test_a_full_store_takes_nothing_and_loses_nothing(run: Run):
    taken = await run(
        "outbox-store",
        STORE
        + """
        let count = 0; while (store.add({ key: "k" + count, room: "7", body: "x" })) count++;
        store.remove("k0");
        const again = store.add({ key: "more", room: "7", body: "x" }) !== null;
        const big = new m.OutboxStore(new MemoryStorage(), "17"); let large = 0;
        while (big.add({ key: "k" + large, room: "7", body: "x".repeat(16384) })) large++;
        storage.setItem = () => { throw new Error("quota"); };
        store.remove("k1");
        return [count, again, large, store.add({ key: "q", room: "7", body: "x" })];
        """,
    )
    assert taken == [200, True, 64, None]


async def test_a_refused_message_nobody_decided_on_goes_after_a_week(run: Run):
    left = await run(
        "outbox-store",
        STORE
        + """
        store.add({ key: "waits", room: "7", body: "x" });
        store.add({ key: "refused", room: "7", body: "x" });
        store.fail("refused", { code: "no", message: "" });
        now += 8 * 24 * 3600 * 1000; store.sweep();
        return store.all().map((e) => e.key);
        """,
    )
    assert left == ["waits"]


async def test_keys_are_uuids_also_where_the_browser_has_none_to_give(run: Run):
    keys = await run(
        "outbox",
        """
        const own = m.newKey(); Object.defineProperty(crypto, "randomUUID", { value: undefined });
        return [own, m.newKey(), m.newKey()];
        """,
    )
    pattern = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert all(re.fullmatch(pattern, key) for key in keys)
    assert len(set(keys)) == 3


# -- days and times -----------------------------------------------------------

CALENDAR = "const c = new m.Calendar('en', { today: 'Today', yesterday: 'Yesterday' });"


@pytest.mark.parametrize(
    ("zone", "instant", "day", "clock"),
    [
        ("Pacific/Auckland", "2026-01-15T11:30:00Z", "2026-01-16", "00:30"),
        ("America/Los_Angeles", "2026-01-15T11:30:00Z", "2026-01-15", "03:30"),
        ("Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25", "02:30"),
        ("Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25", "02:30"),
        ("America/New_York", "2026-03-08T06:59:00Z", "2026-03-08", "01:59"),
        ("America/New_York", "2026-03-08T07:00:00Z", "2026-03-08", "03:00"),
    ],
)
async def test_days_and_times_are_the_readers_own(
    run: Run, zone: str, instant: str, day: str, clock: str
):
    body = CALENDAR + f"const d = new Date('{instant}'); return [m.dayKey(d), c.clock(d)];"
    assert await run("time", body, zone) == [day, clock]


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


# -- the banner ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "banner"),
    [
        ("{ state: 'live', online: true, downFor: 0 }", None),
        ("{ state: 'down', online: true, downFor: 1900 }", None),
        ("{ state: 'connecting', online: true, downFor: 2100 }", "reconnecting"),
        ("{ state: 'down', online: true, downFor: 20100 }", "offline"),
        ("{ state: 'down', online: false, downFor: 10 }", "offline"),
        ("{ state: 'live', online: false, downFor: 0 }", None),
        ("{ state: 'final', online: true, downFor: 0 }", "protocol"),
    ],
)
async def test_the_banner_says_how_the_line_is(run: Run, line: str, banner: str | None):
    assert await run("banner", f"return m.bannerFor({line});") == banner
