"""Whatever happens in a room: a screen that followed it, or that comes back to it, is what a fresh page shows.

`ACTIONS` names every command with what people do to cause it; a new command without a line there fails the first test.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from sqlalchemy import select, update

from chatapp.domain import commands
from chatapp.domain.changes import APPLY
from chatapp.domain.commands import (
    AcceptInvitation,
    AddMember,
    ChangeAvatar,
    CreateRoom,
    DeleteAccount,
    DeleteMessage,
    DeleteRoom,
    EditMessage,
    EditProfile,
    EditRoom,
    JoinCall,
    JoinRoom,
    LeaveCall,
    LeaveRoom,
    Moderate,
    OpenDirect,
    Page,
    Pin,
    PostMessage,
    React,
    RemovePreview,
    RestoreMessage,
    SettleCall,
    ShapeRoom,
    ShowPreview,
)
from chatapp.tables import messages, participants, rooms, users
from tests.domain.world import Revise, a_post
from tests.routes import pages
from tests.routes.filing import DOT, says_with, sends, shows_face
from tests.routes.people import Person, services, somebody
from tests.routes.screens import Look, Screen
from tests.support.asgi import Site

NAMES = {
    "ann": "Ann Archer",
    "bob": "Bob Baker",
    "cat": "Cat Carver",
    "dan": "Dan Dyer",
    "eve": "Eve Eager",
}


class World:
    """Ann looks after the site and owns the lab, where bob and cat are too, dan has been and eve has not.
    Bob owns the den, where cat is too, and ann has only set the topic; in his nook nobody else is."""

    ann: Person
    bob: Person
    cat: Person
    dan: Person
    eve: Person

    def __init__(self, site: Site) -> None:
        self.site = site
        self.people: dict[str, Person] = {}
        self.lab = self.den = self.nook = 0
        self.times = 0
        self.screens: list[Screen] = []

    def __getattr__(self, name: str) -> Person:
        return self.people[name]

    async def begin(self) -> "World":
        """Again from the start: new rooms, and somebody new for everybody who is gone."""
        self.times += 1
        self.screens = []
        for short, name in NAMES.items():
            if short not in self.people or not await self.people[short].is_signed_in():
                other = name if self.times == 1 else f"{name} {self.times}"
                self.people[short] = await somebody(self.site, other)
        await self.ann.becomes_administrator()
        kit = services(self.site)
        rows = await kit.database.fetch_all(select(users.c.id, users.c.email))
        number = {row.email: row.id for row in rows}
        ann, bob, cat, dan, _ = (number[person.email] for person in self.people.values())
        ask = kit.writer.ask  # as over HTTP, but quicker
        self.lab = await ask(CreateRoom(ann, self.name_of("lab"), "What we found out"))
        for each in (bob, cat, dan):
            await ask(JoinRoom(each, self.lab))
            await ask(a_post(each, self.lab, f"{each} was here"))
        await ask(LeaveRoom(dan, self.lab))
        self.den = await ask(CreateRoom(bob, self.name_of("den"), ""))
        await ask(JoinRoom(cat, self.den))
        await ask(a_post(cat, self.den, "so quiet"))
        await ask(EditRoom(ann, self.den, self.name_of("den"), "Shoes off"))
        self.nook = await ask(CreateRoom(bob, self.name_of("nook"), ""))
        return self

    def name_of(self, room: str) -> str:
        return f"{room} {self.times}"

    async def settle(self) -> None:
        """Everything that was sent is on the screens it was sent to."""
        for screen in self.screens:
            await screen.is_answered()
        query = select(rooms.c.id, rooms.c.last_seq)
        last = {row.id: row.last_seq for row in await services(self.site).database.fetch_all(query)}
        for screen in self.screens:
            await screen.settle(last.get(screen.room))

    async def compare(self) -> None:
        """Each screen with a fresh page of the same person, and that with older pages read one by one."""
        fresh: dict[tuple[str, int], Screen] = {}
        whole: dict[int, Look] = {}
        for screen in self.screens:
            who = screen.person.name, screen.room
            if who not in fresh:
                fresh[who] = await Screen(screen.person, screen.room).load()
            page = fresh[who]
            assert screen.strays == [], f"{screen} heard of a room that is not theirs"
            if screen.look.place == "outside" and page.look.place in {"gone", "room"}:
                continue  # no member when it was deleted; or let in again, and not there again yet
            if page.look.place == "room" and screen.room not in whole:
                whole[screen.room] = await page.read_back()
            screen.assert_like(page, whole.get(screen.room, Look("")))

    async def leave(self) -> None:
        for screen in self.screens:
            await screen.lose()


@pytest.fixture
async def world(roomy: Site) -> World:
    return await World(roomy).begin()


# -- what people do, by the command it becomes ----------------------------------------

Action = Callable[[World], Awaitable[Any]]


def shapes(who: str, what: str, **fields: str) -> Action:
    return lambda world: world.people[who].post(f"/rooms/{world.lab}/{what}", fields)


def adds(who: str, whom: str) -> Action:
    def add(world: World) -> Awaitable[Any]:
        name = world.people[whom].name
        return world.people[who].post(f"/rooms/{world.lab}/members/add", {"name": name})

    return add


def moderates(who: str, whom: str, what: str, **fields: str) -> Action:
    async def act(world: World) -> None:
        query = select(users.c.id).where(users.c.name == world.people[whom].name)
        number = await services(world.site).database.fetch_value(query)
        path = f"/rooms/{world.lab}/members/{number}"
        await world.people[who].post(path, {"do": what, **fields})

    return act


def opens_direct(who: str, whom: str) -> Action:
    def opens(world: World) -> Awaitable[Any]:
        return world.people[who].post("/direct", {"names": world.people[whom].name})

    return opens


def at_once(*actions: Action) -> Action:
    return lambda world: asyncio.gather(*(each(world) for each in actions))


def in_turn(*actions: Action) -> Action:
    async def act(world: World) -> None:
        for each in actions:
            await each(world)

    return act


def says(who: str, body: str = "hello") -> Action:
    return lambda world: world.people[who].says(world.lab, body)


def joins(who: str) -> Action:
    return lambda world: world.people[who].joins(world.lab)


def accepts(*guests: str, uses: int = 9) -> Action:
    """Ann invites into the lab, and these come; 'new' is somebody who has no account yet."""

    async def act(world: World) -> None:
        form = {"role": "member", "days": "7", "uses": str(uses), "room": str(world.lab)}
        link = pages.typed((await world.ann.post("/invitations", form)).text, "link")
        path = "/invite/" + link.rpartition("/")[2]
        for who in guests:
            if who == "new":
                new = Person(world.site)
                fields = {"name": new.name, "email": new.email, "password": new.password}
                answer = await new.post(path, fields)
            else:
                answer = await world.people[who].post(path)
            assert answer.status_code in {303, 404}, answer.text

    return act


def leaves(who: str, room: str = "lab") -> Action:
    return lambda world: world.people[who].leaves(getattr(world, room))


def edits(who: str, name: str = "", topic: str = "What we found out") -> Action:
    """`name` '' leaves it as it is."""

    async def act(world: World) -> None:
        given = f"{name} {world.times}" if name else world.name_of("lab")
        path = f"/rooms/{world.lab}/settings"
        answer = await world.people[who].post(path, {"name": given, "topic": topic})
        assert answer.status_code in {303, 403, 422}

    return act


def shows_a_face(who: str) -> Action:
    return lambda world: shows_face(getattr(world, who))


def hides_their_face(who: str) -> Action:
    return lambda world: getattr(world, who).post("/settings/avatar/remove")


def deletes(who: str, room: str) -> Action:
    async def act(world: World) -> None:
        path = f"/rooms/{getattr(world, room)}/delete"
        answer = await world.people[who].post(path, {"confirm": world.name_of(room)})
        assert answer.status_code == 303

    return act


def ends_account(who: str) -> Action:
    async def act(world: World) -> None:
        person = world.people[who]
        form = {"password": person.password}
        assert (await person.post("/settings/delete-account", form)).status_code == 303

    return act


def becomes(who: str, name: str, hue: str) -> Action:
    async def act(world: World) -> None:
        form = {"name": f"{name} {world.times}", "hue": hue}
        answer = await world.people[who].post("/settings/profile", form)
        assert answer.status_code == 303

    return act


def answers(who: str, body: str = "an answer") -> Action:
    """To what bob said when he came, over HTTP and over a line; and to that answer."""

    async def act(world: World) -> None:
        person = world.people[who]
        first = (await person.tries_to_say(world.lab, body, reply="3")).json().get("seq", 3)
        await person.tries_to_say(world.lab, f"**{body}** again", reply=str(first))
        await person.tries_to_say(world.lab, "to nothing", reply="99")
        for screen in world.screens:
            if screen.person is person and screen.is_online:
                await screen.says(body, str(uuid4()), reply=3)

    return act


def quoted_ones_change(who: str, *then: Action) -> Action:
    """Bob was answered, and then he or what he said is another one."""

    async def act(world: World) -> None:
        await answers(who)(world)
        for each in then:
            await each(world)
        await answers(who)(world)

    return act


async def says_twice_with_one_key(world: World) -> None:
    key = str(uuid4())
    for _ in range(2):
        answer = await world.bob.tries_to_say(world.lab, "only once", key=key)
        assert answer.status_code == 200


async def says_over_the_line(world: World) -> None:
    for screen in world.screens:
        if screen.person is world.bob and screen.is_online:
            for number in range(5):
                await screen.says(f"**live** {number}\n<b>&amp; https://x.example/?a=1&b=2", str(uuid4()))  # fmt: skip


async def speak_at_once(world: World) -> None:
    people = (world.ann, world.bob, world.cat)
    await asyncio.gather(*(people[n % 3].says(world.lab, f"at once {n}") for n in range(12)))


async def come_and_go_at_once(world: World) -> None:
    await asyncio.gather(
        world.eve.joins(world.lab),
        world.cat.leaves(world.lab),
        world.ann.says(world.lab, "who is here?"),
        world.dan.joins(world.lab),
        world.bob.says(world.lab, "me"),
        edits("ann", "Laboratory", "Found out")(world),
        world.eve.leaves(world.lab),
    )


async def number_of(world: World, who: str) -> int:
    query = select(users.c.id).where(users.c.email == world.people[who].email)
    return int(await services(world.site).database.fetch_value(query))


def calls(*comings: str, goings: tuple[str, ...] = ()) -> Action:
    """These come into the lab's call, and those go."""

    async def act(world: World) -> None:
        ask = services(world.site).writer.ask
        for who in comings:
            line = f"{who}-{uuid4().hex[:16]}"
            await ask(JoinCall(await number_of(world, who), world.lab, line, "", 6, 6))
            if who in goings:
                await ask(LeaveCall(await number_of(world, who), world.lab, line))

    return act


