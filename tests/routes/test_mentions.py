"""Being named: on the page, in the live frame, in the list of mentions, and in what the message box offers."""

import asyncio

import pytest
from sqlalchemy import select

from chatapp.clock import HeldClock
from chatapp.tables import mentions as rows
from tests.routes.pages import read
from tests.routes.people import HTMX, Person, services, somebody
from tests.routes.test_replies import answers


async def inbox(who):
    """What the page of mentions lists: author, text, address of the message."""
    answer = await who.get("/mentions")
    assert answer.status_code == 200
    listed = read(answer.text).one("ol", aria_label="Unread mentions").all("li")
    return [
        (
            row.one("h2").one("bdi").text,
            row.one("p", class_="inbox-text").text,
            row.one("h2").one("a").attributes["href"],
        )
        for row in listed
    ]


async def replies(who):
    """The replies to somebody that wait: author, text, and whether there are more of them in the thread."""
    page = read((await who.get("/mentions")).text)
    return [
        (
            row.one("h2").one("bdi").text,
            row.one("p", class_="inbox-text").text,
            "and 1 more before" in row.one("p", class_="meta").text,
        )
        for row in page.all("li", class_="list-row")
        if "answered in" in row.text
    ]


async def until(who):
    page = read((await who.get("/mentions")).text)
    return page.one("input", name="until").attributes["value"]


async def badge(who):
    link = read((await who.get("/rooms")).text).one("a", data_mentions="")
    found = link.all("span", data_badge="total")
    return found[0].text.split()[0] if found else ""


async def marks(who, room):
    """Who is named on a room's page: user, text, whether it is the reader; and which rows are marked."""
    page = read(await who.sees(room))
    found = [
        (span.attributes["data-user"], span.text, "me" in span.classes)
        for span in page.all("span", class_="mention")
        if "data-user" in span.attributes
    ]
    return found, [row.attributes["data-seq"] for row in page.all("article", class_="is-mention")]


async def number(who):
    page = read((await who.get("/rooms")).text)
    return page.one("body").attributes["data-me"]


async def test_whoever_is_named_finds_the_message_and_everybody_sees_the_name(ann, bob, lab):
    seq = await ann.says(lab, "could @bob baker look? http://x.example/@Bob")
    bobs = await number(bob)
    assert await marks(bob, lab) == ([(bobs, "@bob baker", True)], [str(seq)])
    assert await marks(ann, lab) == ([(bobs, "@bob baker", False)], [])
    text = "could @bob baker look? http://x.example/@Bob"
    assert await inbox(bob) == [("Ann Archer", text, f"/rooms/{lab}?around={seq}#m-{seq}")]
    assert await badge(bob) == "@1"
    assert await inbox(ann) == []
    assert await badge(ann) == ""


async def test_a_live_frame_has_the_same_html_for_everybody(ann, bob, lab):
    async with ann.socket() as hers, bob.socket() as his:
        for socket in (hers, his):
            epoch = (await socket.receive_json("hello"))["epoch"]
            await socket.send_json({"type": "watch", "room": lab, "cursor": f"{epoch}:2"})
            await socket.receive_json("watching")
        await ann.says(lab, "@Bob Baker & @room")
        html = [(await socket.receive_json("changes"))["html"] for socket in (hers, his)]
    assert html[0] == html[1]
    name = f'<span class="mention" data-user="{await number(bob)}">@Bob Baker</span>'
    assert f'<p>{name} &amp; <span class="mention" data-user="0">@room</span></p>' in html[0]
    page = (await bob.sees(lab)).replace(' class="mention me"', ' class="mention"')
    assert f'{name} &amp; <span class="mention" data-user="0">@room</span></p>' in page


async def test_names_with_markup_do_no_harm(ann, lab):
    name = "<img src=x onerror=alert(1)> \"'>"
    mallory = await Person(ann.site, name, "mallory@people.example").signs_up()
    await mallory.joins(lab)
    await mallory.says(lab, "@Ann Archer <script>alert(1)</script>")
    await ann.says(lab, f"hi @{mallory.name}!")
    for page in (
        await ann.sees(lab),
        (await ann.get("/mentions")).text,
        (await ann.get(f"/rooms/{lab}/members/suggest?q=<img")).text,
    ):
        assert "<img src=x" not in page
        assert "<script>alert" not in page
        assert read(page).all()
    assert (await marks(ann, lab))[0][1][1] == f"@{mallory.name}"


