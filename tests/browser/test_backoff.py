"""CON-04: when a browser tries again, so that those who lost their lines in one moment do not return in one."""

from tests.browser.conftest import Run


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


async def test_many_who_lose_their_lines_at_once_come_back_spread_over_all_of_the_wait(run: Run):
    """With real dice: 400 browsers, whose lines were good, and whose attempts then fail six times over."""
    rounds = await run(
        "backoff",
        """
        let now = 0; const browsers = Array.from({ length: 400 }, () => new m.Backoff({ now: () => now }));
        for (const b of browsers) { b.tried(); b.opened(); }
        now += 60_000;
        return Array.from({ length: 7 }, () => browsers.map((b) => {
          const wait = b.closed();
          b.tried(); now += 1_000;
          return wait;
        }));
        """,
    )
    assert len(rounds) == 7
    for number, waits in enumerate(rounds):
        longest = min(30_000, 1_000 * 2**number)
        assert 0 <= min(waits) <= max(waits) <= longest
        tenths = {int(10 * wait / longest) for wait in waits}
        assert tenths >= set(range(10)), f"round {number + 1} leaves out some of its {longest} ms"
        assert len(set(waits)) > 390, "hardly two in the same moment"