async def lapses(world: World) -> None:
    """Bob's machine dies while he is in a call."""
    kit = services(world.site)
    await calls("bob")(world)
    async with kit.database.transaction() as tx:
        await tx.execute(update(participants).values(until=0))
    await kit.writer.ask(SettleCall(world.lab))


def changes_message(who: str, *steps: str, body: str = "changed") -> Action:
    """`steps` of edit, delete, restore: what somebody does to what they said a moment ago."""

    async def act(world: World) -> None:
        person = world.people[who]
        seq = await person.says(world.lab, f"{who} says @Bob Baker `x`")
        for n, step in enumerate(steps):
            form = {"body": f"{body} {n}", "base": str(n)} if step == "edit" else {}
            answer = await person.post(f"/rooms/{world.lab}/messages/{seq}/{step}", form)
            assert answer.status_code == 303

    return act


def sends_files(who: str, *steps: str) -> Action:
    """Some with words and some without, which somebody answers; then `steps`, as of `changes_message`."""

    async def act(world: World) -> None:
        person = world.people[who]
        dot = await sends(person, world.lab, "<dot>.png", DOT)
        text = await sends(person, world.lab, "notes & more.txt", "α < β".encode())
        sound = await sends(person, world.lab, "s.mp3", b"ID3" + bytes(20))
        await says_with(person, world.lab, sound, body="listen")
        seq = await says_with(person, world.lab, dot, text)
        await world.ann.tries_to_say(world.lab, "nice", reply=str(seq))
        for step in steps:
            form = {"body": "with words now", "base": "0"} if step == "edit" else {}
            answer = await person.post(f"/rooms/{world.lab}/messages/{seq}/{step}", form)
            assert answer.status_code == 303

    return act


