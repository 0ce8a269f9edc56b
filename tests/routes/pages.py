"""What a page says, read with a parser and not with the eye of whoever wrote it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser

_EMPTY = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})


@dataclass
class Element:
    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    def everything(self, *, templates: bool = False) -> Iterator["Element"]:
        """Itself and all below; what lies in a <template> is no part of the page."""
        yield self
        if self.tag == "template" and not templates:
            return
        for child in self.children:
            if isinstance(child, Element):
                yield from child.everything(templates=templates)

    def all(self, tag: str = "", /, **attributes: str) -> list["Element"]:
        """`class_` stands for one class; `data_x` for data-x."""
        one_class = attributes.pop("class_", None)
        wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
        return [
            element
            for element in self.everything()
            if (not tag or element.tag == tag)
            and (one_class is None or one_class in element.classes)
            and wanted.items() <= element.attributes.items()
        ]

    def one(self, tag: str = "", /, **attributes: str) -> "Element":
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} of {tag} {attributes}"
        return found[0]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("")
        self.tags: list[str] = []
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        assert len(element.attributes) == len(attrs), f"an attribute twice: {attrs}"
        self._open[-1].children.append(element)
        self.tags.append(self.get_starttag_text() or "")
        if tag not in _EMPTY and not self.tags[-1].endswith("/>"):
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _EMPTY:
            return
        assert self._open[-1].tag == tag, f"</{tag}> closes {self._open[-1].tag}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def read(html: str) -> Element:
    """The tree. Fails when tags are not properly nested."""
    return _read(html).root


def start_tags(html: str) -> list[str]:
    """Every start tag as it was written."""
    return _read(html).tags


@lru_cache(maxsize=16)  # tests ask the same page several questions
def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert len(reader._open) == 1, f"not closed: {[element.tag for element in reader._open]}"
    return reader


def numbers(html: str) -> list[int]:
    """The numbers of the messages and events shown, in the order of the page."""
    rows = [row for row in read(html).everything() if "data-seq" in row.attributes]
    return [int(row.attributes["data-seq"]) for row in rows if row.attributes["data-seq"].isdigit()]


def bodies(html: str) -> list[str]:
    """The texts of the messages shown."""
    return [
        row.one("div", class_="msg-body").text
        for row in read(html).all("article", class_="msg")
        if row.attributes.get("data-seq", "").isdigit()
    ]


def authors(html: str) -> list[str]:
    return [
        row.one("bdi", class_="msg-author").text
        for row in read(html).all("article", class_="msg")
        if row.attributes.get("data-seq", "").isdigit()
    ]


def events(html: str) -> list[str]:
    """What happened in the room, such as 'joined'."""
    return [event.attributes["data-kind"] for event in read(html).all("p", class_="event")]


def members(html: str) -> list[str]:
    return [person.one("bdi").text for person in read(html).all("li", class_="person")]


def owners(html: str) -> list[str]:
    people = read(html).all("li", class_="person")
    return [
        person.one("bdi").text
        for person in people
        if any(mark.text.strip() == "Owner" for mark in person.all("span"))
    ]


def complaint(html: str, control: str) -> str:
    """The sentence next to a field, by the field's id."""
    page = read(html)
    field_ = page.one(id=control)
    assert field_.attributes.get("aria-invalid") == "true", f"{control} is not marked as wrong"
    described = field_.attributes["aria-describedby"].split()
    assert f"{control}-error" in described
    return page.one(id=f"{control}-error").text.strip()


def typed(html: str, control: str) -> str:
    """What stands in a field."""
    found = read(html).one(id=control)
    if found.tag == "textarea":
        return found.text.removeprefix("\n")
    return found.attributes.get("value", "")


def alert(html: str) -> str:
    """The sentence about a whole form."""
    return read(html).one("div", role="alert").text.strip()


def status(html: str) -> str:
    """The sentence that is shown once after something was done."""
    return read(html).one("div", role="status").text.strip()
