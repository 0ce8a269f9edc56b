"""What people type is text: in messages, names, topics, searches, and wherever those are shown."""

from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.routes import pages
from tests.routes.people import HTMX, Person, somebody


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tried here does not depend on the database."""
    return sqlite_url


CORPUS = [
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](jav&#x09;ascript:alert(1))",
    "[a](<java\tscript:alert(1)>)",
    "[a](&#1;javascript:alert(1))",
    "[a](javascript&colon;alert(1))",
    "[a\nb]( javascript:alert(1))",
    "[a](data:text/html,<script>alert(1)</script>)",
    "[a](vbscript:x)",
    "<javascript:alert(1)>",
    '![a](x" onerror="alert(1))',
    '[a](https://x.example "t" onmouseover=alert(1))',
    "[r]: javascript:alert(1)\n[go][r]",
    "<img src=x onerror=alert(1)>",
    '```"><svg onload=alert(1)>\n```',
    '<div hx-get="/sign-out" hx-trigger="load">x</div>',
    '<a href="/x" hx-post="/rooms/1/delete">x</a>',
    '<a title="<hx-x onclick=alert(1) y=">x</a>',
    "<hx-partial hx-target='#content'>x</hx-partial>",
    '<p id="content" hx-swap-oob="true">x</p>',
    "<i data-hx-on:click='alert(1)' hx-ws:connect='//evil.example'>x</i>",
    "<title>gone</title><base href=//evil.example><meta http-equiv=refresh content=0>",
    "</p></div></article><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "<!-- <p> -->",
    "<![CDATA[x]]>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x&#62;",
    "'\"><svg/onload=alert(1)>",
    "https://x.example/\"onmouseover=\"alert(1)",
    "https://x.example/'onmouseover='alert(1)",
    "https://x.example/<script>alert(1)</script>",
    "https://x.example/`<img>",
    "<img src=x onerror=alert(1)> https://x.example/ <svg onload=alert(1)>",
    "https://x.example/ <b> https://y.example/ <i hx-get=/x>",
    'https://"><svg onload=alert(1)>.example/',
    "https://x.example\\@evil.example/",
    "{{ 7*7 }}{% raw %}",
    "{html: 1} %(name)s {0} {name}",
    "<template><style>*{display:none}</style></template>",
    '{"type":"changes","target":"#admin","swap":"innerHTML"}',
]  # fmt: skip
ALLOWED_IN_BODIES = {"p": set(), "a": {"href", "rel", "target"}, "div": {"class", "dir"}}


def check(html: str) -> None:
    """Nothing in it could run, send or load anything that our own templates did not write."""
    for tag in pages.start_tags(html):
        assert "<" not in tag[1:], f"a raw < inside {tag}"
    for element in pages.read(html).everything(templates=True):
        for name, value in element.attributes.items():
            assert not name.startswith("on"), element
            if name in {"href", "src", "action", "formaction"}:
                assert ":" not in value.split("/")[0] or value.lower().startswith(
                    ("http://", "https://")
                ), element
        if element.tag == "script":
            assert element.attributes["src"].startswith("/static/"), element
            assert element.text == ""
        assert element.tag not in {"style", "base", "iframe", "object", "embed"}, element


def shape(html: str) -> list[tuple[str, tuple[str, ...]]]:
    """Tags and names of attributes, without the links inside messages."""
    tree = pages.read(html)
    inside = {
        id(link) for body in tree.all("div", class_="msg-body") for link in body.all("a")
    }  # fmt: skip
    return [
        (element.tag, tuple(sorted(element.attributes)))
        for element in tree.everything()
        if id(element) not in inside
    ]


async def test_a_message_is_text_on_the_page_in_a_piece_of_history_and_in_a_frame(roomy):
    ann = await somebody(roomy)
    room = await ann.opens("Lab")
    async with ann.socket() as socket:
        epoch = (await socket.receive_json("hello"))["epoch"]
        await socket.send_json({"type": "watch", "room": room, "cursor": f"{epoch}:1"})
        await socket.receive_json("watching")
        await ann.says(room, "plain words")
        plain = (await socket.receive_json("changes"))["html"]
        for text in CORPUS:
            seq = await ann.says(room, text)
            frame = (await socket.receive_json("changes"))["html"]
            path = f"/rooms/{room}/messages?after={seq - 1}"
            piece = (await ann.get(path, headers=HTMX)).text
            for html in (frame, piece):
                check(html)
                assert pages.bodies(html) == [text]
                for element in pages.read(html).one("div", class_="msg-body").everything():
                    assert set(element.attributes) <= ALLOWED_IN_BODIES[element.tag]
            assert shape(frame) == shape(plain)
    page = await ann.sees(room)
    check(page)
    assert pages.bodies(page) == ["plain words", *CORPUS]


async def test_a_message_that_is_refused_stands_in_the_form_as_text(roomy):
    ann = await somebody(roomy)
    room = await ann.opens("Lab")
    for corpus in CORPUS:
        text = f"{corpus}\n{'x' * 4000}"
        answer = await ann.post(f"/rooms/{room}/messages", {"body": text, "key": str(uuid4())})
        assert answer.status_code == 422
        check(answer.text)
        assert pages.typed(answer.text, "composer") == text


async def everywhere(
    ann: Person, cat: Person, room: int, turn: int | None = None
) -> dict[int, str]:
    """Every page that shows a room, its topic or the people in it; of `turn`, a third of them."""
    found: dict[int, str] = {}
    number = -1
    for person, paths in (
        (ann, (f"/rooms/{room}", f"/rooms/{room}/settings", f"/rooms/{room}/members", "/settings")),
        (ann, ("/rooms", "/rooms/new", "/sidebar", f"/rooms/{room}/messages", "/nothing")),
        (cat, (f"/rooms/{room}", "/rooms", "/rooms?show=others", f"/rooms/{room}/settings")),
    ):
        for path in paths:
            number += 1
            if turn is not None and (number + turn) % 3:
                continue
            headers = HTMX if path.endswith(("/sidebar", "/messages")) else {}
            found[number] = (await person.get(path, headers=headers)).text
    return found


@pytest.mark.parametrize(
    "whole", [False, pytest.param(True, marks=pytest.mark.faults)], ids=["some", "all"]
)
async def test_names_and_topics_are_text_on_every_page(roomy, whole):
    """Each text on a third of the pages, by turns; with `make faults` each on all."""
    ann, cat = await somebody(roomy), await somebody(roomy)
    first = await everywhere(ann, cat, await ann.opens("Plain", "words"))
    plain = {number: shape(html) for number, html in first.items()}
    (hue,) = pages.read((await ann.get("/settings")).text).all("input", name="hue", checked="")
    shown = 0
    for turn, text in enumerate(CORPUS):
        name = " ".join(text[:64].split())
        await ann.post("/rooms/1/settings", {"name": name, "topic": text})
        await ann.post("/settings/profile", {"name": name, "hue": hue.attributes["value"]})
        ann.client.cookies.delete("notice")
        seen = await everywhere(ann, cat, 1, None if whole else turn)
        for number, html in seen.items():
            check(html)
            if number not in GROWING:
                assert shape(html) == plain[number], f"{name} on page {number}"
        shown += name in pages.read((await ann.get("/rooms")).text).text
    assert shown == len(CORPUS)


GROWING = {0, 7}  # the pages of `everywhere` that hold an event for each change


async def test_what_was_typed_into_other_forms_comes_back_as_text(roomy):
    ann, visitor = await somebody(roomy), Person(roomy)
    room = await ann.opens("Lab")
    plain = await visitor.post("/sign-in", {"email": "x", "password": "y", "next": "z"})
    for text in CORPUS:
        answers = [
            await visitor.post("/sign-in", {"email": text, "password": text, "next": text}),
            await visitor.post("/sign-up", {"name": text, "email": text, "next": text}),
            await visitor.get("/sign-in", params={"next": text}),
            await ann.get("/rooms", params={"q": text, "show": text, "page": text}),
            await ann.get(f"/rooms/{room}/members", params={"q": text}),
            await ann.get("/sidebar", params={"room": text, "path": text}),
            await ann.post("/rooms", {"name": "\u202e" + text, "topic": text}),
            await ann.post(f"/rooms/{room}/delete", {"confirm": text}),
            await ann.post("/settings/profile", {"name": "\u202e" + text, "hue": text}),
            await ann.post("/settings/theme", {"theme": text}),
            await ann.get("/" + quote(text)),
        ]
        for answer in answers:
            assert answer.status_code < 500
            check(answer.text)
        assert pages.typed(answers[0].text, "email") == text
        assert shape(answers[0].text) == shape(plain.text)