def reacts(*steps: str, at: int = -1) -> Action:
    """Each step 'who emoji', with a '-' ahead of the emoji to take it back. `at`: of the lab's messages."""

    async def act(world: World) -> None:
        seqs = await said_in(world)
        for who, sign in map(str.split, steps):
            form = {"emoji": sign.lstrip("-"), "on": str(sign[0] != "-").lower()}
            path = f"/rooms/{world.lab}/messages/{seqs[at]}/react"
            answer = await world.people[who].post(path, form)
            assert answer.status_code in {303, 403}

    return act


async def all_at_once_change_theirs(world: World) -> None:
    await asyncio.gather(
        *(changes_message(who, "edit", "edit", "delete")(world) for who in ("ann", "bob", "cat")),
        speak_at_once(world),
    )


async def ann_deletes_what_is_there(world: World) -> None:
    """Also what stood there before anybody watched, and what its author's account did not survive."""
    await ends_account("cat")(world)
    for seq in (3, 5, 7):
        answer = await world.ann.post(f"/rooms/{world.lab}/messages/{seq}/delete")
        assert answer.status_code == 303


async def said_in(world: World) -> list[int]:
    query = select(messages.c.seq).where(
        messages.c.room_id == world.lab, messages.c.kind == "message"
    )
    rows = await services(world.site).database.fetch_all(query.order_by(messages.c.seq))
    return [row.seq for row in rows]


