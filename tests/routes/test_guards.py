"""Who may do what: every address and every socket command, against everybody there is.

The table must name each of them: whoever adds one says here who may use it.
"""

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select, update
from starlette.routing import Mount, Route

from chatapp.realtime.asked import KINDS
from chatapp.routes.table import routes
from chatapp.static_files import static_version
from chatapp.tables import memberships, sessions, users
from tests.routes.filing import DOT, says_with, sends, shows_face
from tests.routes.pages import read
from tests.routes.people import HTMX, JSON, PASSWORD, Person, services, somebody
from tests.support.asgi import Site
from tests.support.asgi_socket import AsgiSocket

WHO = ("visitor", "stranger", "ex-member", "member", "owner", "administrator")
OUTSIDERS = frozenset({"visitor", "stranger", "ex-member", "guest"})

SECRET = "the safe opens with 4711"  # said in the room
NOBODYS_NAME = "Zora Quillfeather"  # a member; who is in a room is for its members
ROOM = "{room_id:number}"
SEQ = "{seq:number}"
PERSON = "{user_id:number}"

Expected = dict[str, str]


def everybody(outcome: str) -> Expected:
    return dict.fromkeys(WHO, outcome)


def signed_in(outcome: str) -> Expected:
    return {**everybody(outcome), "visitor": "sign in"}


def members(outcome: str, others: str = "403") -> Expected:
    return {
        **signed_in(others),
        "member": outcome,
        "owner": outcome,
    }


def managers(outcome: str) -> Expected:
    return {**signed_in("403"), "owner": outcome, "administrator": outcome}


def administrators(outcome: str) -> Expected:
    return {**signed_in("403"), "administrator": outcome}


@dataclass(frozen=True)
class Row:
    expected: Expected
    fields: dict[str, str] | None = None


def _post() -> dict[str, str]:
    return {"body": "hello", "key": str(uuid4())}


VISITORS = {**everybody("303 /"), "visitor": "200"}

