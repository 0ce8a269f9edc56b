"""A subset of CommonMark: emphasis, strikethrough, code, links, lists, quotes, tables. The one door to markdown-it and
nh3.

1. What people type is never lost: HTML, entities, images, headings, rules, indented code and definitions of references
   are no part of the subset and stay as they were typed. So do links to anything but http, https and mailto.
2. Mentions travel through the parser as `PLACE`s, which no body can contain: no rule looks into a name, and whether a
   name is text or code is decided by the parser alone.
3. What comes out is cleaned by nh3 before our own tags take the places of mentions.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import table
from markdown_it.rules_inline import StateInline, link
from markdown_it.token import Token
from markupsafe import escape

from chatapp.domain import code, emoji, links

PLACE: Final = re.compile("\x02([0-9]+)\x03")
NESTING_MOST: Final = 20  # a quote counts one, a list two; what is deeper is shown as it was typed
CELLS_MOST: Final = 4_000  # of a table; a larger one is text
LABEL_CHARACTERS: Final = 40

_LEFT_OUT: Final = (
    "code", "heading", "lheading", "hr", "html_block", "reference", "html_inline", "image", "entity",
)  # fmt: skip
_SIDES: Final = {"text-align:center": "is-center", "text-align:right": "is-right"}
_EMPTY_LINK: Final = re.compile(r"\[\s*\]\(|.*\]\(\s*(?:<>)?\s*[)\"']", re.DOTALL)
_BREAKS: Final = {"softbreak", "hardbreak"}

_cleaner: Final = nh3.Cleaner(
    tags={"p", "em", "strong", "s", "code", "a", "ul", "ol", "li", "blockquote", "pre", "span"}
    | {"table", "thead", "tbody", "tr", "th", "td", "div", "figure", "figcaption"},
    attributes={"*": {"dir"}, "a": {"href"}, "ol": {"start"}},
    allowed_classes={
        "th": set(_SIDES.values()),
        "td": set(_SIDES.values()),
        "div": {"table-scroll"},
        "figure": {"card", "code-card"},
        "span": {name for _, name in code.CLASSES},
    },
    tag_attribute_values={"pre": {"tabindex": {"0"}}, "div": {"tabindex": {"0"}}},
    set_tag_attribute_values={"a": {"target": "_blank"}},
    link_rel="noopener noreferrer nofollow ugc",
    url_schemes={"http", "https", "mailto"},
)


def placed(body: str, spans: Sequence[tuple[int, int]]) -> str:
    """The body with a place, numbered from 0, for each span (start, end). They are in order and do not overlap."""
    parts: list[str] = []
    end = 0
    for n, (start, stop) in enumerate(spans):
        parts += (body[end:start], f"\x02{n}\x03")
        end = stop
    return "".join(parts) + body[end:]


def parse(text: str) -> list[Token] | None:
    """The text's tokens; None when formatting would hide some of it."""
    tokens = _parser().parse(text)
    deepest = max((token.level for token in tokens), default=0)
    return tokens if deepest < NESTING_MOST - 1 else None