def pins(who: str, *steps: int, at: int = -1) -> Action:
    """Each step: 1 to pin one of the lab's messages, 0 to unpin it."""

    async def act(world: World) -> None:
        seq = (await said_in(world))[at]
        for on in steps:
            path = f"/rooms/{world.lab}/messages/{seq}/pin"
            answer = await world.people[who].post(path, {"on": str(bool(on)).lower()})
            assert answer.status_code in {303, 403}

    return act


LINK = "https://x.example/?a=1&b=<2>"
PAGE = Page(LINK, "x <b>.example", "A <i>title</i> & more", "What it says", 0, 0)


def shows_preview(who: str, *steps: str) -> Action:
    """Somebody says a link, and what is behind it is shown; then `steps`: of edit, reword, delete, restore, remove."""

    async def act(world: World) -> None:
        person = getattr(world, who)
        seq = await person.says(world.lab, f"see {LINK}")
        page = msgspec.structs.replace(PAGE, url="https://x.example/?a=1&b=%3C2%3E")
        await services(world.site).writer.ask(ShowPreview(world.lab, seq, f"see {LINK}", page))
        base = 0
        for step in steps:
            path = f"/rooms/{world.lab}/messages/{seq}/{step}"
            form = {"base": str(base), "body": "nothing" if step == "edit" else f"do see {LINK}"}
            if step in {"edit", "reword"}:
                base, path = base + 1, path.replace("reword", "edit")
            path = path.replace("remove", "preview/remove")
            assert (await person.post(path, form)).status_code == 303

    return act


async def react_at_once(world: World) -> None:
    people = ("ann", "bob", "cat")
    await asyncio.gather(
        *(
            reacts(f"{who} {sign}", at=at)(world)
            for who in people
            for sign in "👍🎉"
            for at in (0, -1)
        ),
        world.bob.says(world.lab, "in between"),
    )