TABLE: dict[tuple[str, str], Row] = {
    ("GET", "/"): Row(
        {
            **everybody("200"),  # the landing page, or the welcome page of who is in no room
            "member": "303 /rooms/ID",
            "owner": "303 /rooms/ID",
        }
    ),
    ("GET", "/sign-up"): Row(VISITORS),
    ("POST", "/sign-up"): Row(
        everybody("303 /"), {"name": "New", "email": "new@people.example", "password": PASSWORD}
    ),
    ("GET", "/sign-in"): Row(VISITORS),
    ("POST", "/sign-in"): Row(everybody("422"), {"email": "no@people.example", "password": "x"}),
    ("POST", "/sign-out"): Row(everybody("303 /sign-in")),
    ("POST", "/sign-out-everywhere"): Row(signed_in("303 /sign-in")),
    ("GET", "/rooms"): Row(signed_in("200")),
    ("POST", "/rooms"): Row(signed_in("303 /rooms/NEW"), {"name": "Brand new"}),
    ("GET", "/rooms/new"): Row(signed_in("200")),
    ("GET", f"/rooms/{ROOM}"): Row(signed_in("200")),  # a page to join it for outsiders
    ("GET", f"/rooms/{ROOM}/messages"): Row(members("200")),
    ("POST", f"/rooms/{ROOM}/messages"): Row(members("303 /rooms/ID#m-N"), _post()),
    # The message is the member's; the person who asks as "member" is another one.
    ("GET", f"/rooms/{ROOM}/messages/{SEQ}/edit"): Row({**signed_in("403"), "owner": "200"}),
    ("POST", f"/rooms/{ROOM}/messages/{SEQ}/edit"): Row(
        signed_in("403"), {"body": "not mine", "base": "0"}
    ),
    ("POST", f"/rooms/{ROOM}/messages/{SEQ}/delete"): Row(
        {**signed_in("403"), "owner": "303 /rooms/ID?around=4&deleted=4#m-N"}
    ),
    ("POST", f"/rooms/{ROOM}/messages/{SEQ}/restore"): Row(members("303 /rooms/ID?around=4#m-N")),
    ("GET", f"/rooms/{ROOM}/messages/{SEQ}/history"): Row(members("200")),
    ("POST", f"/rooms/{ROOM}/messages/{{seq:number}}/react"): Row(
        members("303 /rooms/ID?around=4#m-N"), {"emoji": "👍", "on": "true"}
    ),
    ("GET", f"/rooms/{ROOM}/messages/{{seq:number}}/reactions"): Row(members("200")),
    # The message is the member's, and the person who asks as "member" is another one.
    ("POST", f"/rooms/{ROOM}/messages/{SEQ}/preview/remove"): Row(
        {**signed_in("403"), "owner": "303 /rooms/ID?around=4#m-N"}
    ),
    ("POST", f"/rooms/{ROOM}/messages/{{seq:number}}/pin"): Row(
        members("303 /rooms/ID?around=4#m-N"), {"on": "true"}
    ),
    ("POST", f"/rooms/{ROOM}/messages/{{seq:number}}/bookmark"): Row(
        members("303 /rooms/ID?around=4#m-N"), {"on": "true"}
    ),
    ("GET", f"/rooms/{ROOM}/messages/{SEQ}/report"): Row(members("200")),
    ("POST", f"/rooms/{ROOM}/messages/{SEQ}/report"): Row(
        members("303 /rooms/ID?around=4#m-N"), {"reason": "rude"}
    ),
    ("GET", f"/rooms/{ROOM}/reports"): Row({**signed_in("403"), "owner": "200"}),
    ("POST", f"/rooms/{ROOM}/reports/{SEQ}/done"): Row(
        {**signed_in("403"), "owner": "303 /rooms/ID/reports"}
    ),
    ("GET", "/bookmarks"): Row(signed_in("200")),
    ("GET", f"/rooms/{ROOM}/pins"): Row(members("200")),
    ("GET", f"/rooms/{ROOM}/mine"): Row(members("200")),
    ("GET", f"/rooms/{ROOM}/files"): Row(members("200")),
    ("POST", f"/rooms/{ROOM}/files"): Row(members("201"), {"it": "is the file"}),
    # The file is the member's, and in a message; the person who asks as "member" is another one.
    ("DELETE", "/files/{id}"): Row(signed_in("404")),
    ("GET", "/files/{id}/{name}"): Row({**everybody("404"), "member": "200", "owner": "200"}),
    ("GET", "/previews/{id}"): Row({**everybody("404"), "member": "200", "owner": "200"}),
    ("GET", "/thumbnails/{id}"): Row({**everybody("404"), "member": "200", "owner": "200"}),
    ("POST", f"/rooms/{ROOM}/preview"): Row(members("200"), {"body": "*hello*"}),
    ("GET", f"/rooms/{ROOM}/members"): Row(members("200")),
    ("POST", f"/rooms/{ROOM}/members/add"): Row(
        managers("303 /rooms/ID/members"), {"name": NOBODYS_NAME}
    ),
    ("GET", f"/rooms/{ROOM}/members/suggest"): Row(members("200")),
    ("POST", f"/rooms/{ROOM}/mentions/{{seq:number}}/clear"): Row(members("303 /mentions")),
    ("GET", f"/rooms/{ROOM}/call"): Row(members("200")),
    ("POST", f"/rooms/{ROOM}/join"): Row(signed_in("303 /rooms/ID")),
    ("POST", f"/rooms/{ROOM}/leave"): Row(
        {**signed_in("303 /rooms"), "owner": "303 /rooms/ID/leave"}  # whose shall it be?
    ),
    ("GET", f"/rooms/{ROOM}/settings"): Row(managers("200")),
    ("POST", f"/rooms/{ROOM}/settings"): Row(managers("303 /rooms/ID"), {"name": "A new name"}),
    ("POST", f"/rooms/{ROOM}/kind"): Row(managers("303 /rooms/ID"), {"kind": "closed"}),
    ("POST", f"/rooms/{ROOM}/talk"): Row(managers("303 /rooms/ID"), {"slow": "30"}),
    ("POST", f"/rooms/{ROOM}/archive"): Row(managers("303 /rooms/ID"), {"on": "true"}),
    ("POST", f"/rooms/{ROOM}/delete"): Row(managers("303 /rooms"), {"confirm": "its name"}),
    ("POST", f"/rooms/{ROOM}/read"): Row(members("303 /rooms/ID")),
    ("POST", f"/rooms/{ROOM}/notify"): Row(members("303 /rooms/ID"), {"notify": "mentions"}),
    ("GET", f"/rooms/{ROOM}/notice"): Row(
        {**members("200"), "member": "404"}  # who came when all had been said
    ),
    ("GET", f"/rooms/{ROOM}/threads/{{seq:number}}"): Row(members("200")),
    ("POST", f"/rooms/{ROOM}/threads/{{seq:number}}/follow"): Row(
        members("303 /rooms/ID/threads/4"), {"follow": "on"}
    ),
    ("POST", f"/rooms/{ROOM}/threads/{{seq:number}}/read"): Row(members("204"), {"upto": "9"}),
    ("GET", f"/rooms/{ROOM}/members/{PERSON}"): Row(members("200")),
    ("POST", f"/rooms/{ROOM}/members/{PERSON}"): Row(
        managers("303 /rooms/ID/members"), {"do": "remove"}
    ),
    ("GET", f"/rooms/{ROOM}/audit"): Row(managers("200")),
    ("GET", f"/rooms/{ROOM}/leave"): Row(members("200")),
    ("GET", "/audit"): Row({**signed_in("404"), "administrator": "200"}),
    ("GET", "/direct/new"): Row(signed_in("200")),
    ("POST", "/direct"): Row(signed_in("303 /rooms/NEW"), {"names": NOBODYS_NAME}),
    ("GET", "/threads"): Row(signed_in("200")),
    ("GET", "/mentions"): Row(signed_in("200")),
    ("POST", "/mentions/clear"): Row(signed_in("303 /mentions"), {"until": "9999999999999"}),
    ("GET", "/switch"): Row(signed_in("200")),
    ("GET", "/shortcuts"): Row(signed_in("200")),
    ("GET", "/search"): Row(signed_in("200")),
    ("GET", "/sidebar"): Row(signed_in("200")),
    ("GET", "/settings"): Row(signed_in("200")),
    ("POST", "/settings/profile"): Row(
        signed_in("303 /settings#profile"), {"name": "Newname", "hue": "3"}
    ),
    # The picture is that of the person who does nothing; it stands wherever they do.
    ("GET", "/avatars/{id}"): Row({**everybody("200"), "visitor": "404"}),
    ("GET", "/avatars/{id}/large"): Row({**everybody("200"), "visitor": "404"}),
    ("POST", "/settings/avatar"): Row(signed_in("400")),  # no form with a file
    ("POST", "/settings/avatar/remove"): Row(signed_in("303 /settings#picture")),
    ("GET", f"/people/{PERSON}"): Row(signed_in("200")),
    ("POST", f"/people/{PERSON}/block"): Row(signed_in("303 /people/SOMEBODY"), {"on": "true"}),
    ("POST", "/settings/about"): Row(signed_in("303 /settings#about"), {"bio": "Hello"}),
    ("POST", "/settings/status"): Row(signed_in("303 /settings#status"), {"status": "Busy"}),
    ("POST", "/settings/presence"): Row(signed_in("303 /settings#presence"), {"invisible": "on"}),
    ("POST", "/settings/writing"): Row(signed_in("303 /settings#writing"), {"enter": "breaks"}),
    ("POST", "/settings/theme"): Row(signed_in("303 /settings#appearance"), {"theme": "dark"}),
    ("POST", "/settings/password"): Row(
        signed_in("303 /settings#security"), {"current": PASSWORD, "new": "another horse"}
    ),
    # The number is that of somebody else's device.
    ("POST", "/settings/devices/{device_id:number}/sign-out"): Row(signed_in("404")),
    ("POST", "/settings/devices/sign-out-others"): Row(signed_in("303 /settings#devices")),
    ("POST", "/settings/delete-account"): Row(signed_in("303 /"), {"password": PASSWORD}),
    ("POST", "/settings/quiet"): Row(
        signed_in("303 /settings#notices"), {"from": "22:00", "until": "07:30"}
    ),
    ("GET", "/push/key"): Row(signed_in("200")),
    ("POST", "/push/subscribe"): Row(signed_in("422"), {"endpoint": "https://10.0.0.1/x"}),
    ("POST", "/push/unsubscribe"): Row(signed_in("204")),
    ("POST", "/push/test"): Row(signed_in("404")),  # nobody here takes pushes
    ("GET", "/welcome"): Row(everybody("404")),  # there are accounts
    ("POST", "/welcome"): Row(
        everybody("404"), {"name": "New", "email": "new@people.example", "password": PASSWORD}
    ),
    ("GET", "/forgot"): Row(everybody("200")),
    ("POST", "/forgot"): Row(everybody("404"), {"email": "new@people.example"}),  # no mail here
    # Nobody knows a link that is good; those who do are in test_recovery.py.
    ("GET", "/recover/{token}"): Row(everybody("404")),
    ("POST", "/recover/{token}"): Row(everybody("404"), {"password": PASSWORD}),
    ("GET", "/join/{token}"): Row(everybody("404")),
    ("POST", "/join/{token}"): Row(everybody("404"), {"name": "New", "password": PASSWORD}),
    ("GET", "/invitations"): Row(signed_in("200")),
    # Into the room of this scene; for others it is as if there were none.
    ("POST", "/invitations"): Row(
        {**signed_in("404"), "owner": "200", "administrator": "200"},
        {"role": "member", "days": "7", "uses": "1", "room": ROOM},
    ),
    # The invitation is somebody else's, and an administrator looks after all.
    ("POST", "/invitations/{invitation_id:number}/revoke"): Row(
        {**signed_in("404"), "administrator": "303 /invitations"}
    ),
    # Nobody knows a link that is good; those who do are in test_invitations.py.
    ("GET", "/invite/{token}"): Row(everybody("404")),
    ("POST", "/invite/{token}"): Row(everybody("404")),
    # The person is the one who is in the room as well and does nothing here.
    ("GET", "/admin"): Row(administrators("200")),
    ("POST", "/admin/entry"): Row(administrators("303 /admin#entry"), {"way": "open"}),
    ("GET", f"/admin/people/{PERSON}"): Row(administrators("200")),
    ("POST", f"/admin/people/{PERSON}/role"): Row(
        administrators("303 /admin/people/SOMEBODY"), {"role": "member"}
    ),
    ("POST", f"/admin/people/{PERSON}/state"): Row(
        administrators("303 /admin/people/SOMEBODY"), {"active": "on"}
    ),
    ("POST", f"/admin/people/{PERSON}/recovery"): Row(administrators("200")),
    ("GET", "/offline"): Row(everybody("200")),
    ("GET", "/manifest.webmanifest"): Row(everybody("200")),
    ("GET", "/service-worker.js"): Row(everybody("200")),
    ("GET", "/favicon.ico"): Row(everybody("200")),
    ("GET", "/up"): Row(everybody("200")),
    ("GET", "/ready"): Row(everybody("200")),
    ("GET", "/metrics"): Row(everybody("404")),
    ("GET", "/static"): Row(everybody("200")),
}


