"""What a tab shows: the page it was loaded with and every frame since, put together as the page's scripts do it.

`chatapp/static/js` holds the real thing, which `tests/browser/test_screens.py` looks at; this one is quick enough to
try every action on both databases. It knows what `docs/protocol.md` tells a browser, and no more.
"""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any, Final

from tests.routes import pages
from tests.routes.pages import Element
from tests.routes.people import HTMX, Person
from tests.support.asgi_socket import AsgiSocket, Closed

BARRIER: Final = (
    "is-that-all"  # a command that nobody knows: its answer comes after all that was sent before
)
OF_THE_READER: Final = {
    "is-lead",
    "is-follow",
    "is-own",
    "is-mention",
    "me",  # whom a mention in it names
    "is-bookmarked",
}  # the browser gives these, by neighbours and reader
CARRIED: Final = {"data-hue", "data-initials", "data-avatar"}
NOT_YOURS: Final = {"deleted": "gone", "left": "outside", "removed": "outside"}


@dataclass(frozen=True)
class Look:
    """All that is compared. `place` is 'room', 'outside' (not a member), 'gone' (no such room) or 'signed out'."""

    place: str
    rows: tuple[Element, ...] = ()
    name: str = ""
    topic: str = ""
    members: tuple[tuple[str, bool], ...] = ()  # name, and whether they own the room
    sidebar: tuple[tuple[str, str], ...] = ()  # address and name

    @property
    def visible(self) -> "Look":
        """Some events carry their author's colour for other rows; nobody sees it there."""
        return replace(self, rows=tuple(map(_without_carriers, self.rows)))

    @property
    def numbers(self) -> list[int]:
        return [int(row.attributes["data-seq"]) for row in self.rows]

    def since(self, number: int) -> "Look":
        """Without what is above: a tab shows older rows only when it is asked to."""
        rows = (row for row in self.rows if int(row.attributes["data-seq"]) >= number)
        return replace(self, rows=tuple(rows))

    def differs(self, other: "Look") -> str:
        """In words, for whoever reads the failure. '' when nothing does."""
        said = [
            f"{field} {mine!r} and not {theirs!r}"
            for field in ("place", "name", "topic", "members", "sidebar", "numbers")
            if (mine := getattr(self, field)) != (theirs := getattr(other, field))
        ]
        if self.numbers == other.numbers:
            said += [
                f"{mine} and not {theirs}"
                for mine, theirs in zip(self.rows, other.rows, strict=True)
                if mine != theirs
            ]
        return "; ".join(said)


def _without_carriers(row: Element) -> Element:
    if row.tag == "article":
        return row
    kept = {name: value for name, value in row.attributes.items() if name not in CARRIED}
    return replace(row, attributes=kept)


def rows_of(html: str) -> dict[int, Element]:
    """Messages and events by number, without what each reader's browser adds."""
    found = {}
    for row in pages.read(html).everything():
        if (number := row.attributes.get("data-seq", "")).isdigit():
            for part in (row, *row.all("span", class_="mention")):
                part.attributes["class"] = " ".join(
                    name for name in part.classes if name not in OF_THE_READER
                )
            for chip in row.all("button", class_="reaction"):  # so is what is pressed
                chip.attributes |= {"aria-pressed": "false", "value": "true"}
            found[int(number)] = row
            row.attributes.pop("aria-description", None)
    return found


def _members(page: Element) -> tuple[tuple[str, bool], ...]:
    return tuple(
        (
            person.one("bdi").text,
            any(mark.text.strip() == "Owner" for mark in person.all("span")),
        )
        for person in page.all("li", class_="person")
    )


def _sidebar(page: Element) -> tuple[tuple[str, str], ...]:
    rooms = page.one("div", id="side-rooms-list").all("a", class_="side-row")
    return tuple((room.attributes["href"], room.one("bdi").text) for room in rooms)


def _head(page: Element) -> tuple[str, str]:
    topics = page.one("header", class_="room-head").all("p", class_="topic")
    return page.one("h1").text.strip(), topics[0].text if topics else ""