ACTIONS: dict[type, dict[str, Action]] = {
    EditMessage: {
        "bob edits what he said": changes_message("bob", "edit"),
        "bob edits it twice, with signs": changes_message(
            "bob", "edit", "edit", body="> @Ann Archer **<b>**\n```py\nx = 1\n```\n"
        ),
        "everybody edits and deletes at once": all_at_once_change_theirs,
        "bob says something to files, which are quoted": sends_files("bob", "edit"),
    },
    DeleteMessage: {
        "bob deletes what he said": changes_message("bob", "delete"),
        "ann deletes what others said": ann_deletes_what_is_there,
        "bob deletes files, and takes some back": sends_files("bob", "delete", "restore", "delete"),
    },
    RestoreMessage: {
        "bob takes it back": changes_message("bob", "edit", "delete", "restore"),
        "ann cannot decide": changes_message("ann", "delete", "restore", "delete", "restore"),
    },
    PostMessage: {
        "ann says something": says("ann"),
        "bob says something long, with lines, links and signs": says(
            "bob", "a <b>\n" * 300 + "https://x.example/?a=1&b=2 \U0001f370 e\u0301"
        ),
        "bob says it again with the same key": says_twice_with_one_key,
        "bob says five things over the line": says_over_the_line,
        "everybody speaks at once": speak_at_once,
        "cat answers": answers("cat"),
        "bob answers himself": answers("bob", "a <b>& so on"),
        "eve may not answer": answers("eve"),
        "bob sends files": sends_files("bob"),
    },
    CreateRoom: {
        "ann opens a room": lambda world: world.ann.opens(f"Another {world.times}"),
        "an outsider opens a room": lambda world: world.eve.opens(f"Eves {world.times}"),
    },
    ShapeRoom: {
        "ann closes the room": shapes("ann", "kind", kind="closed"),
        "ann opens the room again": in_turn(
            shapes("ann", "kind", kind="closed"), shapes("ann", "kind", kind="open", sure="on")
        ),
        "ann lets only few write": shapes("ann", "talk", announcement="on", slow="0"),
        "ann slows the room down": shapes("ann", "talk", slow="60"),
        "ann archives the room": shapes("ann", "archive", on="true"),
        "ann archives it and brings it back": in_turn(
            shapes("ann", "archive", on="true"), shapes("ann", "archive", on="false")
        ),
    },
    AddMember: {
        "ann brings in eve": adds("ann", "eve"),
        "ann brings in dan, who had left": adds("ann", "dan"),
        "ann brings in bob, who is there": adds("ann", "bob"),
    },
    Moderate: {
        "ann makes bob a moderator": moderates("ann", "bob", "promote"),
        "ann takes the role away again": in_turn(
            moderates("ann", "bob", "promote"), moderates("ann", "bob", "demote")
        ),
        "ann hands the room over": moderates("ann", "bob", "hand_over"),
        "ann mutes bob": moderates("ann", "bob", "mute", minutes="10"),
        "ann lets bob write again": in_turn(
            moderates("ann", "bob", "mute", minutes="10"), moderates("ann", "bob", "unmute")
        ),
        "ann removes bob": moderates("ann", "bob", "remove"),
        "ann bans bob and lifts it": in_turn(
            moderates("ann", "bob", "ban"), moderates("ann", "bob", "unban")
        ),
        "ann hides what bob said": moderates("ann", "bob", "hide"),
        "ann hides it and brings it back": in_turn(
            moderates("ann", "bob", "hide"), moderates("ann", "bob", "unhide")
        ),
        "bob tries to remove ann": moderates("bob", "ann", "remove"),
    },
    OpenDirect: {
        "ann opens a conversation with bob": opens_direct("ann", "bob"),
        "bob and ann open it at once": at_once(
            opens_direct("ann", "bob"), opens_direct("bob", "ann")
        ),
    },
    EditRoom: {
        "ann renames the room": edits("ann", "Workshop"),
        "ann changes the topic": edits("ann", topic="With tools"),
        "ann takes the topic away": edits("ann", topic=""),
        "ann changes both": edits("ann", "Workshop", "With tools"),
        "ann changes nothing": edits("ann"),
        "ann takes a name that is taken": edits("ann", "den", "not this"),
        "bob may not": edits("bob", "Mine", "mine"),
    },
    DeleteRoom: {
        "ann deletes the lab": deletes("ann", "lab"),
        "bob deletes the den": deletes("bob", "den"),
    },
    JoinRoom: {
        "eve joins": joins("eve"),
        "dan comes back": joins("dan"),
        "bob joins again": joins("bob"),
        "people come and go at once": come_and_go_at_once,
    },
    AcceptInvitation: {
        "eve accepts": accepts("eve"),
        "dan comes back by it": accepts("dan"),
        "bob is in already": accepts("bob"),
        "somebody new signs up by it": accepts("new"),
        "it is used up": accepts("eve", "dan", uses=1),
    },
    LeaveRoom: {
        "bob leaves": leaves("bob"),
        "the owner leaves": leaves("ann"),
        "the owner of the den leaves": leaves("bob", "den"),
        "dan leaves again": leaves("dan"),
        "eve leaves where she never was": leaves("eve"),
    },
    JoinCall: {
        "bob starts a call": calls("bob"),
        "ann and bob are in a call": calls("ann", "bob"),
    },
    LeaveCall: {
        "a call starts and ends": calls("bob", goings=("bob",)),
        "two calls, one after the other": calls("ann", "bob", goings=("ann", "bob")),
    },
    React: {
        "bob reacts": reacts("bob 👍"),
        "people join in and take it back": reacts(
            "bob 👍", "ann 👍", "cat 🎉", "bob -👍", "cat -🎉"
        ),
        "bob takes back what he never had": reacts("bob -👍"),
        "nothing is left of it": reacts("bob 👍", "bob -👍"),
        "an old message gets one": reacts("bob 👍", at=0),
        "an outsider and who has left may not": reacts("eve 👍", "dan 👍"),
        "many react at once, and somebody speaks": react_at_once,
    },
    Pin: {
        "bob pins a message": pins("bob", 1),
        "an old one is pinned, twice": pins("bob", 1, 1, at=0),
        "it is pinned and unpinned": pins("ann", 1, 0, 0),
        "an outsider may not": pins("eve", 1),
    },
    ShowPreview: {
        "bob's link shows its page": shows_preview("bob"),
        "it stays with other words": shows_preview("bob", "reword"),
        "it goes with the link": shows_preview("bob", "edit"),
        "it goes with the message, and comes back": shows_preview("bob", "delete", "restore"),
    },
    RemovePreview: {
        "bob removes it": shows_preview("bob", "remove", "remove", "reword"),
    },
    SettleCall: {"bob's machine dies in a call": lapses},
    DeleteAccount: {
        "cat's account ends": ends_account("cat"),
        "the account of the den's owner ends": ends_account("bob"),
        "the account of somebody who has left ends": ends_account("dan"),
        "the account of who only looked after a room ends": ends_account("ann"),
        "the account of somebody who was never there ends": ends_account("eve"),
        "the account of somebody who was answered ends": quoted_ones_change(
            "cat", ends_account("bob")
        ),
    },
    ChangeAvatar: {
        "bob has a picture": shows_a_face("bob"),
        "cat has another picture": in_turn(shows_a_face("cat"), says("cat"), shows_a_face("cat")),
        "bob shows initials again": in_turn(shows_a_face("bob"), hides_their_face("bob")),
        "somebody who has left has a picture": shows_a_face("dan"),
    },
    EditProfile: {
        "bob has another name": becomes("bob", "Robert Baker", "3"),
        "cat has another colour": becomes("cat", "Cat Carver", "11"),
        "somebody who has left has another name": becomes("dan", "Daniel Dyer", "3"),
        "somebody who only looked after a room has another name": becomes(
            "ann", "Anna Archer", "3"
        ),
        "somebody who was never there has another name": becomes("eve", "Eva Eager", "3"),
        "somebody who was answered has another name": quoted_ones_change(
            "cat", becomes("bob", "Robert Baker", "3")
        ),
    },
}


