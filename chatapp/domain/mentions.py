"""Whom a message names: `@name`, and `@room` and `@here` for those who keep the room.

A name is found as people write it: any script, with spaces, in any case (`text.name_key` says which names are equal).
Of several members whose names begin alike the longest name counts. Which words are names is settled once, when the
message is stored, by who is a member then; what was written stays as it was written when somebody takes another name.

`messages.marks` holds where: JSON, a list of [start, length, who] in code points, in the order of the text. `who` is
the id of a user, `EVERYBODY` for `@room`, or `PRESENT` for `@here`. A row in `mentions` for each member who is meant,
but never for the author, makes it countable.

1. Only posts with an '@' pay anything. A batch with some pays one question for all of them and one statement for the
   rows, and one more when somebody writes `@room`.
2. An '@' after a letter or digit begins nothing (`ann@example.org`), nor does one inside a web address, in code, or
   behind a backslash. Scripts that are written without spaces need none here either.
2. At most `MENTIONS_MOST` marks in a message; only the first `SIGNS_MOST` signs are looked at, and `KEYS_EACH` or more
   ends of a name for each.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from chatapp.domain import links, markup, text
from chatapp.domain.text import USER_NAME_CHARACTERS

EVERYBODY: Final = 0
PRESENT: Final = -1
WORDS: Final = {"room": EVERYBODY, "here": PRESENT}  # no account can have these names
MENTIONS_MOST: Final = 50
SIGNS_MOST: Final = 100
KEYS_EACH: Final = 24
KEYS_MOST: Final = 1_600
ADDRESS_MOST: Final = 100  # looked back for one

# Thai to Burmese, Khmer, Korean, kana, Han: no space parts a name from what stands around it.
_UNSPACED: Final = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1100, 0x11FF),
    (0x1780, 0x17FF),
    (0x3040, 0x31FF),
    (0x3400, 0x9FFF),
    (0xA960, 0xA97F),
    (0xAC00, 0xD7FF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFFDC),
    (0x20000, 0x3FFFF),
)
_JOINERS: Final = "\u200c\u200d"


class Mark(NamedTuple):
    start: int
    length: int
    who: int


class Sign(NamedTuple):
    """An '@' that may begin a mention. `ends`: the length with the sign, and the key, of what may be a name; the
    longest first."""

    start: int
    ends: list[tuple[int, str]]


def wants_present(body: str) -> bool:
    """Whether a message may mean those who are present, so that somebody must say who they are."""
    return "@" in body and "@here" in text.folded(body)


def may_call_all(body: str) -> bool:
    """Whether a message may mean more than those it names one by one."""
    if "@" not in body:
        return False
    key = text.folded(body)
    return any(f"@{word}" in key for word in WORDS)


# -- reading a body ---------------------------------------------------------------


def signs(body: str) -> list[Sign]:
    """Every place where a name may begin, and what the name may be."""
    addresses = links.find(body) if "://" in body else []
    starts = _starts(body, [(link.start, link.end) for link in addresses])
    starts = markup.text_at(body, starts)
    each = max(KEYS_EACH, KEYS_MOST // max(1, len(starts)))
    found = []
    for start in starts:
        most = start + 1 + USER_NAME_CHARACTERS
        stop = min([most, len(body), *(link.start for link in addresses if link.start > start)])
        line = body.find("\n", start, stop)
        ends = _ends(body, start, stop if line < 0 else line, each)
        if ends:
            found.append(Sign(start, ends))
    return found


def _begins(body: str, at: int) -> bool:
    """Whether the sign may begin a mention, as far as its neighbours tell."""
    if at + 1 >= len(body) or body[at + 1].isspace():
        return False
    if at == 0:
        return True
    before = body[at - 1]
    if before == "\\":  # written so that it is none, as for any other sign that is formatting
        backslashes = at - len(body[:at].rstrip("\\"))
        return backslashes % 2 == 0
    if before == "/":  # a profile's address without a scheme: `social.example/@ann`
        beginning = body[max(0, at - ADDRESS_MOST) : at].rsplit(maxsplit=1)[-1]
        return "." not in beginning and ":" not in beginning
    return not _is_word(before) or _is_unspaced(before)


def _starts(body: str, links: Sequence[tuple[int, int]]) -> list[int]:
    found: list[int] = []
    at = body.find("@")
    while at >= 0 and len(found) < SIGNS_MOST:
        if _begins(body, at) and not any(start <= at < end for start, end in links):
            found.append(at)
        at = body.find("@", at + 1)
    return found


def _ends(body: str, start: int, stop: int, most: int) -> list[tuple[int, str]]:
    """Where a name that begins behind `start` may end, the longest first."""
    written = body[start + 1 : stop]
    whole = _whole_key(written)
    ends: list[tuple[int, str]] = []
    for length in range(1, len(written) + 1):
        last = written[length - 1]
        following = body[start + 1 + length : start + 2 + length]
        if last.isspace() or last in _JOINERS or not _parts(last, following):
            continue
        key = text.folded(written[:length]) if whole is None else whole[:length]
        ends.append((length + 1, key))
        if len(ends) == most:
            break
    return ends[::-1]


def _whole_key(written: str) -> str | None:
    """The key of all of it, when the key of each beginning is the beginning of that: nearly always."""
    if written.isascii():
        return written.lower()
    pieces = list(map(_sign_key, written))
    key = "".join(pieces)
    alone = len(key) == len(written) and "" not in pieces  # each sign stands for one
    return key if alone and key == text.folded(written) else None


@lru_cache(maxsize=2048)
def _sign_key(sign: str) -> str:
    return text.folded(sign)


def _parts(last: str, following: str) -> bool:
    """Whether a name may end between these two signs."""
    if not following:
        return True
    if (
        following in _JOINERS
        or unicodedata.category(following)[0] == "M"
        or "🏻" <= following <= "🏿"
    ):
        return False
    both = _is_word(last) and _is_word(following)
    return not both or _is_unspaced(last) or _is_unspaced(following)


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_" or unicodedata.category(sign)[0] == "M"


def _is_unspaced(sign: str) -> bool:
    point = ord(sign)
    return point >= 0x0E00 and any(low <= point <= high for low, high in _UNSPACED)


def resolve(found: Iterable[Sign], known: dict[str, int]) -> list[Mark]:
    """The marks of a message, from the ids of those whom its room knows by their keys."""
    marks: list[Mark] = []
    free = 0  # everything before it is part of an earlier name
    for sign in found:
        if sign.start < free:
            continue
        for length, key in sign.ends:
            who = known.get(key)
            if who is not None:
                marks.append(Mark(sign.start, length, who))
                free = sign.start + length
                break
        if len(marks) == MENTIONS_MOST:
            break
    return marks


def packed(marks: Sequence[Mark]) -> str | None:
    """As it stands in `messages.marks`."""
    return msgspec.json.encode(marks).decode() if marks else None


def unpacked(marks: str | None) -> list[Mark]:
    return msgspec.json.decode(marks, type=list[Mark]) if marks else []
