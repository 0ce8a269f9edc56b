"""Files in messages: who sees them, how they are fetched, and that they go with their message."""

import asyncio
import re
from uuid import uuid4

import pytest
from sqlalchemy import update

from chatapp.realtime.indexer import Indexer
from chatapp.realtime.wipes import Wipes
from chatapp.tables import deletions
from tests.routes.filing import DOT, at, says_with, sends, shows
from tests.routes.people import HTMX, services
from tests.routes.test_uploads import stored, swept
from tests.support import pictures

# -- in messages ---------------------------------------------------------------------


async def test_files_need_no_words_and_stand_in_the_room_with_their_sizes(ann, bob, lab):
    wide = pictures.photo("PNG", 1, pictures.halves(1600, 400))
    picture = await sends(ann, lab, "wide <b>.png", wide)
    sound = await sends(ann, lab, "a.mp3", b"ID3" + bytes(100))
    film = await sends(ann, lab, "a.mp4", b"\0\0\0\x20ftypisom" + bytes(100))
    paper = await sends(ann, lab, "paper.pdf", b"%PDF-1.7" + bytes(1_300_000))
    await says_with(ann, lab, picture, sound, film, paper)
    seen = await bob.sees(lab)
    assert 'width="416" height="104" alt="wide &lt;b&gt;.png"' in seen
    assert f'href="/files/{picture}/wide%20%3Cb%3E.png"' in seen
    assert f'<audio class="audio-card" src="/files/{sound}/a.mp3" controls' in seen
    assert f'<video class="card video-card" src="/files/{film}/a.mp4" controls' in seen
    assert "1.3\u00a0MB" in seen
    assert ">PDF<" in seen


async def test_a_message_without_words_and_files_is_none(ann, lab):
    answer = await ann.tries_to_say(lab, "", files="")
    assert (answer.status_code, answer.json()["code"]) == (422, "message_empty")


async def test_files_are_sent_over_the_line_too(ann, bob, lab):
    id_, key = await sends(bob, lab, "dot.png", DOT), str(uuid4())
    async with bob.socket() as line:
        await line.receive_json("hello")
        frame = {"type": "post", "room": lab, "key": key, "body": "", "files": [id_]}
        for _ in range(2):  # sent again, it is the same message
            await line.send_json(frame)
            seq = (await line.receive_json("ack"))["seq"]
        await line.send_json({**frame, "files": []})
        assert (await line.receive_json("refused"))["code"] == "message_empty"
        await line.send_json({**frame, "files": [], "body": "other words"})
        assert (await line.receive_json("refused"))["code"] == "key_reused"
    assert f'data-seq="{seq}"' in await ann.sees(lab)
    assert (await ann.sees(lab)).count('alt="dot.png"') == 1


@pytest.mark.parametrize("files", ["x", "A" * 24, "../../../../etc/passwd00", "a b c", "é" * 24])
async def test_files_that_are_not_there_are_refused(ann, lab, files):
    answer = await ann.tries_to_say(lab, "words", files=files)
    assert (answer.status_code, answer.json()["code"]) == (422, "file_gone")


async def test_only_one_s_own_files_of_this_room_can_be_sent(ann, bob, lab):
    mine, theirs = await sends(ann, lab, "a"), await sends(bob, lab, "b")
    elsewhere = await sends(ann, await ann.opens("Den"), "c")
    for ids in (theirs, elsewhere, f"{mine} {theirs}", f"{mine} {mine}"):
        answer = await ann.tries_to_say(lab, "words", files=ids)
        assert answer.json()["code"] == "file_gone", ids
    await says_with(ann, lab, mine)


async def test_a_message_has_ten_files_at_most(ann, lab):
    ids = [await sends(ann, lab, f"{n}") for n in range(11)]
    answer = await ann.tries_to_say(lab, "", files=" ".join(ids))
    assert (answer.status_code, answer.json()["code"]) == (422, "files_many")
    await says_with(ann, lab, *ids[:10])