# A moderator gets what a member gets, but here what the owner gets.
MODERATED = {
    ("POST", f"/rooms/{ROOM}/messages/{SEQ}/delete"),
    ("POST", f"/rooms/{ROOM}/messages/{SEQ}/preview/remove"),
    ("POST", f"/rooms/{ROOM}/members/add"),
    ("POST", f"/rooms/{ROOM}/members/{PERSON}"),
    ("GET", f"/rooms/{ROOM}/messages/{SEQ}/edit"),  # where it is deleted without scripts
    ("POST", "/invitations"),
    ("GET", f"/rooms/{ROOM}/audit"),
    ("GET", f"/rooms/{ROOM}/reports"),
    ("POST", f"/rooms/{ROOM}/reports/{SEQ}/done"),
}
# A guest who was not brought in knows of no room, and gets elsewhere what a stranger gets, but here this.
GUESTS = {
    ("GET", "/rooms/new"): "403",
    ("POST", "/rooms"): "403",
    ("POST", "/invitations"): "403",  # into whatever room
    ("GET", f"/people/{PERSON}"): "404",
    ("POST", "/direct"): "422",  # nobody they know
    ("POST", f"/people/{PERSON}/block"): "404",
}


def expected(method: str, path: str, who: str) -> str:
    row = TABLE[method, path]
    if who == "moderator":
        return row.expected["owner" if (method, path) in MODERATED else "member"]
    if who == "guest":
        return GUESTS.get((method, path), "404" if ROOM in path else row.expected["stranger"])
    return row.expected[who]


