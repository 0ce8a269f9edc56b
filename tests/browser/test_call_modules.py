"""The plain logic of calls, module by module: see test_modules."""

from tests.browser.conftest import Run


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