async def test_of_two_messages_at_once_with_one_file_one_has_it(ann, lab):
    id_ = await sends(ann, lab, "x")
    both = await asyncio.gather(*(ann.tries_to_say(lab, f"{n}", files=id_) for n in range(2)))
    assert sorted(answer.status_code for answer in both) == [200, 422]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a.png"], "Picture"),
        (["a.png", "b.png"], "2 pictures"),
        (["notes.txt"], "notes.txt"),
        (["a.png", "notes.txt"], "2 files"),
    ],
)
async def test_what_quotes_and_lists_say_of_files_alone(ann, bob, lab, names, words):
    ids = [await sends(ann, lab, name, DOT if "png" in name else b"hi") for name in names]
    seq = await says_with(ann, lab, *ids)
    await bob.tries_to_say(lab, "nice", reply=str(seq))
    await bob.post(f"/rooms/{lab}/messages/{seq}/pin", {"on": "true"})
    quoted = re.search(r'class="reply-ref".*?</a>', await bob.sees(lab), re.DOTALL)
    assert quoted is not None
    assert f">{words}<" in quoted[0]
    assert words in (await bob.get(f"/rooms/{lab}/pins")).text
    assert words in (await ann.get("/threads")).text


async def test_a_notice_says_what_came(ann, bob, lab):
    await shows(ann, lab, "a.png", DOT)
    assert "Picture" in (await bob.get(f"/rooms/{lab}/notice")).text


async def test_search_finds_files_by_their_names_and_what_was_said_with_them(ann, bob, lab):
    await shows(ann, lab, "budget 2026.pdf", b"%PDF-1.4")
    id_ = await sends(ann, lab, "b.txt")
    await says_with(ann, lab, id_, body="the plan")
    await ann.says(lab, "budget without a file")

    async def hits(query: str) -> int:
        page = (await bob.get("/search", params={"q": query}, headers=HTMX)).text
        return len(set(re.findall(r"#m-(\d+)", page)))

    for _ in range(2):  # before the index has them, and after
        assert await hits("has:file") == 2
        assert await hits("has:file budget") == 1
        assert await hits("has:file plan") == 1
        assert await hits("has:file nothing") == 0
        assert await hits("budget") == 1
        await Indexer(services(ann.site).database).catch_up()


# -- fetching ------------------------------------------------------------------------


async def test_a_file_is_for_members_at_that_moment(ann, bob, cat, lab):
    id_ = await shows(ann, lab, "dot.png", DOT)
    nobody = await cat.get("/files/" + "A" * 24 + "/x")
    for path in (at(id_, "dot.png"), f"/thumbnails/{id_}"):
        assert (await bob.get(path)).status_code == 200
        outside = await cat.get(path)
        assert outside.status_code == 404
        assert _plain(outside.text) == _plain(nobody.text)
        assert (await cat.elsewhere().get(path)).status_code == 404
    etag = (await bob.get(at(id_))).headers["etag"]
    await bob.leaves(lab)
    for path in (at(id_), f"/thumbnails/{id_}"):
        assert (await bob.get(path)).status_code == 404
        assert (await bob.get(path, headers={"If-None-Match": etag})).status_code == 404


def _plain(page: str) -> str:
    """Without the number of the request, and where it went."""
    return re.sub(r"[0-9a-f]{16}|/(files|thumbnails)/\S+", "", page)


async def test_what_is_not_sent_yet_only_its_sender_has(ann, bob, lab):
    id_ = await sends(ann, lab, "dot.png", DOT)
    for path in (at(id_), f"/thumbnails/{id_}"):
        assert (await ann.get(path)).status_code == 200
        assert (await bob.get(path)).status_code == 404


async def test_no_file_can_do_anything_where_it_is_opened(ann, bob, lab):
    for name, content in (("dot.png", DOT), ("a.txt", b"hi"), ("a.svg", b"<svg onload='x'/>")):
        id_ = await shows(ann, lab, name, content)
        headers = (await bob.get(at(id_, name))).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"]
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "private, no-cache"
        inline = headers["content-disposition"].startswith("inline")
        assert inline == (name == "dot.png")
    assert headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "name", ["会议记录.txt", 'a"b.txt', "a\r\nX-Evil: 1.txt", "n" * 300 + ".txt", "..", "<b>.txt"]
)
async def test_any_name_comes_back_in_a_header_of_one_line(ann, bob, lab, name):
    id_ = await shows(ann, lab, name, b"hi")
    answer = await bob.get(at(id_))
    assert (answer.status_code, answer.content) == (200, b"hi")
    assert "x-evil" not in answer.headers
    shown = await bob.sees(lab)
    assert "<b>.txt" not in shown


async def test_equal_names_are_two_files(ann, bob, lab):
    first, second = await shows(ann, lab, "a", b"one"), await shows(ann, lab, "a", b"two")
    assert (await bob.get(at(first))).content == b"one"
    assert (await bob.get(at(second))).content == b"two"