def test_the_table_names_every_address_and_no_other():
    served = set()
    for route in routes("0" * 12):
        if isinstance(route, Mount):
            served.add(("GET", route.path))
        else:
            assert isinstance(route, Route)
            served |= {(method, route.path) for method in (route.methods or set()) - {"HEAD"}}
    assert served == set(TABLE)


def test_every_answer_is_settled_for_everybody():
    assert all(set(row.expected) == set(WHO) for row in TABLE.values())


class Scene:
    """A room with a secret, its people, and the one who tries something."""

    member: Person
    member_id: int
    room: int
    name: str
    file: str
    portrait: str

    def __init__(self, site: Site, quiet: Person, quiet_id: int) -> None:
        self.site = site
        self.quiet_id = quiet_id
        self.quiet = quiet

    async def prepare(self, who: str, *, with_file: bool = True) -> Person:
        """A room and people of its own each time, since some doors tear them down. A file takes its time."""
        owner, self.member = await somebody(self.site), await somebody(self.site)
        self.name = f"Vault {owner.name}"
        self.room = await owner.opens(self.name)
        await self.member.joins(self.room)
        await self.quiet.joins(self.room)
        self.file = ""
        if with_file:
            self.file = await sends(self.member, self.room, "dot.png", DOT)
            await says_with(self.member, self.room, self.file, body=SECRET)
        else:
            await self.member.says(self.room, SECRET)
        of_member = select(users.c.id).where(users.c.name == self.member.name)
        self.member_id = await services(self.site).database.fetch_value(of_member)
        if who == "owner":
            return owner
        person = Person(self.site)
        if who == "visitor":
            return person
        await person.signs_up()
        if who == "administrator":
            await person.becomes_administrator()
        if who in {"member", "ex-member", "moderator"}:
            await person.joins(self.room)
        if who == "moderator":
            await self._is_stored(update(memberships).values(role="moderator"), person)
        if who == "guest":
            await self._is_stored(update(users).values(is_guest=True), person)
        if who == "ex-member":
            await person.leaves(self.room)
        return person

    async def _is_stored(self, change: Any, person: Person) -> None:
        """About a person, in whichever table."""
        number = select(users.c.id).where(users.c.name == person.name).scalar_subquery()
        column = change.table.c.get("user_id", users.c.id)
        async with services(self.site).database.transaction() as tx:
            await tx.execute(change.where(column == number))

    def address(self, path: str, device: int) -> str:
        return (
            path.replace(ROOM, str(self.room))
            .replace("{device_id:number}", str(device))
            .replace(SEQ, "4")
            .replace(PERSON, str(self.quiet_id if path.startswith("/admin") else self.member_id))
            .replace("{invitation_id:number}", "1")
            .replace("/avatars/{id}", f"/avatars/{self.portrait}")
            .replace("{id}", self.file)
            .replace("{name}", "dot.png")
            .replace("/static", f"/static/{static_version()}/css/app.css")
        )


