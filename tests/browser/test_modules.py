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


# -- calls --------------------------------------------------------------------


async def test_the_length_of_a_call_reads_like_a_clock(run: Run):
    lengths = await run("call/page", "return [0, -5, 59_999, 307_000, 3_907_000].map(m.clockOf);")
    assert lengths == ["0:00", "0:00", "0:59", "5:07", "1:05:07"]


async def test_the_more_people_the_less_goes_to_each(run: Run):
    steps = await run("call/quality", "return [0, 1, 2, 3, 4, 5].map((n) => m.stepFor(n).camera);")
    assert steps == sorted(steps, reverse=True)
    total = [rate * others for others, rate in enumerate(steps)]
    assert max(total) <= 2_500_000, "what a slow line can send"


async def test_the_last_word_about_a_call_counts(run: Run):
    started, ended = '<p data-kind="call">', '<p data-kind="call_ended">'
    rows = [started, ended, started + ended, ended + started, "<article>"]
    assert await run("calls", f"return {rows}.map(m.hasEnded);") == [
        False,
        True,
        True,
        False,
        False,
    ]


# -- unsent words -------------------------------------------------------------

DRAFT = """
    const sent = [], shown = []; let kept = null, quiet = 0, line = true;
    const record = { get: () => kept, put: (it) => { kept = it; }, remove: () => { kept = null; } };
    const draft = new m.Draft({ tab: "here", record, quiet: () => quiet,
      send: (frame) => { if (line) sent.push(frame); return line; }, show: (text) => shown.push(text) });
    const stored = (at, body, tab = "there") => ({ at, body, tab });
"""


async def test_two_texts_that_know_nothing_of_each_other_both_stay(check: Check):
    texts = [
        ("one", "two", "one\n\ntwo"),
        ("one", "one and two", "one and two"),
        ("one and two", "two", "one and two"),
        ("", "two", "two"),
        ("one", "", "one"),
    ]
    joined = {f"m.joined({theirs!r}, {ours!r})": both for theirs, ours, both in texts}
    await check("draft", joined)


async def test_a_draft_is_what_the_server_takes(check: Check):
    texts = [
        ("' a '", " a "),
        ("' \\n'", ""),
        (r"'\u200b'", ""),
        (r"'a\u0000b\u001bc'", "abc"),
        (r"'a\ud800b'", "a\ufffdb"),
    ]
    await check("draft", {f"m.regular({typed})": kept for typed, kept in texts})


async def test_words_stay_on_the_device_until_the_server_says_that_it_has_them(run: Run):
    said = await run(
        "draft",
        DRAFT
        + """
        draft.start(stored(0, "", ""), null);
        draft.type("Earl"); draft.flush();
        const before = [sent, kept.text];
        draft.type("Earl Grey");
        draft.heard(stored(5, "Earl", "here"));
        const between = draft.isSaved;
        draft.flush();
        draft.heard(stored(6, "Earl Grey", "here"));
        return [before, between, draft.isSaved, kept, shown];
        """,
    )
    frames = [
        {"base": base, "body": body, "tab": "here"}
        for base, body in ((0, "Earl"), (5, "Earl Grey"))
    ]
    assert said == [[frames, "Earl"], False, True, None, []]


async def test_what_comes_from_elsewhere_waits_for_quiet_and_undoes_nothing(run: Run):
    said = await run(
        "draft",
        DRAFT
        + """
        draft.start(stored(5, "Earl"), null);
        quiet = 20;
        draft.heard(stored(6, "Earl Grey"));
        const early = [...shown];
        quiet = 0; await new Promise((done) => setTimeout(done, 60));
        const late = [...shown];
        quiet = 20;
        draft.heard(stored(7, "Assam"));
        draft.type("Earl Grey at"); draft.flush();
        const typing = [draft.text, sent.length, kept.text, kept.base];
        quiet = 0; await new Promise((done) => setTimeout(done, 60));
        return [early, late, typing, shown.at(-1), sent];
        """,
    )
    both = "Assam\n\nEarl Grey at"
    typing = ["Earl Grey at", 0, "Earl Grey at", 6]
    assert said == [
        [],
        ["Earl Grey"],
        typing,
        both,
        [{"base": 7, "body": both, "tab": "here"}],
    ]


async def test_what_is_part_of_what_is_typed_waits_for_nothing(run: Run):
    """The other device has sent, or had the beginning of it."""
    said = await run(
        "draft",
        DRAFT
        + """
        draft.start(stored(5, "Earl"), null);
        quiet = 1000;
        for (const [at, body] of [[6, "Earl Grey"], [7, ""]]) {
          draft.type(`Earl Grey at ${at}`);
          draft.heard(stored(at, body));
          draft.flush();
        }
        return [shown, sent.map(({ base }) => base)];
        """,
    )
    assert said == [[], [6, 7]]


async def test_an_answer_that_was_lost_with_the_line_makes_no_text_double(run: Run):
    said = await run(
        "draft",
        DRAFT
        + """
        draft.start(stored(5, "Earl"), null);
        draft.type("Earl Gray"); draft.flush();
        line = false; draft.type("Earl Grey"); draft.flush();
        line = true; draft.back();
        draft.heard(stored(6, "Earl Gray", "here"));
        draft.flush();
        const again = new m.Draft({ tab: "next page", record, send: () => true });
        again.start(stored(6, "Earl Gray", "here"), null);
        return [shown, draft.text, sent.at(-1).base, again.text];
        """,
    )
    assert said == [[], "Earl Grey", 6, "Earl Grey"]


async def test_a_tab_leaves_alone_what_another_one_keeps_on_the_device(run: Run):
    kept = await run(
        "draft",
        DRAFT
        + """
        draft.start(stored(5, "Earl"), null);
        kept = { text: "of another tab", base: 5, tabs: ["other"] };
        draft.flush();
        return kept.text;
        """,
    )
    assert kept == "of another tab"


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


async def test_in_a_new_conversation_who_proves_to_be_there_in_a_moment_is_rung_too(run: Run):
    """Who is there is told once a second: a call may be quicker than that."""
    rung = await run(
        "call/people",
        """
        document.body.innerHTML = `
          <template id="tpl-call-words"><span></span></template>
          <aside><ul data-in-call-list></ul><b data-in-call></b><div><ul data-others>${[2, 3, 4].map((id) => `
            <li data-user="${id}"><i class="avatar"></i><button data-ring></button><em data-ring-state></em></li>`)
            .join("")}</ul></div></aside>`;
        const heard = {}, rung = [];
        const socket = { on: (kind, take) => { heard[kind] = take; }, send: ({ user }) => rung.push(user) };
        const people = new m.People({ pane: document.querySelector("aside"), room: 1, me: "1", socket });
        const present = (who, whole = false) => heard.presence({ room: 1, here: 1, people: who, whole });
        let now = 1000;
        Date.now = () => now;
        people.draw([], () => undefined, true);
        present({ 2: "online" }, true);
        people.ringAll();
        now += 2000;
        present({ 3: "online" });
        now += 2000;
        present({ 4: "online" });
        return rung;
        """,
    )
    assert rung == [2, 3]
