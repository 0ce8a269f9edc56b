"""The browser's plain logic, module by module, in a real browser but without the app."""

import re

from tests.browser.conftest import Check, Run

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


async def test_a_text_is_judged_as_the_server_judges_it(check: Check):
    faults = [
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
    ]
    await check("limits", {f"m.judge({typed}).fault": fault for typed, fault in faults})


async def test_the_text_that_is_sent_is_normalised(check: Check):
    texts = {
        r"m.judge(' e\u0301\r\nb\rc ').text": "\u00e9\nb\nc",
        r"m.judge('a\ud800b\u{1F600}').text": "a\ufffdb\U0001f600",
    }
    await check("limits", texts)


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


# -- the banner ---------------------------------------------------------------


async def test_the_banner_says_how_the_line_is(check: Check):
    banners = [
        ("{ state: 'live', online: true, downFor: 0 }", None),
        ("{ state: 'down', online: true, downFor: 1900 }", None),
        ("{ state: 'connecting', online: true, downFor: 2100 }", "reconnecting"),
        ("{ state: 'down', online: true, downFor: 20100 }", "offline"),
        ("{ state: 'down', online: false, downFor: 10 }", "offline"),
        ("{ state: 'live', online: false, downFor: 0 }", None),
        ("{ state: 'final', online: true, downFor: 0 }", "protocol"),
    ]
    await check("banner", {f"m.bannerFor({line})": banner for line, banner in banners})


# -- quotes ---------------------------------------------------------------------------


async def test_a_quote_follows_what_it_quotes(run: Run) -> None:
    said = await run(
        "feed/rows",
        r"""
        const quote = (seq, to) => `<article class="msg" data-seq="${seq}" data-by="2">
          <a class="reply-ref" data-to="${to}" data-by="1"><b><bdi>Ann</bdi></b><span>tea</span></a></article>`;
        document.body.innerHTML =
          `<template id="tpl-words" data-gone="Deleted"></template><div>${quote(5, 3)}${quote(6, 4)}</div>`;
        const rows = new m.Rows(document.querySelector("div"));
        const row = (more) => m.parseRows(`<article class="msg" data-seq="3" data-by="1"${more}></article>`)[0];
        const shown = () => [...document.querySelectorAll(".reply-ref")].map((found) => found.textContent);
        const said = [];
        for (const more of ["", ` data-quotable="coffee &lt;b&gt;"`, ` data-quotable=""`]) {
          rows.requote(row(more));
          said.push(shown()[0]);
        }
        const fresh = row("");
        fresh.innerHTML = `<span class="avatar" data-hue="2">A</span>
          <div class="msg-main"><header class="msg-head"><bdi class="msg-author">Anna</bdi></header></div>`;
        rows.look(fresh);
        return [...said, ...shown()];
        """,
    )
    assert said == ["Anntea", "Anncoffee <b>", "AnnDeleted", "AnnaDeleted", "Annatea"]