async def test_mentions_are_cleared_row_by_row_or_all_at_once(ann, bob, lab):
    seqs = [await ann.says(lab, f"@Bob Baker {n}") for n in range(4)]
    assert [row[1] for row in await inbox(bob)] == [f"@Bob Baker {n}" for n in (3, 2, 1, 0)]
    answer = await bob.post(f"/rooms/{lab}/mentions/{seqs[1]}/clear", headers=HTMX)
    assert (answer.status_code, answer.text) == (200, "")
    answer = await bob.post(f"/rooms/{lab}/mentions/{seqs[1]}/clear")
    assert answer.headers["location"] == "/mentions"
    assert len(await inbox(bob)) == 3
    assert await badge(bob) == "@3"
    page = read((await bob.get("/mentions")).text)
    until = page.one("input", name="until").attributes["value"]
    await bob.post("/mentions/clear", {"until": "nonsense"})
    await bob.post("/mentions/clear", {"until": str(int(until) - 100_000)})
    assert len(await inbox(bob)) == 3
    await bob.post("/mentions/clear", {"until": until})
    assert await inbox(bob) == []


async def test_replies_to_somebody_wait_below_a_row_for_each_thread(ann, bob, cat, lab):
    await cat.joins(lab)
    tea, cake = await ann.says(lab, "Tea?"), await ann.says(lab, "Cake?")
    yes = await answers(bob, lab, tea, "Yes.")
    await answers(bob, lab, yes, "I mean it")  # to himself
    await answers(cat, lab, yes, "He does")  # to Bob
    await answers(cat, lab, tea, "Me too")
    await answers(cat, lab, cake, "Not for @Ann Archer")
    assert [row[1] for row in await inbox(ann)] == ["Not for @Ann Archer"]
    assert await replies(ann) == [("Cat Carver", "Me too", True)]
    assert await replies(bob) == [("Cat Carver", "He does", False)]
    assert await replies(cat) == []
    form = (
        read((await ann.get("/mentions")).text)
        .one("section", aria_labelledby="replies-t")
        .one("form")
    )
    fields = {field.attributes["name"]: field.attributes["value"] for field in form.all("input")}
    cleared = await ann.post(form.attributes["action"], fields, headers=HTMX)
    assert (cleared.status_code, cleared.text) == (200, "")
    assert await replies(ann) == []
    await answers(bob, lab, tea, "Still")
    assert await replies(ann) == [("Bob Baker", "Still", False)]
    assert (await ann.post(form.attributes["action"], fields)).headers["location"] == "/mentions"
    assert await replies(ann) == [("Bob Baker", "Still", False)], "it was not on the page then"
    await ann.post("/mentions/clear", {"until": await until(ann)})
    assert (await inbox(ann), await replies(ann)) == ([], [])


async def test_replies_are_for_members_who_have_not_read_and_want_to_hear(ann, bob, lab):
    tea = await ann.says(lab, "Tea?")
    await answers(bob, lab, tea, "Yes.")
    await ann.post(f"/rooms/{lab}/threads/{tea}/follow", {"follow": "off"})
    assert await replies(ann) == []
    await ann.post(f"/rooms/{lab}/threads/{tea}/follow", {"follow": "on"})
    assert len(await replies(ann)) == 1
    await ann.post(f"/rooms/{lab}/read")
    assert await replies(ann) == []
    await answers(bob, lab, tea, "Well?")
    assert len(await replies(ann)) == 1
    await ann.leaves(lab)
    assert await replies(ann) == []


async def test_a_long_message_is_shown_around_the_name(ann, bob, lab):
    await ann.says(lab, f"{'x' * 500} well, @Bob Baker, {'y' * 500}")
    ((_, text, _),) = await inbox(bob)
    assert text.startswith("… x")
    assert "x well, @Bob Baker, y" in text
    assert len(text) < 450