def pieces(tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """What of the tokens is shown, in order: ('text', ...), ('code', ...) or, between two blocks, ('end', '')."""
    found: list[tuple[str, str]] = []
    for token in tokens:
        if token.type == "fence":
            found.append(("code", token.content))
        link = ""  # an address that is its own text is as exact as code
        for child in token.children or ():
            if child.type in _BREAKS:
                found.append(("text", "\n"))
            elif child.content:
                exact = child.type == "code_inline" or link == "auto"
                found.append(("code" if exact else "text", child.content))
            link = child.info if child.type == "link_open" else ""
        if token.type in {"inline", "fence"}:
            found.append(("end", ""))
    return found


def addresses(tokens: Sequence[Token]) -> list[str]:
    """What the links lead to, in order."""
    children = (child for token in tokens for child in token.children or ())
    return [str(child.attrs.get("href", "")) for child in children if child.type == "link_open"]


def to_html(tokens: list[Token], names: Sequence[str]) -> str:
    """Clean HTML, still with a place for each name that is text. A name inside code is written out."""
    tops = [token for token in tokens if token.level == 0 and token.nesting == 1]
    if len(tops) > 1:  # each finds its own direction; a single one takes that of the message
        for token in tops:
            token.attrSet("dir", "auto")
    for token in tokens:
        _dress(token, names)
    parser = _parser()
    return _cleaner.clean(parser.renderer.render(tokens, parser.options, {})).strip()


def restored(text: str, names: Sequence[str]) -> str:
    """The text as it was before it was `placed`."""
    return PLACE.sub(lambda place: names[int(place[1])], text) if "\x02" in text else text


def _dress(token: Token, names: Sequence[str]) -> None:
    """What markdown-it leaves to us."""
    token.hidden = False  # paragraphs of tight lists: they keep line breaks as other text does
    side = token.attrs.pop("style", None)
    if side is not None and str(side) in _SIDES:
        token.attrSet("class", _SIDES[str(side)])
    if token.type == "fence":
        token.content = restored(token.content, names)
        token.info = restored(token.info, names)
    link = ""
    for child in token.children or ():
        if child.type == "text" and link != "auto":
            child.content = emoji.named(child.content)
        elif child.type in _BREAKS:
            child.type, child.content = "text", "\n"
        elif child.type == "code_inline":
            child.content = restored(child.content, names)
        child.attrs.pop("title", None)
        link = child.info if child.type == "link_open" else ""


# -- the parser -------------------------------------------------------------------


class Parser(MarkdownIt):
    """Our subset. Which addresses may be links is decided here."""

    def __init__(self) -> None:
        super().__init__("commonmark", {"html": False, "maxNesting": NESTING_MOST})
        self.enable(["table", "strikethrough", "linkify"]).disable(_LEFT_OUT)
        self.block.ruler.at("table", _small_table, {"alt": ["paragraph", "reference"]})
        self.inline.ruler.at("linkify", _address)
        self.inline.ruler.at("newline", _newline)
        self.inline.ruler.at("link", _full_link)
        self.add_render_rule("fence", _fence)
        self.add_render_rule("table_open", _table_open)
        self.add_render_rule("table_close", _table_close)

    def normalizeLink(self, url: str) -> str:  # noqa: N802  markdown-it's name
        """A mention inside an address would be told to somebody and shown to nobody, so that is no address."""
        return "" if "\x02" in url else super().normalizeLink(url)

    def validateLink(self, url: str) -> bool:  # noqa: N802  markdown-it's name
        return links.is_web(url) or url.lower().startswith("mailto:")


@cache
def _parser() -> Parser:
    return Parser()


def _small_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    columns = state.src.count("|", state.bMarks[start], state.eMarks[start]) + 1
    return columns * (end - start) <= CELLS_MOST and table(state, start, end, silent)


def _address(state: StateInline, silent: bool) -> bool:
    """A bare address is a link to the character; nothing in it is formatting but what ends it."""
    src, pos = state.src, state.pos
    if state.linkLevel or not src.startswith("://", pos):
        return False
    if state.env.get("addresses of") != src:
        state.env["addresses of"] = src
        state.env["addresses"] = {src.index("://", link.start): link for link in links.find(src)}
    link = state.env["addresses"].get(pos)
    if link is None or link.end > state.posMax:
        return False
    shown = src[link.start : link.end].rstrip("*_~")
    scheme = pos - link.start
    if not silent:
        if not state.pending.endswith(src[link.start : pos]):
            return False
        state.pending = state.pending[:-scheme]
        link_open = state.push("link_open", "a", 1)
        link_open.attrs, link_open.info = {"href": links.encoded(shown) or ""}, "auto"
        state.push("text", "", 0).content = shown
        state.push("link_close", "a", -1)
    state.pos = link.start + len(shown)
    return True


def _full_link(state: StateInline, silent: bool) -> bool:
    """A link without words, or to nowhere, is text."""
    start = state.pos
    if not link(state, True) or _EMPTY_LINK.match(state.src, start, state.pos):
        state.pos = start
        return False
    if silent:
        return True
    state.pos = start
    return link(state, False)


def _newline(state: StateInline, silent: bool) -> bool:
    """A line break is a line break, and a line keeps its indentation."""
    if state.src[state.pos] != "\n":
        return False
    if not silent:
        state.pending = state.pending.rstrip(" ")
        state.push("softbreak", "br", 0)
    state.pos += 1
    return True


def _fence(_self: Any, tokens: Sequence[Token], at: int, _options: Any, _env: Any) -> str:
    """A card with what the code is above it: its name (`python guider.py`), or its language."""
    language, _, name = tokens[at].info.strip().partition(" ")
    label = name.strip() or code.LANGUAGES.get(language.lower(), language) or "Code"
    inside = code.coloured(tokens[at].content.removesuffix("\n"), language)
    return (
        f'<figure class="card code-card" dir="ltr"><figcaption><span>{escape(label[:LABEL_CHARACTERS])}</span>'
        f'</figcaption><pre tabindex="0"><code>{inside}</code></pre></figure>'
    )


def _table_open(_self: Any, tokens: Sequence[Token], at: int, _options: Any, _env: Any) -> str:
    side = ' dir="auto"' if "dir" in tokens[at].attrs else ""
    return f'<div class="table-scroll"{side} tabindex="0"><table>'


def _table_close(_self: Any, _tokens: Sequence[Token], _at: int, _options: Any, _env: Any) -> str:
    return "</table></div>"