async def test_what_a_browser_has_is_not_sent_again(ann, bob, lab):
    id_ = await shows(ann, lab, "dot.png", DOT)
    for path in (at(id_), f"/thumbnails/{id_}"):
        etag = (await bob.get(path)).headers["etag"]
        again = await bob.get(path, headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")


CONTENT = bytes(range(256)) * 2000


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=300000-", 206, slice(300_000, None)),
        ("bytes=-5", 206, slice(-5, None)),
        ("bytes=-9999999", 206, slice(0, None)),
        ("bytes=511990-99999999", 206, slice(511_990, None)),
        ("bytes=512000-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=5-2", 200, slice(0, None)),
        ("bytes=-", 200, slice(0, None)),
        ("bytes=0-1,3-4", 200, slice(0, None)),
        ("bytes=" + ",".join(f"{n}-" for n in range(5000)), 200, slice(0, None)),
        ("bytes=0-" + "9" * 5000, 200, slice(0, None)),
        ("lines=1-2", 200, slice(0, None)),
        ("bytes=x-y", 200, slice(0, None)),
    ],
)
async def test_one_part_of_a_file_can_be_asked_for(ann, lab, asked, status, part):
    id_ = await shows(ann, lab, "a.bin", CONTENT)
    answer = await ann.get(at(id_), headers={"Range": asked})
    assert answer.status_code == status
    if part is None:
        assert answer.headers["content-range"] == "bytes */512000"
        return
    assert answer.content == CONTENT[part]
    assert answer.headers["content-length"] == str(len(answer.content))
    if status == 206:
        start = range(512_000)[part][0]
        told = f"bytes {start}-{start + len(answer.content) - 1}/512000"
        assert answer.headers["content-range"] == told


async def test_a_part_of_what_has_changed_is_all_of_it(ann, lab):
    id_ = await shows(ann, lab, "a.bin", CONTENT)
    headers = {"Range": "bytes=0-9", "If-Range": '"another"'}
    assert (await ann.get(at(id_), headers=headers)).status_code == 200
    head = await ann.client.head(at(id_))
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "512000", b"")


# -- the end -------------------------------------------------------------------------


async def lapse(site) -> None:
    """Ten seconds later."""
    async with services(site).database.transaction() as tx:
        await tx.execute(update(deletions).values(until=0))
    await Wipes(services(site).database).look()


async def test_files_go_with_their_message_and_come_back_with_it(ann, bob, lab):
    id_ = await sends(bob, lab, "dot.png", DOT)
    seq = await says_with(bob, lab, id_)
    message = f"/rooms/{lab}/messages/{seq}"
    await bob.post(f"{message}/delete")
    assert (await ann.get(at(id_))).status_code == 404
    assert id_ not in await ann.sees(lab)
    await swept(ann.site)
    await bob.post(f"{message}/restore")
    assert (await ann.get(at(id_))).status_code == 200
    assert 'alt="dot.png"' in await ann.sees(lab)
    await bob.post(f"{message}/delete")
    await lapse(ann.site)
    await swept(ann.site)
    assert stored(ann.site) == []
    assert (await ann.get(at(id_))).status_code == 404


async def test_editing_keeps_the_files_and_may_take_all_words_away(ann, bob, lab):
    id_ = await sends(bob, lab, "dot.png", DOT)
    seq = await says_with(bob, lab, id_, body="look")
    for n, body in enumerate(("look here", "")):
        form = {"body": body, "base": str(n)}
        assert (await bob.post(f"/rooms/{lab}/messages/{seq}/edit", form)).status_code == 303
        assert 'alt="dot.png"' in await ann.sees(lab)
    words = await bob.says(lab, "only words")
    answer = await bob.post(f"/rooms/{lab}/messages/{words}/edit", {"body": "", "base": "0"})
    assert answer.status_code == 422


async def test_files_go_with_their_room(ann, lab):
    id_ = await shows(ann, lab, "dot.png", DOT)
    await ann.post(f"/rooms/{lab}/delete", {"confirm": "Lab"})
    assert (await ann.get(at(id_))).status_code == 404
    await swept(ann.site)
    assert stored(ann.site) == []


async def test_of_an_account_that_ends_files_stay_where_its_words_do(ann, bob, lab):
    sent, loose = await shows(bob, lab, "dot.png", DOT), await sends(bob, lab, "x")
    alone = await bob.opens("Nook")
    own = await shows(bob, alone, "mine", b"only mine")
    await bob.post("/settings/delete-account", {"password": bob.password})
    await swept(ann.site)
    assert stored(ann.site) == sorted([sent, f"{sent}.webp"])
    assert (await ann.get(at(sent))).status_code == 200
    assert loose not in stored(ann.site)
    assert own not in stored(ann.site)
