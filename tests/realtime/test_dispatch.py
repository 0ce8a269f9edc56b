"""What a browser may say over its socket, and what it is answered."""

import asyncio
import json
from uuid import uuid4

import pytest

from chatapp.clock import HeldClock
from chatapp.limits import FRAMES, POST
from chatapp.realtime.asked import parse_cursor
from chatapp.realtime.dispatch import ROOMS_MOST
from chatapp.realtime.frames import FRAME_BYTES
from chatapp.realtime.posting import post_command
from chatapp.routes.door import session_of
from chatapp.routes.socket import SOCKETS_MOST
from chatapp.words import SENTENCES
from tests.realtime.guest import PASSWORD, frames_until, guest, post, watch
from tests.support.asgi_socket import Closed, Refused


@pytest.fixture
async def ann(site):
    return await guest(site, "Ann Archer")


@pytest.fixture
async def bob(site, ann):
    return await guest(site, "Bob Baker")


@pytest.fixture
async def lab(ann, bob):
    room = await ann.opens("Lab")
    await bob.joins(room)
    return room


async def test_hello_says_who_and_which_line_of_numbers(ann):
    async with ann.socket() as socket:
        hello = await socket.receive_json()
        assert hello == {"type": "hello", "user": ann.id, "epoch": ann.kit.epoch}


async def test_a_post_is_acknowledged_and_shown_to_both(ann, bob, lab):
    async with ann.socket() as hers, bob.socket() as his:
        await watch(hers, ann.kit, lab, 2)
        await watch(his, bob.kit, lab, 2)
        key = await post(hers, lab, "hello <b>")
        assert await hers.receive_json() == {"type": "ack", "room": lab, "key": key, "seq": 3}
        for socket in (hers, his):
            shown = await socket.receive_json()
            assert (shown["type"], shown["room"]) == ("changes", lab)
            assert (shown["from"], shown["seq"]) == (2, 3)
            assert "hello &lt;b&gt;" in shown["html"]
        await post(hers, lab, "hello <b>", key.upper())
        assert (await hers.receive_json())["seq"] == 3
        await his.silence(0.05)