def test_every_command_is_among_the_actions():
    """Whoever adds a command adds here what people do with it, so that the tests below look at it."""
    assert set(ACTIONS) == {PostMessage, *APPLY}
    known = commands.PostMessage | commands.RoomCommand
    assert set(ACTIONS) == set(known.__args__), "a command that nothing carries out"


@pytest.mark.parametrize("words", ["**other** words", None], ids=["edited", "deleted"])
async def test_an_answer_shows_what_it_answers_as_it_is_now(
    world: World, words: str | None, monkeypatch: pytest.MonkeyPatch
):
    """Whoever was there, comes back, or opens the room."""
    monkeypatch.setitem(APPLY, Revise, Revise.apply)

    async def revise(world: World) -> None:
        bob = await number_of(world, "bob")
        await services(world.site).writer.ask(Revise(bob, world.lab, 3, words))

    await followed(world, quoted_ones_change("cat", revise))
    quotes = {
        quote.text
        for screen in world.screens
        if screen.person is world.bob and screen.room == world.lab
        for row in screen.look.rows
        for quote in row.all("a", class_="reply-ref")
        if quote.attributes["data-to"] == "3"
    }
    assert quotes == {"Bob Baker" + ("Deleted message" if words is None else "other words")}
    await world.leave()


@pytest.mark.parametrize(
    "whole", [False, pytest.param(True, marks=pytest.mark.faults)], ids=["one", "all"]
)
@pytest.mark.parametrize("command", ACTIONS, ids=lambda command: command.__name__)
async def test_a_screen_that_followed_or_comes_back_is_a_fresh_page(
    world: World, command: type, whole: bool
):
    """DEL-01: live and after an absence; for the owner, members, a former member and an outsider.

    Of what people do to cause a command one thing is tried, on one of the databases; `make faults` tries all on both.
    """
    wrong: dict[str, str] = {}
    some = list(ACTIONS[command].items())
    if not whole:
        turn = list(ACTIONS).index(command) + int(services(world.site).database.is_sqlite)
        some = some[turn % 2 :: 2][:1] or some[:1]
    for what, act in some:
        try:
            await followed(world, act)
        except AssertionError as error:
            wrong[what] = str(error)
        await world.leave()
        await world.begin()
    assert wrong == {}