async def test_what_is_read_is_listed_no_more(ann, bob, lab):
    await ann.says(lab, "@Bob Baker")
    page = read((await bob.get("/mentions")).text)
    assert [row.one("bdi").text for row in page.one("ul", class_="inbox").all("h3")] == ["Lab"]
    answer = await bob.post(f"/rooms/{lab}/read", {"back": "mentions"})
    assert answer.headers["location"] == "/mentions"
    assert await inbox(bob) == []
    assert "inbox-rooms" not in (await bob.get("/mentions")).text


async def test_only_rooms_one_is_in_at_that_moment_are_listed(ann, bob, cat, lab):
    seq = await ann.says(lab, "@Bob Baker the safe opens with 4711")
    await bob.leaves(lab)
    visitor = ann.elsewhere()
    for outsider in (bob, cat):
        assert await inbox(outsider) == []
        assert await badge(outsider) == ""
        answer = await outsider.post(f"/rooms/{lab}/mentions/{seq}/clear")
        assert answer.status_code == 403
        assert (await outsider.get(f"/rooms/{lab}/members/suggest?q=a")).status_code == 403
    for path in ("/mentions", f"/rooms/{lab}/members/suggest"):
        assert (await visitor.get(path)).headers["location"].startswith("/sign-in")
    kit = ann.site.app.state.services
    (row,) = await kit.database.fetch_all(select(rows))
    assert not row.is_cleared
    await bob.joins(lab)
    assert await inbox(bob) == []  # they come back to a room that they begin anew


async def test_nobody_clears_what_names_somebody_else(ann, bob, lab):
    seq = await ann.says(lab, "@Bob Baker")
    assert (await ann.post(f"/rooms/{lab}/mentions/{seq}/clear")).status_code == 303
    await ann.post("/mentions/clear", {"until": "9999999999999"})
    assert len(await inbox(bob)) == 1


async def test_here_names_those_who_are_there(ann, bob, cat, lab):
    await cat.joins(lab)
    async with bob.socket() as his:
        await his.send_json({"type": "presence", "state": "here"})
        presence = services(ann.site).presence
        async with asyncio.timeout(10):
            while not presence.present(lab):
                await asyncio.sleep(0.01)
        await ann.says(lab, "@here now?")
    assert (len(await inbox(bob)), len(await inbox(cat))) == (1, 0)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", ["Cat Carver", "Bob Baker", "Dan Bakerson"]),  # who spoke last comes first
        ("b", ["Bob Baker", "Dan Bakerson"]),
        ("BAKER", ["Bob Baker", "Dan Bakerson"]),
        ("bob b", ["Bob Baker"]),
        ("aker", []),
        ("%", []),
        ("ann", []),  # nobody needs to name themselves
    ],
)
async def test_the_message_box_offers_members(ann, bob, cat, lab, typed, expected):
    for who in (cat, await somebody(ann.site, "Dan Bakerson")):
        await who.joins(lab)
    await somebody(ann.site, "Bob Outsider")
    await bob.says(lab, "one")
    await cat.says(lab, "two")
    answer = await ann.get(f"/rooms/{lab}/members/suggest", params={"q": typed})
    options = read(answer.text).all("div", role="option")
    names = [option.attributes["data-name"] for option in options]
    assert names == expected + ([] if typed else ["here", "room"])


async def test_only_who_may_call_everybody_is_offered_it(ann, bob, lab):
    offered = {}
    for who in (ann, bob):
        answer = await who.get(f"/rooms/{lab}/members/suggest?q=ro")
        offered[who.name] = [o.attributes["data-name"] for o in read(answer.text).all("div")]
    assert offered == {"Ann Archer": ["room"], "Bob Baker": []}


async def test_nobody_calls_everybody_all_the_time(make_site, database_url):
    site = await make_site(clock=HeldClock(1000.0), DATABASE_URL=database_url)
    ann, bob = await somebody(site, "Ann Archer"), await somebody(site, "Bob Baker")
    lab = await ann.opens("Lab")
    await bob.joins(lab)
    answers = [(await ann.tries_to_say(lab, f"@Room {n}")).status_code for n in range(12)]
    assert answers.count(429) == 2
    assert (await ann.tries_to_say(lab, "@Bob Baker")).status_code == 200