async def test_watching_twice_and_not_any_more(ann, lab):
    async with ann.socket() as socket:
        await watch(socket, ann.kit, lab, 2)
        await watch(socket, ann.kit, lab, 2)
        await post(socket, lab, "one")
        assert [f["type"] for f in await frames_until(socket, "changes")] == ["ack", "changes"]
        await socket.send_json({"type": "unwatch", "room": lab})
        await socket.send_json({"type": "unwatch", "room": 999})
        await post(socket, lab, "two")
        await socket.receive_json("ack")
        await socket.silence(0.05)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("", "frame_invalid"),
        ("null", "frame_invalid"),
        ("[]", "frame_invalid"),
        ("{}", "frame_invalid"),
        ('{"type": 1}', "frame_invalid"),
        ('{"type": "nonsense"}', "command_unknown"),
        ('{"type": "changes", "room": 1}', "command_unknown"),
        ('{"type": "post"}', "frame_invalid"),
        ('{"type": "post", "room": "1", "key": "", "body": ""}', "frame_invalid"),
        ('{"type": "post", "room": 1, "key": "", "body": null}', "frame_invalid"),
        ('{"type": "post", "room": 1.5, "key": "", "body": ""}', "frame_invalid"),
        ('{"type": "post", "room": ' + "9" * 5000 + ', "key": "", "body": ""}', "frame_invalid"),
        ('{"type": "watch", "room": 1}', "frame_invalid"),
        ('{"type": "watch", "room": NaN, "cursor": "x:1"}', "frame_invalid"),
        ('{"type": "watch", "room": 1, "cursor": "x"}', "cursor_invalid"),
        ('{"type": "watch", "room": 1, "cursor": "x:-1"}', "cursor_invalid"),
        ('{"type": "watch", "room": 1, "cursor": "x:²"}', "cursor_invalid"),
        ('{"type": "watch", "room": 1, "cursor": "x:1e99999"}', "cursor_invalid"),
        ('{"type": "watch", "room": 0, "cursor": "x:1"}', "room_gone"),
        ('{"type": "watch", "room": -1, "cursor": "x:1"}', "room_gone"),
        ('{"type": "watch", "room": 9007199254740992, "cursor": "x:1"}', "room_gone"),
        ("[" * 30_000, "frame_invalid"),
        ('{"type": "post", "x": ' + "[" * 20_000 + "]" * 20_000 + "}", "frame_invalid"),
    ],
    ids=lambda value: value[:50],
)
async def test_nonsense_has_a_code_and_harms_nothing(make_site, sqlite_url, frame, code):
    site = await make_site(DATABASE_URL=sqlite_url)
    ann = await guest(site)
    async with ann.socket() as socket:
        await socket.receive_json("hello")
        await socket.send(frame)
        assert await socket.receive_json() == {
            "type": "error",
            "code": code,
            "message": SENTENCES[code],
        }
        room = await ann.opens("Lab")
        await post(socket, room, "still here")
        await socket.receive_json("ack")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"key": "not a uuid"}, "key_invalid"),
        ({"key": ""}, "key_invalid"),
        ({"room": 999_999}, "room_gone"),
        ({"room": -1}, "room_gone"),
        ({"room": 2**60}, "room_gone"),
        ({"body": ""}, "message_empty"),
        ({"body": " \u200b\n"}, "message_empty"),
        ({"body": "a\0b"}, "message_characters"),
        ({"body": "x" * 4001}, "message_too_long"),
    ],
    ids=str,
)
async def test_a_post_is_refused_with_its_key_and_a_code(ann, lab, changed, code):
    async with ann.socket() as socket:
        await socket.receive_json("hello")
        frame = {"type": "post", "room": lab, "key": str(uuid4()), "body": "hello", **changed}
        await socket.send_json(frame)
        answer = await socket.receive_json()
        assert answer["type"] == "refused"
        assert (answer["code"], answer["message"]) == (code, SENTENCES[code])
        assert (answer["room"], answer["key"]) == (frame["room"], frame["key"])


async def test_half_a_character_is_refused_and_the_socket_goes_on(ann, lab):
    async with ann.socket() as socket:
        await socket.receive_json("hello")
        await socket.send(
            f'{{"type": "post", "room": {lab}, "key": "{uuid4()}", "body": "a\\ud800b"}}'
        )
        answer = await socket.receive_json()
        assert answer["type"] in {"refused", "error"}
        assert answer["code"] in {"message_characters", "frame_invalid"}
        await post(socket, lab, "😀")
        await socket.receive_json("ack")


async def test_a_key_that_was_used_for_another_text_is_refused(ann, lab):
    async with ann.socket() as socket:
        key = await post(socket, lab, "one")
        await socket.receive_json("ack")
        await post(socket, lab, "two", key)
        assert (await socket.receive_json("refused"))["code"] == "key_reused"


async def test_outsiders_and_former_members_neither_read_nor_write(site, ann, bob, lab):
    cat = await guest(site, "Cat Carver")
    await bob.does(f"/rooms/{lab}/leave")
    for outsider in (bob, cat):
        async with outsider.socket() as socket:
            await socket.receive_json("hello")
            await socket.send_json({"type": "watch", "room": lab, "cursor": f"{ann.kit.epoch}:0"})
            assert await socket.receive_json() == {
                "type": "removed",
                "room": lab,
                "reason": "removed",
            }
            await post(socket, lab, "let me in")
            assert (await socket.receive_json())["code"] == "not_member"
            async with ann.socket() as hers:
                await post(hers, lab, "secret")
                await hers.receive_json("ack")
            await socket.silence(0.05)


async def test_a_room_that_is_gone_is_said_to_be_deleted(ann):
    async with ann.socket() as socket:
        await socket.receive_json("hello")
        await socket.send_json({"type": "watch", "room": 77, "cursor": f"{ann.kit.epoch}:0"})
        assert await socket.receive_json() == {"type": "removed", "room": 77, "reason": "deleted"}