_NEWEST_PERSON = select(func.max(users.c.id))
_NEWEST_SESSION = select(func.max(sessions.c.id))


async def scene(site: Site) -> Scene:
    first = await somebody(site)  # the administrator whom every site has
    given = {"role": "member", "days": "7", "uses": "1"}
    assert (await first.post("/invitations", given)).status_code == 200
    quiet = await somebody(site, NOBODYS_NAME)
    play = Scene(site, quiet, await services(site).database.fetch_value(_NEWEST_PERSON))
    play.portrait = await shows_face(quiet)
    return play


REFUSED = {"sign in", "403", "404", "405", "422"}


def outcome(answer: httpx.Response, room: int) -> str:
    if answer.headers.get("hx-redirect") == "/sign-in":
        return "sign in"
    if answer.status_code != 303:
        return str(answer.status_code)
    target = answer.headers["location"]
    if target.startswith("/sign-in?") or (target == "/sign-in" and "notice" not in answer.cookies):
        return "sign in"
    head, hash_, number = target.partition("#m-")
    target = head + "#m-N" if hash_ and number.isdigit() else target
    target = target.replace(f"/rooms/{room}", "/rooms/ID")
    target = re.sub(r"^((?:/admin)?/people)/\d+", r"\1/SOMEBODY", target)
    return "303 " + ("/rooms/NEW" if target[:7] == "/rooms/" and target[7:].isdigit() else target)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "whole", [False, pytest.param(True, marks=pytest.mark.faults)], ids=["half", "all"]
)
@pytest.mark.parametrize("who", [*WHO, "moderator", "guest"])
async def test_each_address_answers_each_person_as_the_table_says(roomy, who, whole):
    """Half of the addresses on either database, since many take a scene of their own; `make faults`: all of both."""
    play = await scene(roomy)
    other = await somebody(roomy)
    device = await services(roomy).database.fetch_value(_NEWEST_SESSION)
    wrong = []
    person = await play.prepare(who)
    rows = sorted(TABLE.items(), key=lambda item: item[0])
    if not whole:
        rows = rows[int(services(roomy).database.is_sqlite) :: 2]
    is_torn = False
    for (method, path), row in rows:
        if is_torn or ("{id}" in path and not play.file):
            person = await play.prepare(who, with_file="{id}" in path)
        fields = dict(row.fields or {})
        if "email" in fields:
            fields["email"] = f"n{play.room}.{fields['email']}"
        if path in {"/sign-up", "/settings/profile"}:
            fields["name"] = Person(roomy).name
        if "room" in fields:
            fields["room"] = str(play.room)
        if "confirm" in fields:
            fields["confirm"] = play.name
        address = play.address(path, device)
        answer = await person.client.request(
            method, address, data=fields if method == "POST" else None, headers=_as(path)
        )
        if (found := outcome(answer, play.room)) != (right := expected(method, path, who)):
            wrong.append(f"{method} {path}: {found}, not {right}")
        is_torn = method == "POST" and found not in REFUSED  # it may have torn down what was there
        secrets = {SECRET, NOBODYS_NAME} - set(fields.values())  # a form shows what was typed
        if who in OUTSIDERS and not path.endswith("/join"):
            leaks = [secret for secret in secrets if secret in answer.text]
            wrong += [f"{method} {path} tells {secret!r}" for secret in leaks]
        if who == "visitor" and "Vault" in answer.text:
            wrong.append(f"{method} {path} tells a visitor the name of a room")
        if is_torn and not await other.is_signed_in():
            wrong.append(f"{method} {path} signed somebody else out")
    assert wrong == []