class Screen:
    """A tab of somebody at the address of a room. `follow` opens its line, `lose` breaks it."""

    def __init__(self, person: Person, room: int) -> None:
        self.person = person
        self.room = room
        self.look = Look("nothing yet")
        self.seq = 0
        self.strays: list[
            dict[str, Any]
        ] = []  # frames of a room that came to somebody who is not in it
        self._epoch = ""
        self._rows: dict[int, Element] = {}
        self._line: AsgiSocket | None = None
        self._around: AsyncExitStack | None = None
        self._head_is_old = False
        self._asking = False
        self._unanswered: set[str] = set()

    def __repr__(self) -> str:
        return f"the screen of {self.person.name} at room {self.room}"

    # -- pages ------------------------------------------------------------------

    async def load(self) -> "Screen":
        """As when the page is opened or loaded again."""
        answer = await self.person.get(f"/rooms/{self.room}?end=1")
        self._rows = {}
        if answer.status_code == 303:
            self.look = Look("signed out")
            return self
        page = pages.read(answer.text)
        if answer.status_code == 404:
            self.look = Look("gone")
        elif not (mains := [m for m in page.all("main") if "data-cursor" in m.attributes]):
            self.look = Look("outside")
        else:
            epoch, _, number = mains[0].attributes["data-cursor"].rpartition(":")
            self._epoch, self.seq = epoch, int(number)
            self._rows = rows_of(answer.text)
            name, topic = _head(page)
            self.look = Look("room", (), name, topic, _members(page), _sidebar(page))
            self._arrange()
        return self

    async def read_back(self) -> Look:
        """The room to its first row, page by page from the end. What the page shows is asked for once more."""
        rows: dict[int, Element] = {}
        before = 10**15 - 1
        while before > 1:
            rows |= rows_of((await self.person.get(f"/rooms/{self.room}?before={before}")).text)
            before = min(rows)
        whole = Look("room", tuple(row for _, row in sorted(rows.items())))
        theirs = whole.since(min(self.look.numbers))
        assert self.look.rows == theirs.rows, f"pages differ: {self.look.differs(theirs)}"
        return whole

    def assert_like(self, page: "Screen", whole: Look) -> None:
        """What is seen here is what the fresh page shows, and above it what `whole` has, as far as that is shown."""
        mine = self.look.visible
        assert mine.place == page.look.place, f"{self} has {mine.differs(page.look)}"
        if mine.place != "room":
            return
        theirs = replace(page.look, rows=whole.since(min(mine.numbers, default=0)).rows).visible
        assert mine == theirs, f"{self} has {mine.differs(theirs)}"
        assert set(page.look.numbers) <= set(mine.numbers)

    def _arrange(self) -> None:
        self.look = replace(self.look, rows=tuple(row for _, row in sorted(self._rows.items())))

    async def _refresh_sidebar(self) -> None:
        if self.look.place != "room":
            return
        answer = await self.person.get("/sidebar", headers=HTMX)
        if answer.status_code == 200:
            self.look = replace(self.look, sidebar=_sidebar(pages.read(answer.text)))

    async def _refresh_head(self) -> None:
        """Somebody came, went, or renamed the room: the scripts ask for the members and for the head."""
        self._head_is_old = False
        people = await self.person.get(f"/rooms/{self.room}/members", headers=HTMX)
        page = await self.person.get(f"/rooms/{self.room}?end=1")
        if people.status_code == page.status_code == 200 and 'class="room-head"' in page.text:
            name, topic = _head(pages.read(page.text))
            members = _members(pages.read(people.text))
            self.look = replace(self.look, name=name, topic=topic, members=members)

    # -- the line ---------------------------------------------------------------

    @property
    def is_online(self) -> bool:
        return self._line is not None

    async def follow(self) -> "Screen":
        """Opens the line, and asks for what was missed."""
        if self._line is not None or self.look.place == "signed out":
            return self
        self._around = AsyncExitStack()
        self._line = await self._around.enter_async_context(self.person.socket())
        return self

    async def lose(self) -> None:
        """Whatever was on its way is lost."""
        self._unanswered.clear()
        if self._around is not None:
            await self._around.aclose()
        self._around = self._line = None

    async def says(self, body: str, key: str, reply: int = 0) -> None:
        assert self._line is not None
        self._unanswered.add(key)
        frame = {"type": "post", "room": self.room, "key": key, "body": body}
        await self._line.send_json({**frame, "reply": reply} if reply else frame)

    async def is_answered(self) -> None:
        """Reads until everything that was said over this line has its answer."""
        async with asyncio.timeout(30):
            while self._unanswered and await self._read_all():
                await asyncio.sleep(0.01)

    async def settle(self, last: int | None, seconds: float = 30) -> None:
        """Reads until nothing is left to read and the room's last number is on the screen. `last` None: no room."""
        async with asyncio.timeout(seconds):
            while await self._read_all():
                if self._is_current(last):
                    break
                await asyncio.sleep(0.01)  # rows are being fetched
            if self._head_is_old:
                await self._refresh_head()

    def _is_current(self, last: int | None) -> bool:
        if self.look.place != "room":
            return True
        return not self._asking and last is not None and self.seq >= last

    async def _read_all(self) -> bool:
        """False when the line is no more."""
        if self._line is None:
            return False
        await self._line.send_json({"type": BARRIER})
        while True:
            try:
                frame = json.loads(await self._line.receive(10))
            except Closed as end:
                if end.code != 4401:
                    raise
                self.look = Look("signed out")
                await self.lose()
                return False
            if frame["type"] == "error" and frame["code"] == "command_unknown":
                return True
            await self._take(frame)

    async def _take(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        if kind in {"ack", "refused"}:
            self._unanswered.discard(frame["key"])
        elif kind == "unread":
            pass  # of the person's rooms, not of this tab's: they may have been let in again elsewhere
        elif "room" in frame and frame["room"] == self.room and self.look.place != "room":
            self.strays.append(frame)
        elif kind == "hello":
            if self.look.place == "room":
                await self._watch()
            await self._refresh_sidebar()  # who knows since when the page is old
        elif kind == "sidebar":
            await self._refresh_sidebar()
        elif frame.get("room") == self.room and kind == "changes":
            await self._apply(frame)
        elif frame.get("room") == self.room and kind == "watching":
            self.seq = max(self.seq, frame["seq"])
            self._asking = False
        elif frame.get("room") == self.room and kind == "removed":
            self.look = Look(NOT_YOURS[frame["reason"]])
        elif frame.get("room") == self.room and kind == "reload":
            await self.load()
            await self._watch()
        elif kind == "error":
            raise AssertionError(f"{self} got {frame}")

    async def _watch(self) -> None:
        assert self._line is not None
        self._asking = True
        cursor = f"{self._epoch}:{self.seq}"
        await self._line.send_json({"type": "watch", "room": self.room, "cursor": cursor})

    async def _apply(self, frame: dict[str, Any]) -> None:
        if frame["seq"] <= self.seq:
            return
        if frame["from"] > self.seq:
            await self._watch()
            return
        for number, row in rows_of(frame["html"]).items():
            if number not in self._rows and "data-kind" in row.attributes:
                self._head_is_old = True
            self._rows[number] = row
            self._wear(row)
            self._requote(row)
        self.seq = frame["seq"]
        self._arrange()

    def _wear(self, fresh: Element) -> None:
        """Every row brings its author's name and colour of today, to all rows of theirs."""
        for row in self._rows.values():
            if row.attributes["data-by"] == fresh.attributes["data-by"]:
                _dress(row, *_look_of(fresh))
            for quote in row.all("a", class_="reply-ref"):
                if quote.attributes["data-by"] == fresh.attributes["data-by"]:
                    quote.one("bdi").children[:] = [_name_in(fresh).text]

    def _requote(self, fresh: Element) -> None:
        """A message that says something else than at first tells how it is quoted now."""
        words = fresh.attributes.get("data-quotable")
        if words is None:
            return
        for row in self._rows.values():
            for quote in row.all("a", class_="reply-ref"):
                if quote.attributes["data-to"] == fresh.attributes["data-seq"]:
                    shown = quote.one("span")
                    shown.children[:] = [words or "Deleted message"]
                    shown.attributes.pop("class", None)
                    if not words:
                        shown.attributes["class"] = "is-gone"


def _name_in(row: Element) -> Element:
    return row.all("bdi", class_="msg-author")[0] if row.tag == "article" else row.all("bdi")[0]


Face = list[Element | str]


def _look_of(row: Element) -> tuple[str, str | None, Face]:
    """Name, colour, and initials with a picture or without; most events tell a name alone."""
    if row.tag == "article":
        avatar = row.all("span", class_="avatar")[0]  # others are of who answered
        return _name_in(row).text, avatar.attributes["data-hue"], avatar.children
    told = row.attributes
    face: Face = [told.get("data-initials", "")]
    if picture := told.get("data-avatar"):
        sizes = {"width": "64", "height": "64", "loading": "lazy"}
        face.append(Element("img", {"src": f"/avatars/{picture}", "alt": "", **sizes}))
    return _name_in(row).text, told.get("data-hue"), face


def _dress(row: Element, name: str, hue: str | None, face: Face) -> None:
    if hue is None:
        return
    _name_in(row).children[:] = [name]
    if row.tag == "article":
        avatar = row.all("span", class_="avatar")[0]  # others are of who answered
        avatar.attributes["data-hue"] = hue
        avatar.children[:] = list(face)
