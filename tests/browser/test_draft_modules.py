"""The plain logic of unsent words, module by module: see test_modules."""

from tests.browser.conftest import Check, Run

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