async def followed(world: World, act: Action) -> None:
    lab, den = world.lab, world.den
    live = [(world.ann, lab), (world.bob, lab), (world.dan, lab), (world.eve, lab)]
    late = [(world.bob, lab), (world.cat, den)]
    away = []
    for who, room in live + late:
        screen = await (await Screen(who, room).load()).follow()
        world.screens.append(screen)
        if len(world.screens) > len(live):
            away.append(screen)
    await world.settle()
    for screen in away:
        await screen.lose()
    await act(world)
    for screen in away:
        await screen.follow()
    await world.settle()
    await world.compare()


# -- anything in any order --------------------------------------------------------------


class Story:
    """Random people do random things in random order, while lines break and mend."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.dice = random.Random(seed)
        self.people = [*world.people.values()]
        self.rooms = [world.lab, world.den]
        self.told: list[str] = []
        self.names = 0

    def _some_name(self) -> str:
        self.names += 1
        return f"{self.dice.choice(['Tea', 'Attic', 'Yard'])} {self.names}"

    async def post(self, who: Person, room: int) -> None:
        lines = [s for s in self.world.screens if s.person is who and s.room == room]
        over = self.dice.choice([s for s in lines if s.is_online and s.look.place == "room"] or [None])  # fmt: skip
        for number in range(self.dice.choice([1, 1, 1, 1, 1, 1, 4, 4, 60])):
            body = f"{who.name} says {number}"
            reply = self.dice.choice([0, 0, 2, 3, 5, 8])
            if over is not None and (number > 5 or self.dice.random() < 0.7):
                await over.says(body, str(uuid4()), reply)
            else:
                await who.tries_to_say(room, body, reply=str(reply))

    async def change(self, who: Person, room: int) -> None:
        """Some message is edited, deleted or brought back, if that is theirs to do."""
        seq = self.dice.randrange(1, 60)
        step = self.dice.choice(["edit", "edit", "delete", "restore"])
        form = {"body": f"{who.name} thinks again {seq}", "base": "0"}
        answer = await who.post(f"/rooms/{room}/messages/{seq}/{step}", form)
        assert answer.status_code < 500

    async def create(self, who: Person, _room: int) -> None:
        self.rooms.append(await who.opens(self._some_name()))

    async def edit(self, who: Person, room: int) -> None:
        form = {"name": self._some_name(), "topic": self.dice.choice(["", "On " + who.name])}
        await who.post(f"/rooms/{room}/settings", form)

    async def delete(self, who: Person, room: int) -> None:
        page = await who.get(f"/rooms/{room}/settings")
        if page.status_code == 200 and self.dice.random() < 0.4:
            await who.post(f"/rooms/{room}/delete", {"confirm": await self._name(room)})

    async def _name(self, room: int) -> str:
        query = select(rooms.c.name).where(rooms.c.id == room)
        return str(await services(self.world.site).database.fetch_value(query))

    async def join(self, who: Person, room: int) -> None:
        await who.post(f"/rooms/{room}/join")

    async def leave(self, who: Person, room: int) -> None:
        await who.post(f"/rooms/{room}/leave")

    async def react(self, who: Person, room: int) -> None:
        form = {
            "emoji": self.dice.choice("👍🎉🍵"),
            "on": self.dice.choice(["true", "true", "false"]),
        }
        await who.post(f"/rooms/{room}/messages/{self.dice.randrange(1, 30)}/react", form)

    async def pin(self, who: Person, room: int) -> None:
        form = {"on": self.dice.choice(["true", "true", "false"])}
        await who.post(f"/rooms/{room}/messages/{self.dice.randrange(1, 30)}/pin", form)

    async def end_account(self, who: Person, _room: int) -> None:
        if who in self.people[2:] and len(self.people) > 3:
            self.people.remove(who)
            await who.post("/settings/delete-account", {"password": who.password})

    async def change_profile(self, who: Person, _room: int) -> None:
        form = {"name": f"{who.name.split()[0]} {self._some_name()}", "hue": "7"}
        await who.post("/settings/profile", form)

    # -- the telling --------------------------------------------------------------

    async def go_on(self, chances: dict[str, int]) -> None:
        """One step: a few things at once, or a line that breaks or mends."""
        if self.dice.random() < 0.35:
            screen = self.dice.choice(self.world.screens)
            self.told.append(f"{screen} {'loses' if screen.is_online else 'gets'} its line")
            await (screen.lose() if screen.is_online else screen.follow())
            return
        some = self.dice.choice([1, 1, 2, 4])
        picked = self.dice.choices([*chances], [*chances.values()], k=some)
        steps = [(what, self.dice.choice(self.people), self.dice.choice(self.rooms)) for what in picked]  # fmt: skip
        self.told += [f"{what} by {who.name} in {room}" for what, who, room in steps]
        await asyncio.gather(*(getattr(self, what)(who, room) for what, who, room in steps))
        if self.dice.random() < 0.3:
            await self.world.settle()

    async def opens_tabs(self) -> None:
        for who in self.people:
            for room in self.dice.sample(self.rooms, 2):
                screen = await Screen(who, room).load()
                self.world.screens.append(await screen.follow())

    async def ends(self) -> None:
        """Everybody comes back; whoever found the door closed knocks again."""
        for screen in self.world.screens:
            await screen.follow()
        await self.world.settle()
        await self.world.compare()


IN_ROOMS = {
    "post": 8,
    "change": 8,
    "react": 6,
    "pin": 2,
    "create": 1,
    "edit": 3,
    "delete": 1,
    "join": 5,
    "leave": 3,
}
WITH_ACCOUNTS = {**IN_ROOMS, "end_account": 1, "change_profile": 2}


async def tell(world: World, seed: int, chances: dict[str, int], steps: int) -> None:
    story = Story(world, seed)
    await story.opens_tabs()
    try:
        for _ in range(steps):
            await story.go_on(chances)
        await story.ends()
    except AssertionError as error:
        told = "\n".join(story.told)
        raise AssertionError(f"seed {seed}: {error}\nafter\n{told}") from error
    finally:
        await world.leave()


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.faults)])
async def test_whatever_happens_in_rooms_and_whenever_lines_break_screens_are_fresh_pages(
    world: World, seed: int
):
    await tell(world, seed, IN_ROOMS, 40)


async def test_the_same_when_people_change_their_names_and_go_for_good(world: World):
    await tell(world, 3, WITH_ACCOUNTS, 40)
