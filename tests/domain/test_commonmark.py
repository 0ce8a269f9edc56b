"""The examples of CommonMark's own description that our subset claims.

`commonmark/spec.txt` is the description, version 0.31.2, from the npm package `commonmark-spec`, as it is there
(John MacFarlane, CC-BY-SA 4.0).

An example is left out when CommonMark reads it as something that is no part of the subset, or when it is in
`OTHERWISE`. What is compared is structure, text and addresses; spaces count in code only.
"""

import hashlib
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import pytest
from markdown_it import MarkdownIt

from chatapp.domain import markdown

SPEC = Path(__file__).parent / "commonmark" / "spec.txt"
SHA256 = "257c41ad946f7a1414a499aca402a1aa8fdac3678532266611348c1cf54f4b80"

CLAIMED = {
    "Tabs", "Backslash escapes", "Precedence", "Fenced code blocks", "Paragraphs", "Blank lines", "Block quotes",
    "List items", "Lists", "Inlines", "Code spans", "Emphasis and strong emphasis", "Links", "Autolinks",
    "Hard line breaks", "Soft line breaks", "Textual content",
}  # fmt: skip
LEFT_OUT = {"code_block", "heading_open", "hr", "html_block", "html_inline", "image"}
OTHERWISE = {
    137: "without indented code four spaces say nothing: this ends the fence",
    238: "without indented code four spaces say nothing: this is an item",
    484: "a link without words is text",
    485: "a link to nowhere is text",
    486: "a link to nowhere is text",
    487: "a link to nowhere is text",
    504: "an address with quotes is text",
    596: "an address that is not of the web or mail",
    598: "an address that is not of the web or mail",
    599: "an address that is not of the web or mail",
    601: "an address that is not of the web or mail",
    602: "bare addresses are links",
    608: "bare addresses are links",
    611: "bare addresses are links",
}

COUNTS = {
    "Tabs": 2,
    "Backslash escapes": 9,
    "Precedence": 1,
    "Fenced code blocks": 26,
    "Paragraphs": 7,
    "Block quotes": 15,
    "List items": 32,
    "Lists": 22,
    "Inlines": 1,
    "Code spans": 21,
    "Emphasis and strong emphasis": 129,
    "Links": 38,
    "Autolinks": 12,
    "Hard line breaks": 11,
    "Soft line breaks": 2,
    "Textual content": 3,
}


class Example(NamedTuple):
    number: int
    section: str
    text: str
    html: str


def examples() -> list[Example]:
    found: list[Example] = []
    section = ""
    pattern = r"^`{32} example\n(.*?)^\.\n(.*?)^`{32}$|^#{1,6} +([^\n]*)$"
    text = SPEC.read_text().partition("<!-- END TESTS -->")[0]
    for match in re.finditer(pattern, text, re.DOTALL | re.MULTILINE):
        if match[3]:
            section = match[3].strip()
        else:
            given, wanted = (match[n].replace("→", "\t") for n in (1, 2))
            found.append(Example(len(found) + 1, section, given, wanted))
    return found


def is_within(example: Example) -> bool:
    """Whether CommonMark itself reads nothing in it that we leave out."""
    env: dict[str, object] = {}
    tokens = MarkdownIt("commonmark").parse(example.text, env)
    kinds = {token.type for top in tokens for token in [top, *(top.children or [])]}
    entities = any(
        child.info == "entity" for token in tokens for child in token.children or ()
    ) or re.search(r"&(#?\w+);", example.text)
    return not kinds & LEFT_OUT and not env.get("references") and not entities


class Everywhere(markdown.Parser):
    """Our grammar with the list of good addresses out of the way."""

    def validateLink(self, url: str) -> bool:  # noqa: N802  markdown-it's name
        return True


class Shape(HTMLParser):
    """What a piece of HTML says, without what only lays it out."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._in_pre = self._in_caption = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self._in_pre |= tag == "pre"
        self._in_caption |= tag == "figcaption"
        known = dict(attrs)
        kept = [f"{name}={known[name]}" for name in ("href", "start") if known.get(name)]
        if tag in {"p", "br"}:
            self.parts.append(" ")
        elif tag not in {"figure", "figcaption", "span", "div"}:
            self.parts.append(f"<{' '.join([tag, *kept])}>")

    def handle_endtag(self, tag):
        self._in_pre &= tag != "pre"
        self._in_caption &= tag != "figcaption"
        if tag == "p":
            self.parts.append(" ")
        elif tag not in {"figure", "figcaption", "span", "div", "br"}:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data):
        if self._in_pre:
            self.parts.append(data.replace(" ", "·").replace("\n", "¶"))
        elif not self._in_caption:
            self.parts.append(data)


def shape(html: str) -> str:
    text = re.sub(r"\s+", " ", "".join(Shape(html).parts))
    text = re.sub(r"(?<=>) | (?=<(?!(?:a|em|strong|code|s)\b))", "", text)
    return re.sub("¶+</code></pre>", "</code></pre>", text).strip()


def ours(example: Example) -> str:
    tokens = Everywhere().parse(example.text)
    return markdown.to_html(tokens, ())


def claimed() -> list[Example]:
    return [
        example
        for example in examples()
        if example.section in CLAIMED and example.number not in OTHERWISE and is_within(example)
    ]


def test_it_is_told_how_much_is_claimed():
    """Of 652 examples; the others are about what the subset leaves out."""
    assert Counter(example.section for example in claimed()) == COUNTS


def test_the_description_is_the_one_that_is_named():
    assert hashlib.sha256(SPEC.read_bytes()).hexdigest() == SHA256
    assert len(examples()) == 652


@pytest.mark.parametrize("example", claimed(), ids=lambda example: str(example.number))
def test_an_example_is_read_as_it_is_described(example):
    assert shape(ours(example)) == shape(example.html)
