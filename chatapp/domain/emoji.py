"""Emoji by their codes (`:tea:`), messages that are nothing else, and whether something is an emoji.

The codes are those of static/vendor/emoji.json, which browsers read as well.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

ALONE_MOST: Final = 10  # so many emoji without other words are shown large
_FILE: Final = Path(__file__).parent.parent / "static" / "vendor" / "emoji.json"
CHARACTERS_MOST: Final = 20  # of one emoji; the longest has 10
_TONE: Final = re.compile("[\U0001f3fb-\U0001f3ff]")
_LIGHT: Final = "\U0001f3fb"
_CODE: Final = re.compile(r"(?<![a-zA-Z0-9_]):([a-z0-9_+-]{1,40}):(?![a-zA-Z0-9_])")
_ALONE_CHARACTERS: Final = 400  # ten families by their codes


class _Known(NamedTuple):
    by_code: dict[str, str]
    by_key: dict[str, str]
    alone: re.Pattern[str]


@cache
def _known() -> _Known:
    """Read once, in 4 ms."""
    by_code: dict[str, str] = {}
    by_key: dict[str, str] = {}
    bases: set[str] = set()
    for _, rows in msgspec.json.decode(_FILE.read_bytes()):
        for sign, _, codes, _, *toned in rows:
            by_code.update(dict.fromkeys(codes.split(), sign))
            by_key.update((_key(each), each) for each in (sign, *(toned[0] if toned else ())))
            bases.update(sign)
    bases -= set("0123456789#*\u200d\ufe0f\u20e3") | set(map(chr, range(0xE0000, 0xE0080)))
    bases -= set(map(chr, range(0x1F1E6, 0x1F200)))
    any_of = "[" + "".join(map(re.escape, sorted(bases))) + "]"
    one = (
        f"(?:[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3"
        f"|{any_of}[\ufe0f\U0001f3fb-\U0001f3ff]?(?:\u200d{any_of}[\ufe0f\U0001f3fb-\U0001f3ff]?)*"
        "[\U000e0020-\U000e007f]{0,8})"
    )
    return _Known(by_code, by_key, re.compile(rf"{one}(?:\s{{0,3}}{one}){{0,{ALONE_MOST - 1}}}"))


def _key(text: str) -> str:
    """U+FE0F asks for a picture; people's keyboards write it or leave it out."""
    return text.replace("\ufe0f", "")


def regular(text: str) -> str | None:
    """The emoji that a text is, always in the same characters; None when it is not exactly one of those we ship.

    Skin tones are emoji of their own; two people may have two.
    """
    if len(text) > CHARACTERS_MOST or text.isascii():
        return None
    by_key, key = _known().by_key, _key(text)
    if key in by_key:
        return by_key[key]
    tones = _TONE.findall(key)
    pattern = by_key.get(_TONE.sub(_LIGHT, key)) if len(tones) > 1 else None
    return pattern and _TONE.sub(lambda _: tones.pop(0), pattern)


def named(text: str) -> str:
    """The text with an emoji in the place of each known code. `10:30:00` holds none."""
    if ":" not in text:
        return text
    by_code = _known().by_code
    return _CODE.sub(lambda code: by_code.get(code[1], code[0]), text)


def alone(body: str) -> str | None:
    """The emoji of a message that is nothing but one to `ALONE_MOST` of them, else None."""
    if len(body) > _ALONE_CHARACTERS or "a" <= body[:1].lower() <= "z":
        return None
    signs = named(body)
    return signs if not signs.isascii() and _known().alone.fullmatch(signs) else None
