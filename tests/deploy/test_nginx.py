"""Ordinary days behind nginx: people talk, pages come packed, and files once."""

import gzip
from uuid import uuid4

import httpx
import pytest

from chatapp.realtime.pulse import ROUND_SECONDS
from chatapp.static_files import STATIC, static_version
from tests.cases.callers import Caller
from tests.cases.pair import Pair
from tests.deploy import shipped as files
from tests.deploy.conftest import Shipped, by_hand
from tests.deploy.shipped import ShippedNginx
from tests.routes.people import JSON
from tests.support import run_folder

CSS = f"/static/{static_version()}/css/app.css"


@pytest.mark.parametrize("tls", [False, True])
def test_nginx_accepts_the_files_as_they_are_shipped(tmp_path, tls):
    said = ShippedNginx(tmp_path / "nginx", ["127.0.0.1:8001", "127.0.0.1:8002"], tls=tls).check()
    assert said.returncode == 0, said.stderr


async def test_ann_and_bob_talk_through_nginx_over_both_replicas(
    pair: Pair, front: ShippedNginx, ann: Caller, bob: Caller
):
    room = await ann.opens(front, f"Lab {uuid4()}")
    await bob.joins(front, room)
    before = len(front.visits_so_far(path="/ws", status=101))
    async with ann.line(front) as hers, bob.line(front) as his:
        for line in (hers, his):
            await line.watches(room)
        for who, words in ((hers, "hello Bob"), (his, "hello Ann")):
            assert (await who.answer(await who.says(room, words)))["type"] == "ack"
            for line in (hers, his):
                await line.hears(words)
        assert (await ann.posts(front, room, "and by a form")).status_code == 200
        for line in (hers, his):
            await line.hears("and by a form")
    assert await bob.reads(front, room) == ["hello Bob", "hello Ann", "and by a form"]
    visits = await front.visits(before + 2, path="/ws", status=101)
    served = {visit["replica"] for visit in visits[before:]}
    assert served == {each.url.removeprefix("http://") for each in pair}, "one socket each"


async def test_a_page_asked_for_twice_comes_over_lines_that_stay_open(
    front: ShippedNginx, ann: Caller
):
    answers = [await ann.at(front).get("/rooms") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].headers["content-encoding"] == "gzip"
    assert answers[0].headers["cache-control"] == "no-store"
    assert answers[0].headers["server"] == "nginx", "without a version"
    assert len(answers[0].headers.get_list("content-security-policy")) == 1


async def test_a_file_is_asked_for_once_and_travels_packed(front: ShippedNginx):
    async with httpx.AsyncClient(base_url=front.url) as browser:
        async with browser.stream("GET", CSS, headers={"Accept-Encoding": "gzip"}) as answer:
            raw = b"".join([part async for part in answer.aiter_raw()])
        assert gzip.decompress(raw) == (STATIC / "css/app.css").read_bytes()
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "Accept-Encoding"
        known = {"Accept-Encoding": "gzip", "If-None-Match": answer.headers["etag"]}
        again = await browser.get(CSS, headers=known)
        assert (again.status_code, again.content) == (304, b"")
        plain = await browser.get(CSS, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == gzip.decompress(raw)


async def test_the_log_of_visits_holds_no_queries_and_names_the_request(
    front: ShippedNginx, ann: Caller
):
    answer = await ann.at(front).get("/rooms", params={"q": "a private matter"})
    (line,) = await front.visits(1, request=answer.headers["x-request-id"])
    assert line["path"] == "/rooms"
    assert (line["method"], line["status"], line["address"]) == ("GET", 200, "127.0.0.1")
    for secret in ("private", ann.cookie):
        assert secret not in front.access_log.read_text()


async def test_the_log_of_visits_holds_no_link_that_lets_people_in(
    front: ShippedNginx, ann: Caller
):
    for path in ("/invite/", "/recover/", "/join/"):
        answer = await ann.at(front).get(f"{path}a-secret-token")
        (line,) = await front.visits(1, request=answer.headers["x-request-id"])
        assert (line["path"], line["status"]) == (f"{path}…", 404)
    assert "a-secret-token" not in front.access_log.read_text()


async def test_the_figures_are_for_monitoring_alone_which_asks_each_replica(front: ShippedNginx):
    async with httpx.AsyncClient(base_url=front.url) as visitor:
        assert (await visitor.get("/metrics")).status_code == 404
        assert (await visitor.get("/ready")).status_code == 200


def test_a_quiet_socket_outlives_several_pings():
    """EDG-03. The long form, below, waits."""
    seconds = files.value("proxy_read_timeout", "chatapp.conf", after="location = /ws")
    assert int(seconds.removesuffix("s")) > 2 * ROUND_SECONDS


def test_a_line_to_a_replica_is_given_up_before_the_replica_does():
    """Else a POST may be on its way when uvicorn hangs up, and nginx may not send it twice."""
    kept = files.value("keepalive_timeout", "nginx.conf", after="upstream chatapp")
    main = (run_folder.ROOT / "chatapp" / "__main__.py").read_text()
    assert f"timeout_keep_alive={2 * int(kept.removesuffix('s'))}," in main


@pytest.mark.faults
async def test_a_quiet_socket_stays_open_and_hears_what_is_said_at_last(
    pair: Pair, shipped: Shipped, ann: Caller, bob: Caller
):
    """EDG-03: behind an nginx of less patience than ours, for three times as long as that."""
    hasty = shipped(pair.first.url, other={"proxy_read_timeout 60s": "proxy_read_timeout 20s"})
    room = await ann.opens(pair.first, "Quiet room")
    await bob.joins(pair.first, room)
    async with bob.line(hasty) as his:
        await his.watches(room)
        await his.frame("beat", 4, seconds=90)
        await ann.posts(pair.first, room, "hi")
        await his.hears("hi")
        assert his.socket.close_code is None


async def test_a_large_file_goes_through_nginx_and_is_there_at_both_replicas(
    front: ShippedNginx, ann: Caller
):
    room = f"/rooms/{await ann.opens(front, f'Files {uuid4()}')}"
    content = bytes(range(256)) * 20_000  # more than any form may have
    asked = ann.at(front)
    sent = await asked.post(
        f"{room}/files", params={"name": "large.bin"}, content=content, headers=JSON
    )
    assert sent.status_code == 201, sent.text
    said = {"key": str(uuid4()), "body": "", "files": sent.json()["id"]}
    assert (await asked.post(f"{room}/messages", data=said, headers=JSON)).status_code == 200
    for _ in range(4):  # in turns
        fetched = await asked.get(f"/files/{sent.json()['id']}/large.bin")
        assert (fetched.status_code, fetched.content == content) == (200, True)
    head = f"POST {room}/files HTTP/1.1\r\nHost: {front.host}\r\nContent-Length: {2**31}\r\n\r\n"
    async with by_hand(front, head.encode()) as answer:
        assert b" 413 " in await answer.readline()