async def test_a_foreign_cursor_is_told_to_load_afresh(ann, lab):
    async with ann.socket() as socket:
        await socket.receive_json("hello")
        for cursor in ("elsewhere:1", f"{ann.kit.epoch}:999"):
            await socket.send_json({"type": "watch", "room": lab, "cursor": cursor})
            assert await socket.receive_json() == {"type": "reload", "room": lab}


async def test_binary_and_overlong_frames_end_the_socket(ann):
    async with ann.socket() as socket:
        await socket.receive_json("hello")
        await socket.send(b"{}")
        assert (await socket.receive_json())["code"] == "frame_binary"
        assert await socket.closed() == 4400
    for frame in ("x" * (FRAME_BYTES + 1), "€" * (FRAME_BYTES // 2)):
        async with ann.socket() as socket:
            await socket.receive_json("hello")
            await socket.send(frame)
            assert await socket.closed() == 1009


async def test_one_window_watches_at_most_200_rooms(ann, lab):
    async with ann.socket() as socket:
        await watch(socket, ann.kit, lab, 2)
        (connection,) = ann.kit.hub.connections()
        connection.rooms |= set(range(10_000, 10_000 + ROOMS_MOST - 1))
        den = await ann.opens("Den")
        await socket.send_json({"type": "watch", "room": den, "cursor": f"{ann.kit.epoch}:0"})
        assert (await socket.receive_json("error"))["code"] == "too_many_rooms"
        await watch(socket, ann.kit, lab, 2)


# -- limits ------------------------------------------------------------------------------


async def test_who_posts_too_fast_is_told_when_to_go_on(make_site, sqlite_url):
    clock = HeldClock()
    ann = await guest(await make_site(clock=clock, DATABASE_URL=sqlite_url))
    room = await ann.opens("Lab")
    async with ann.socket() as first, ann.socket() as second:
        for n in range(POST.count):
            await post(first if n % 2 else second, room, "hello")
            clock.advance(0.001)
        for _ in range(POST.count // 2):
            await first.receive_json("ack")
            await second.receive_json("ack")
        key = await post(first, room, "too much")
        busy = await first.receive_json()
        assert busy["type"] == "busy"
        assert (busy["room"], busy["key"]) == (room, key)
        assert 0 < busy["retry_after"] < 1
        clock.advance(busy["retry_after"] + 0.01)
        await post(first, room, "too much", key)
        assert (await first.receive_json())["type"] == "ack"


async def test_who_sends_too_many_frames_is_slowed_down(make_site, sqlite_url):
    ann = await guest(await make_site(clock=HeldClock(), DATABASE_URL=sqlite_url))
    room = await ann.opens("Lab")
    async with ann.socket() as socket:
        await socket.receive_json("hello")
        for _ in range(FRAMES.count):
            await socket.send_json({"type": "unwatch", "room": 1})
        await socket.send_json({"type": "watch", "room": room, "cursor": "x:1"})
        answer = await socket.receive_json()
        assert (answer["type"], answer["code"]) == ("error", "too_many")
        key = await post(socket, room, "x" * 60_000)
        answer = await socket.receive_json()
        assert (answer["type"], answer["key"]) == ("busy", key), "looked at by nobody yet"


# -- the end of a session --------------------------------------------------------------------


async def ended_by(ann, bob, lab, end):
    """Ann watches in one window, something ends it, Bob speaks: what she got after the end."""
    async with ann.socket() as hers:
        await watch(hers, ann.kit, lab, 2)
        await end()
        await ann.kit.writer.ask(
            post_command(bob.id, lab, str(uuid4()), "secret", ann.kit.presence.present)
        )
        received = []
        with pytest.raises(Closed) as closed:
            while True:
                received.append(json.loads(await hers.receive()))
        return closed.value.code, [frame["type"] for frame in received]


async def test_signing_out_ends_the_stream(ann, bob, lab):
    assert await ended_by(ann, bob, lab, lambda: ann.does("/sign-out")) == (4401, [])


async def test_signing_out_everywhere_ends_the_stream(ann, bob, lab):
    end = await ended_by(ann, bob, lab, lambda: ann.does("/sign-out-everywhere"))
    assert end == (4401, [])


async def test_a_new_password_ends_the_stream(ann, bob, lab):
    async def change():
        await ann.does("/settings/password", current=PASSWORD, new="another " + PASSWORD)

    assert await ended_by(ann, bob, lab, change) == (4401, [])
    async with ann.socket() as again:
        await again.receive_json("hello")


async def test_the_end_of_an_account_ends_the_stream(ann, bob, lab):
    code, kinds = await ended_by(
        ann, bob, lab, lambda: ann.does("/settings/delete-account", password=PASSWORD)
    )
    assert code == 4401
    assert "changes" not in kinds


async def test_leaving_ends_the_stream_of_that_room_in_all_windows(ann, bob, lab):
    async with bob.socket() as first, bob.socket() as second:
        for socket in (first, second):
            await watch(socket, bob.kit, lab, 2)
        await bob.does(f"/rooms/{lab}/leave")
        await ann.kit.writer.ask(
            post_command(ann.id, lab, str(uuid4()), "secret", ann.kit.presence.present)
        )
        for socket in (first, second):
            kinds = {frame["type"] for frame in await frames_until(socket, "sidebar")}
            assert kinds == {"removed", "sidebar"}
            await socket.silence(0.05)


async def test_a_session_that_runs_out_ends_the_stream(make_site, sqlite_url):
    clock = HeldClock()
    ann = await guest(await make_site(clock=clock, DATABASE_URL=sqlite_url, SESSION_DAYS="1"))
    async with ann.socket() as socket:
        await socket.receive_json("hello")
        (connection,) = ann.kit.hub.connections()
        clock.advance(connection.expires_at - clock.now - 1)
        await asyncio.sleep(1.1)  # the beat looks every second
        assert connection.is_open
        clock.advance(2)
        assert await socket.closed(3) == 4401


async def test_a_session_that_ends_during_the_handshake_gets_nothing(ann, bob, lab, monkeypatch):
    """Signed out between the look at the cookie and the hub's knowing of the socket."""
    from chatapp.routes import socket as door

    real = session_of

    async def slow(*given):
        found = await real(*given)
        await ann.does("/sign-out")
        return found

    monkeypatch.setattr(door, "session_of", slow)
    async with ann.socket() as socket:
        assert await socket.closed() == 4401
    assert ann.kit.hub.count() == 0


async def test_who_is_signed_out_is_told_by_a_code(site):
    async with site.socket() as socket:
        assert await socket.closed() == 4401


async def test_other_sites_are_not_let_in(ann):
    for headers in (
        {"Origin": "http://elsewhere.example"},
        {"Origin": None},
        {"Host": "x.example"},
    ):
        with pytest.raises(Refused):
            async with ann.site.socket(ann.client, headers=headers):
                pass


async def test_the_21st_socket_is_refused(ann):
    open_ones = [ann.socket() for _ in range(SOCKETS_MOST)]
    for one in open_ones:
        await (await one.__aenter__()).receive_json("hello")
    async with ann.socket() as one_more:
        assert (await one_more.receive_json())["code"] == "too_many_sockets"
        assert await one_more.closed() == 4400
    await open_ones.pop().__aexit__(None, None, None)
    async with ann.socket() as again:
        await again.receive_json("hello")
    for one in open_ones:
        await one.__aexit__(None, None, None)
    assert ann.kit.hub.count() == 0


@pytest.mark.parametrize("cursor", ["e:1", "a:b:1", ":0", "é:7"])
def test_a_cursor_has_an_epoch_and_a_number(cursor):
    epoch, seq = parse_cursor(cursor)
    assert f"{epoch}:{seq}" == cursor
