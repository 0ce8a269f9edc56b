"""Whatever somebody asks about a closed room they are not in, the answer is that of a room that does not exist: every
address and every frame, for a stranger, a guest, the administrator, and for who was in it before."""

import json
import re

import pytest
from sqlalchemy import update

from chatapp.tables import users
from tests.routes.people import HTMX, JSON, services, somebody
from tests.routes.test_guards import COMMANDS, PERSON, ROOM, SEQ, TABLE

WHO = ("stranger", "guest", "administrator", "ex-member")
MISSING = 777_777_777
SECRET = "the safe opens with 4711"
_CHANCE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{16}\b")


async def vault(site):
    """A closed room in which somebody said something, its owner, and how it is called."""
    owner, member = await somebody(site), await somebody(site)
    answer = await owner.post("/rooms", {"name": f"Vault {owner.name}", "kind": "closed"})
    room = int(answer.headers["location"].removeprefix("/rooms/"))
    await owner.post(f"/rooms/{room}/members/add", {"name": member.name})
    await member.says(room, SECRET)
    return room, owner, member


async def outsider(site, who, room, owner):
    await somebody(site)
    person = await somebody(site)
    if who == "administrator":
        await person.becomes_administrator()
    if who == "guest":
        async with services(site).database.transaction() as tx:
            await tx.execute(update(users).where(users.c.name == person.name).values(is_guest=True))
    if who == "ex-member":
        await owner.post(f"/rooms/{room}/members/add", {"name": person.name})
        await person.says(room, "I am here")
        await person.leaves(room)
        await person.get("/rooms")  # says once that they left
    return person


def plain(text, room):
    """An answer without what differs anyway."""
    return re.sub(rf'(/rooms/|"room":){room}(?![0-9])', r"\1ID", _CHANCE.sub("CHANCE", text))


@pytest.mark.parametrize("who", WHO)
async def test_each_address_answers_as_if_there_were_no_such_room(roomy, who):
    room, owner, member = await vault(roomy)
    person = await outsider(roomy, who, room, owner)
    wrong = []
    for (method, path), row in sorted(TABLE.items(), key=lambda item: item[0]):
        if ROOM not in path:
            continue
        for headers in ({}, JSON, HTMX):
            found = []
            for number in (room, MISSING):
                address = path.replace(ROOM, str(number)).replace(SEQ, "4").replace(PERSON, "2")
                fields = dict(row.fields or {}) if method == "POST" else None
                answer = await person.client.request(method, address, data=fields, headers=headers)
                kept = {name: answer.headers.get(name) for name in ("location", "hx-redirect")}
                found.append((answer.status_code, plain(answer.text, number), kept))
            if found[0] != found[1]:
                wrong.append(f"{method} {path} {headers}: {found[0][0]}, not {found[1][0]}")
    assert wrong == []
    assert SECRET in await member.sees(room)


@pytest.mark.parametrize("who", WHO)
async def test_no_page_of_ones_own_tells_of_it(roomy, who):
    room, owner, member = await vault(roomy)
    person = await outsider(roomy, who, room, owner)
    names = (f"Vault {owner.name}", SECRET, owner.name, member.name, f"/rooms/{room}")
    for path in (
        *("/", "/rooms", "/rooms?q=vault", "/rooms?show=others", "/rooms?show=archived"),
        *("/mentions", "/threads", "/bookmarks", "/sidebar", f"/sidebar?room={room}"),
        *("/search?q=4711", "/search?q=safe+in:vault", "/switch?q=vault", "/switch?q=%23vault"),
        *("/settings", "/shortcuts", "/rooms/new"),
    ):
        answer = await person.get(path, headers=HTMX if path.startswith("/sid") else {})
        shown = [name for name in names if name in answer.text]
        assert shown == [], path
    counts = re.findall(r'class="num">(\d+)<', (await person.get("/rooms")).text)
    assert set(counts) <= {"0"}, counts