def _as(path: str) -> dict[str, str]:
    return HTMX if path.endswith(("}/messages", "/sidebar")) else {}


@pytest.mark.parametrize("who", sorted(OUTSIDERS | {"administrator"}))
async def test_nothing_of_a_room_is_told_to_who_is_not_in_it_however_they_ask(roomy, who):
    play = await scene(roomy)
    person = await play.prepare(who)
    room = f"/rooms/{play.room}"
    for path in (
        room,
        f"{room}?around=3",
        f"{room}?before=99",
        f"{room}/messages?after=0",
        f"{room}?links=1",
        f"{room}?around=4&deleted=4",
        f"{room}/messages/4/edit",
        f"{room}/messages/4/history",
        f"{room}/members",
        f"{room}/members?q=Zora",
        f"{room}/members/suggest?q=Zora",
        f"{room}/messages/4/reactions",
        f"{room}/pins",
        f"{room}/mine?crowded=4",
        f"{room}/files",
        f"/files/{play.file}/dot.png",
        f"{room}/call",
        f"{room}?reply=4",
        f"{room}/threads/4",
        "/threads",
        "/mentions",
        "/bookmarks",
        f"/rooms?q={SECRET}",
        f"/rooms?q={NOBODYS_NAME}",
        f"/search?q={SECRET}",
        "/search?q=4711",
        f"/search?q=in:%22{play.name}%22",
        f"/search?q=from:%22{NOBODYS_NAME}%22",
        f"/sidebar?room={play.room}",
        "/",
    ):
        for headers in ({}, JSON, HTMX):
            answer = await person.get(path, headers=headers)
            shown = _found(answer.text) if "?q=" in path else answer.text
            assert SECRET not in shown, path
            assert NOBODYS_NAME not in shown, path
            assert 'class="msg"' not in shown, path


def _found(html: str) -> str:
    """A search page repeats what was asked for; the secret may be nowhere else in it."""
    page = read(html)
    lists = [page.all(tag, class_="rooms-list") for tag in ("ul", "ol")]
    return "".join(item.text for items in lists for item in items)


# -- the socket -----------------------------------------------------------------


def _watch(room: int) -> dict[str, object]:
    return {"type": "watch", "room": room, "cursor": "EPOCH:0"}


def _unwatch(room: int) -> dict[str, object]:
    return {"type": "unwatch", "room": room}


def _say(room: int) -> dict[str, object]:
    return {"type": "post", "room": room, "key": str(uuid4()), "body": "hello"}


def _follow(_room: int) -> dict[str, object]:
    return {"type": "follow"}


def _read(room: int) -> dict[str, object]:
    return {"type": "read", "room": room, "seq": 2}


def _here(room: int) -> dict[str, object]:
    return {"type": "presence", "state": "here"}


