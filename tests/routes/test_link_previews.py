"""Previews of links: who sees them, what they tell, and how they go."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select, update

from chatapp.realtime.wipes import Wipes
from chatapp.tables import audit, deletions, files, links, messages
from tests.routes.people import HTMX, ROOMY, Person, services, somebody
from tests.routes.test_uploads import swept
from tests.support import pictures
from tests.support.asgi import Site
from tests.support.fixtures import MakeSite
from tests.support.web_server import WebServer, answer, leads_to, web_server

PICTURE = pictures.photo("PNG", 1, pictures.halves(640, 480))
PAGE = b"""<!doctype html><html><head><title>No</title>
<meta property="og:title" content="Larkfield &lt;b&gt;ridge&lt;/b&gt; <script>go()</script>">
<meta name=description content="Clear until four.">
<meta property="og:image" content="/pic.png"><meta property=og:site_name content="Forecast"></head></html>"""


@dataclass
class Play:
    site: Site
    web: WebServer
    ann: Person
    bob: Person
    lab: int

    @property
    def url(self) -> str:
        return self.web.origin + "/page"

    async def shows(self, who: Person, seq: int, room: int = 0) -> str:
        """The preview of a message, when it has come."""
        here = (messages.c.room_id == (room or self.lab)) & (messages.c.seq == seq)
        is_there = select(messages.c.seq).where(here, messages.c.preview.is_not(None))
        async with asyncio.timeout(20):
            while not await services(self.site).database.fetch_value(is_there):
                await asyncio.sleep(0.05)
        return self.card(await who.sees(room or self.lab), seq)[0]

    @staticmethod
    def card(page: str, seq: int) -> list[str]:
        row = re.search(rf'<article class="msg[^>]* id="m-{seq}".*?</article>', page, re.DOTALL)
        assert row is not None
        return re.findall(r'<aside class="card preview-card.*?</aside>', row[0], re.DOTALL)

    async def settled(self) -> None:
        """Everything said until now has been looked at: links are, in turn."""
        path = f"/last-{len(self.web.asked)}"
        self.web.answers[path] = answer(b"<title>the last</title>")
        await self.shows(self.ann, await self.ann.says(self.lab, self.web.origin + path))

    async def all(self, table: Any) -> list[Any]:
        return list(await services(self.site).database.fetch_all(select(table)))


@pytest.fixture
async def play(make_site: MakeSite, database_url: str) -> AsyncIterator[Play]:
    async with web_server() as web:
        site = await make_site(
            DATABASE_URL=database_url,
            LIMIT_FACTOR=ROOMY,
            LINK_PREVIEWS="true",
            PUSH_TEST_HOSTS="127.0.0.1",
            ALLOWED_HOSTS="chat.example.org",
        )
        ann, bob = await somebody(site, "Ann Archer"), await somebody(site, "Bob Baker")
        lab = await ann.opens("Lab")
        await bob.joins(lab)
        web.answers |= {"/page": answer(PAGE), "/pic.png": answer(PICTURE, "image/png")}
        yield Play(site, web, ann, bob, lab)


def picture_in(card: str) -> str:
    found = re.search(r'src="(/previews/[\w-]+)"', card)
    assert found is not None, card
    return found[1]


async def test_a_link_shows_title_text_and_a_small_picture_as_plain_text(play):
    seq = await play.bob.says(play.lab, f"see [this]({play.url}) please")
    card = await play.shows(play.ann, seq)
    assert "Larkfield &lt;b&gt;ridge&lt;/b&gt; &lt;script&gt;go()&lt;/script&gt;</a>" in card
    assert "Clear until four." in card
    assert "<bdi>Forecast</bdi>" in card
    assert f'href="{play.url}" target="_blank" rel="noopener noreferrer nofollow ugc"' in card
    assert 'width="320" height="240"' in card
    image = await play.ann.get(picture_in(card))
    assert (image.status_code, image.headers["content-type"]) == (200, "image/webp")
    assert "sandbox" in image.headers["content-security-policy"]
    assert "no-cache" in image.headers["cache-control"]
    assert PICTURE not in image.content
    asked = {"if-none-match": image.headers["etag"]}
    assert (await play.ann.get(picture_in(card), headers=asked)).status_code == 304
    head = play.web.asked[0].lower()
    assert "user-agent: chatapp" in head
    assert "cookie" not in head
    assert "referer" not in head


async def test_it_comes_over_the_line_and_makes_nothing_unread(play):
    async with play.bob.socket() as line:
        epoch = (await line.receive_json("hello"))["epoch"]
        await line.send_json({"type": "watch", "room": play.lab, "cursor": f"{epoch}:0"})
        await line.receive_json("watching")
        seq = await play.ann.says(play.lab, play.url)
        frame = await line.receive_json("changes")
        while "preview-card" not in frame["html"]:
            frame = await line.receive_json("changes")
        assert frame["html"].count(f'id="m-{seq}"') == 1
    assert re.search(r'data-unread="?1"?|>1<', (await play.bob.get("/sidebar")).text) is not None
    assert (await play.bob.get("/search", params={"q": "Larkfield"}, headers=HTMX)).text.count(
        "#m-"
    ) == 0


async def test_what_is_code_or_ours_or_no_page_is_not_looked_at(play):
    bodies = (f"`{play.url}`", f"```\n{play.url}\n```", "https://chat.example.org/rooms/1")
    seqs = [await play.ann.says(play.lab, body) for body in (*bodies, "mailto:a@b.example")]
    await play.settled()
    page = await play.ann.sees(play.lab)
    assert [play.card(page, seq) for seq in seqs] == [[]] * len(seqs)
    assert "/page" not in play.web.paths()


async def test_only_members_have_the_picture_and_only_while_it_is_there(play):
    seq = await play.ann.says(play.lab, play.url)
    path = picture_in(await play.shows(play.ann, seq))
    eve, visitor = await somebody(play.site), Person(play.site)
    for who in (eve, visitor):
        assert (await who.get(path)).status_code == 404
    assert (await play.bob.get(path)).status_code == 200
    await play.bob.leaves(play.lab)
    assert (await play.bob.get(path)).status_code == 404
    await play.ann.post(f"/rooms/{play.lab}/messages/{seq}/delete")
    assert (await play.ann.get(path)).status_code == 404


async def test_its_author_removes_it_for_good(play):
    seq = await play.bob.says(play.lab, play.url)
    path = picture_in(await play.shows(play.bob, seq))
    cat = await somebody(play.site)
    await cat.joins(play.lab)
    remove = f"/rooms/{play.lab}/messages/{seq}/preview/remove"
    assert (await cat.post(remove)).status_code == 403
    assert (await play.bob.post(remove)).status_code == 303
    assert (await play.bob.post(remove, headers=HTMX)).status_code == 204, "twice is once"
    assert (await play.bob.get(path)).status_code == 404
    form = {"body": f"now really {play.url}", "base": "0"}
    await play.bob.post(f"/rooms/{play.lab}/messages/{seq}/edit", form)
    await play.settled()
    assert play.card(await play.bob.sees(play.lab), seq) == []
    await swept(play.site)
    assert play.web.origin + "/page" not in str([row.page for row in await play.all(links)])
    assert await play.all(audit) == []


async def test_who_keeps_order_removes_it_and_that_is_in_the_log(play):
    seq = await play.bob.says(play.lab, play.url)
    await play.shows(play.bob, seq)
    await play.ann.post(f"/rooms/{play.lab}/messages/{seq}/preview/remove")
    assert play.card(await play.bob.sees(play.lab), seq) == []
    assert [(row.action, row.detail) for row in await play.all(audit)] == [("preview", str(seq))]
    log = (await play.ann.get(f"/rooms/{play.lab}/audit")).text
    assert "removed a preview from a message of" in log


async def test_it_goes_with_the_link_and_another_link_brings_another(play):
    play.web.answers["/other"] = answer(b"<title>Another</title>")
    seq = await play.bob.says(play.lab, f"a {play.url}")
    path = picture_in(await play.shows(play.bob, seq))

    async def edits(body: str, base: int) -> None:
        form = {"body": body, "base": str(base)}
        assert (
            await play.bob.post(f"/rooms/{play.lab}/messages/{seq}/edit", form)
        ).status_code == 303

    await edits(f"b {play.url}", 0)
    assert picture_in(play.card(await play.ann.sees(play.lab), seq)[0]) == path
    await edits("no link", 1)
    assert play.card(await play.ann.sees(play.lab), seq) == []
    assert (await play.bob.get(path)).status_code == 404
    await edits(play.web.origin + "/other", 2)
    assert "Another" in await play.shows(play.ann, seq)


async def test_a_deleted_message_takes_it_along_and_brings_it_back(play):
    seq = await play.bob.says(play.lab, play.url)
    path = picture_in(await play.shows(play.bob, seq))
    at = f"/rooms/{play.lab}/messages/{seq}"
    await play.bob.post(at + "/delete")
    assert play.card(await play.ann.sees(play.lab), seq) == []
    await play.bob.post(at + "/restore")
    assert picture_in(play.card(await play.ann.sees(play.lab), seq)[0]) == path
    await play.bob.post(at + "/delete")
    database = services(play.site).database
    async with database.transaction() as tx:
        await tx.execute(update(deletions).values(until=0))
    await Wipes(database).look()
    await swept(play.site)
    assert await play.all(files) == []
    assert await play.all(links) == []


async def test_a_page_is_asked_for_once_a_day_in_each_room(play):
    for _ in range(2):
        await play.shows(play.bob, await play.bob.says(play.lab, play.url))
    assert play.web.paths() == ["/page", "/pic.png"]
    den = await play.bob.opens("Den")
    await play.shows(play.bob, await play.bob.says(den, play.url), den)
    assert play.web.paths() == ["/page", "/pic.png"] * 2, "what is said elsewhere stays unknown"


async def test_a_page_that_leads_inside_or_is_none_shows_nothing(play):
    inside = f"http://localhost:{play.web.port}/page"
    play.web.answers |= {
        "/inside": leads_to(inside),
        "/metadata": leads_to("http://169.254.169.254/latest"),
        "/pdf": answer(b"%PDF", "application/pdf"),
        "/nothing": answer(b"<p>no head"),
        "/broken": answer(b"", status=500),
    }
    paths = ["/inside", "/metadata", "/pdf", "/nothing", "/broken", "/missing"]
    seqs = [await play.bob.says(play.lab, play.web.origin + path) for path in paths]
    seqs += [
        await play.bob.says(play.lab, url)
        for url in (inside, "http://10.0.0.1/", "http://2130706433/", "http://[::1]/", "gopher://x.example/")
    ]  # fmt: skip
    await play.settled()
    page = await play.ann.sees(play.lab)
    assert [play.card(page, seq) for seq in seqs] == [[]] * len(seqs)
    assert play.web.paths()[:-1] == paths


async def test_a_picture_that_is_none_leaves_the_words(play):
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>go()</script></svg>'
    play.web.answers |= {
        "/svg": answer(svg, "image/svg+xml"),
        "/large": answer(PICTURE + bytes(4_000_000), "image/png"),
    }
    pictures = (
        "javascript:alert(1)",
        "data:image/png;base64,AA",
        "http://10.0.0.1/",
        "//[",
        "/svg",
    )
    for n, picture in enumerate((*pictures, "/large")):
        page = f'<title>Words</title><meta property="og:image" content="{picture}">'
        play.web.answers[f"/p{n}"] = answer(page.encode())
        card = await play.shows(play.ann, await play.ann.says(play.lab, f"{play.web.origin}/p{n}"))
        assert "Words" in card
        assert "<img" not in card
        assert "javascript:" not in card


async def test_by_default_nobody_looks(make_site, database_url):
    async with web_server() as web:
        site = await make_site(DATABASE_URL=database_url, PUSH_TEST_HOSTS="127.0.0.1")
        ann = await somebody(site)
        lab = await ann.opens("Lab")
        await ann.says(lab, web.origin + "/page")
        assert services(site).fanout._linked is None
        assert web.asked == []