@pytest.mark.parametrize("who", WHO)
async def test_each_frame_is_answered_as_if_there_were_no_such_room(roomy, who):
    room, owner, member = await vault(roomy)
    person = await outsider(roomy, who, room, owner)
    async with person.socket() as socket:
        epoch = (await socket.receive_json("hello"))["epoch"]
        answers = []
        for number in (room, MISSING):
            for make, _ in COMMANDS.values():
                frame = make(number)
                if "cursor" in frame:
                    frame["cursor"] = f"{epoch}:0"
                await socket.send_json(frame)
            answers.append(await _heard(socket, number))
        assert answers[0] == answers[1]
        await member.says(room, "only for us")
        await owner.post(f"/rooms/{room}/settings", {"name": "Another name", "topic": "x"})
        await socket.silence(0.3)


async def _heard(socket, room):
    """What comes until all is answered that is answered by a task of its own: a watch, a draft, a post, a call."""
    frames = []
    late = ["removed", "removed", "refused", "call_refused"]
    while late:
        frame = await socket.receive()
        kind = json.loads(frame)["type"]
        if kind in late:
            late.remove(kind)
        if kind not in {"hello", "following", "presence"}:
            frames.append(plain(frame, room))
    return sorted(frames)


async def test_a_room_that_is_closed_leaves_the_screens_of_nobody_in_it(roomy):
    owner, member, stranger = [await somebody(roomy) for _ in range(3)]
    room = await owner.opens("Den")
    await member.joins(room)
    assert (await stranger.get(f"/rooms/{room}")).status_code == 200
    assert (await owner.post(f"/rooms/{room}/kind", {"kind": "closed"})).status_code == 303
    assert (await stranger.get(f"/rooms/{room}")).status_code == 404
    assert "closed this room" in await member.sees(room)
    answer = await owner.post(f"/rooms/{room}/kind", {"kind": "open"})
    assert answer.status_code == 422
    assert "Please confirm" in answer.text
    answer = await owner.post(f"/rooms/{room}/kind", {"kind": "open", "sure": "on"})
    assert answer.status_code == 303
    assert (await stranger.get(f"/rooms/{room}")).status_code == 200


async def test_who_cannot_write_is_told_before_they_try(roomy):
    owner, member = [await somebody(roomy) for _ in range(2)]
    room = await owner.opens("News")
    await member.joins(room)
    await owner.post(f"/rooms/{room}/talk", {"announcement": "on", "slow": "0"})
    assert "Only the owner and the moderators write here" in await member.sees(room)
    assert "Only the owner and the moderators write here" not in await owner.sees(room)
    refused = await member.tries_to_say(room, "hello")
    assert (refused.status_code, refused.json()["code"]) == (403, "announcement")
    await owner.post(f"/rooms/{room}/talk", {"slow": "60"})
    await member.says(room, "one")
    assert "You can write again in" in await member.sees(room)
    refused = await member.tries_to_say(room, "two")
    assert (refused.status_code, refused.json()["code"]) == (403, "slow")
    await owner.post(f"/rooms/{room}/archive", {"on": "true"})
    assert "This room is archived" in await member.sees(room)
    assert "Archived" in (await member.get("/rooms")).text


async def test_somebody_is_added_by_name_and_sees_the_room_at_once(roomy):
    room, owner, member = await vault(roomy)
    person = await somebody(roomy)
    async with person.socket() as socket:
        await socket.receive_json("hello")
        await socket.send_json({"type": "follow"})
        await socket.receive_json("following")
        answer = await owner.post(f"/rooms/{room}/members/add", {"name": person.name})
        assert answer.status_code == 303
        await socket.receive_json("sidebar")
    assert SECRET in await person.sees(room)
    assert f"was added by {owner.name}" in re.sub("<[^>]+>", "", await member.sees(room))
    answer = await owner.post(f"/rooms/{room}/members/add", {"name": "Nobody Known"})
    assert answer.status_code == 422
    assert "Nobody here has this name" in answer.text