def _typing(room: int) -> dict[str, object]:
    return {"type": "typing", "room": room}


def _draft(room: int) -> dict[str, object]:
    return {"type": "draft", "room": room, "base": 0, "body": "half a", "tab": "t"}


def _call_join(room: int) -> dict[str, object]:
    return {"type": "call_join", "room": room}


def _signal(room: int) -> dict[str, object]:
    state = {"mic": True, "camera": True, "hand": False, "screen": ""}
    return {"type": "signal", "room": room, "data": {"state": state}}


def _ring(room: int) -> dict[str, object]:
    return {"type": "ring", "room": room, "user": 1}


def _ring_over(room: int) -> dict[str, object]:
    return {"type": "ring_over", "room": room}


def _media(room: int) -> dict[str, object]:
    return {"type": "media", "room": room, "session": "s", "data": {"offer": "v=0"}}


def _call_leave(room: int) -> dict[str, object]:
    return {"type": "call_leave", "room": room}


def inside(outcome: str, others: str) -> Expected:
    return {who: outcome if who in INSIDE else others for who in WHO}


INSIDE = {"member", "owner"}
COMMANDS = {
    "watch": (_watch, inside("watching", "removed")),
    "presence": (_here, dict.fromkeys(WHO, "nothing")),
    "typing": (_typing, dict.fromkeys(WHO, "nothing")),
    "draft": (_draft, inside("draft", "removed")),
    "follow": (_follow, dict.fromkeys(WHO, "following")),
    "call_join": (_call_join, inside("call_joined", "call_refused")),
    "media": (_media, inside("error", "error")),
    "signal": (_signal, inside("nothing", "error")),
    "ring": (_ring, inside("nothing", "error")),
    "ring_over": (_ring_over, inside("ring_over", "error")),
    "call_leave": (_call_leave, inside("call_over", "error")),
    "unwatch": (_unwatch, dict.fromkeys(WHO, "nothing")),
    "read": (_read, inside("unread", "nothing")),
    "post": (_say, inside("ack", "refused not_member")),
}

OF_MEMBERS = {
    *{"changes", "watching", "ack", "news", "unread", "draft", "mine"},
    *{"call", "signal", "ring", "ring_over"},
}
ENDS = {
    *{"watching", "ack", "following", "unread", "draft"},
    *{"call_joined", "call_refused", "call_over", "ring_over"},
}


def test_the_table_names_every_command():
    assert set(COMMANDS) == KINDS


@pytest.mark.parametrize("who", WHO)
async def test_each_command_is_carried_out_for_members_only(roomy, who):
    play = await scene(roomy)
    person = await play.prepare(who)
    async with person.socket() as socket:
        if who == "visitor":
            assert await socket.closed() == 4401
            return
        epoch = (await socket.receive_json("hello"))["epoch"]
        for make, expected in COMMANDS.values():
            frame = make(play.room)
            if "cursor" in frame:
                frame["cursor"] = f"{epoch}:0"
            await socket.send_json(frame)
            outcome = await _outcome_of(socket, play.room, who, expected[who])
            assert outcome == expected[who], frame
        await _hears(play, socket, epoch, hears=who in INSIDE)


async def _outcome_of(socket: AsgiSocket, room: int, who: str, expected: str) -> str:
    """The answer to the last command. A watch is answered by a task and a post by the writer, so an
    answer is waited for as long as it takes; that none comes is believed after a moment."""
    while True:
        try:
            frame = json.loads(await socket.receive(0.15 if expected == "nothing" else 10))
        except TimeoutError:
            return "nothing"
        if who not in INSIDE:
            assert frame["type"] not in OF_MEMBERS, frame
            assert SECRET not in json.dumps(frame)
        if frame["type"] in ENDS:
            return str(frame["type"])
        if frame["type"] == "refused":
            return f"refused {frame['code']}"
        if frame["type"] in {"removed", "error"}:
            assert frame.get("room", room) == room
            return str(frame["type"])


async def _hears(play: Scene, socket: AsgiSocket, epoch: str, *, hears: bool) -> None:
    await socket.send_json({**_watch(play.room), "cursor": f"{epoch}:0"})
    await socket.receive_json("watching" if hears else "removed")
    await play.member.says(play.room, "only for us")
    if hears:
        frame = await socket.receive_json("changes")
        while "only for us" not in frame["html"]:
            frame = await socket.receive_json("changes")
    else:
        await socket.silence(0.15)
