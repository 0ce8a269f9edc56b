"""How well a name fits what somebody has typed of it: whole, from its beginning, from the beginning of a word,
somewhere inside, or as letters in order. Both are compared as search compares them: without case, width and unseen
signs."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from chatapp.domain.text import name_key, search_key

TYPED_MOST: Final = 100  # code points; what is longer is cut
LETTERS_MOST: Final = 32  # of what is longer, single letters are not sought


class Rank(IntEnum):
    """The smaller, the better."""

    WHOLE = 0
    BEGINNING = 1
    WORD = 2
    WORDS = 3  # each of what was typed begins a word, in any order
    INSIDE = 4
    LETTERS = 5


@dataclass(frozen=True, slots=True)
class Fit:
    """`spread`: over how many letters of the name. `marks`: which letters of its key were typed."""

    rank: Rank
    spread: int
    marks: frozenset[int]


NOTHING_TYPED: Final = Fit(Rank.WHOLE, 0, frozenset())


def typed_key(typed: str) -> str:
    return search_key(typed[:TYPED_MOST])


def fit(key: str, name: str) -> Fit | None:
    """`key` is a `typed_key`. None: not at all."""
    if not key:
        return NOTHING_TYPED
    whole = name_key(name)
    starts = _places(key, whole)
    if starts:
        word = next((at for at in starts if _begins_word(whole, at)), None)
        at = starts[0] if word is None else word
        rank = Rank.INSIDE if word is None else Rank.WORD if word else Rank.BEGINNING
        if whole == key:
            rank = Rank.WHOLE
        return Fit(rank, len(key), frozenset(range(at, at + len(key))))
    return _words(key.split(), whole) or (
        _letters(key, whole) if len(key) <= LETTERS_MOST else None
    )


def _places(key: str, whole: str) -> list[int]:
    found, at = [], whole.find(key)
    while at >= 0:
        found.append(at)
        at = whole.find(key, at + 1)
    return found


def _begins_word(whole: str, at: int) -> bool:
    return at == 0 or not whole[at - 1].isalnum()


def _words(words: list[str], whole: str) -> Fit | None:
    marks: set[int] = set()
    for word in words:
        at = next((at for at in _places(word, whole) if _begins_word(whole, at)), None)
        if at is None:
            return None
        marks.update(range(at, at + len(word)))
    return Fit(Rank.WORDS, max(marks) - min(marks) + 1, frozenset(marks))


def _letters(key: str, whole: str) -> Fit | None:
    """The first one begins a word; else almost anything would fit a few letters."""
    letters = key.replace(" ", "")
    first, others = letters[0], letters[1:]
    for start in _places(first, whole):
        if not _begins_word(whole, start):
            continue
        marks = [start]
        for letter in others:
            at = whole.find(letter, marks[-1] + 1)
            if at < 0:
                return None  # from a later start there are fewer still
            marks.append(at)
        return Fit(Rank.LETTERS, marks[-1] - marks[0] + 1, frozenset(marks))
    return None


def pattern(key: str) -> str:
    """What a name's key must be LIKE (with a backslash as escape) for any fit but `WORDS`, which is sought by its first
    word."""
    if len(key) > LETTERS_MOST:
        return f"%{_escaped(key)}%"
    return "%" + "".join(f"{_escaped(letter)}%" for letter in key.replace(" ", ""))


def word_pattern(key: str) -> str:
    """The same for the rank `WORDS`."""
    return f"%{_escaped(key.split(maxsplit=1)[0])}%" if key else "%"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


def parts(name: str, marks: frozenset[int]) -> list[tuple[str, bool]]:
    """A name in pieces, and whether each was typed. Nothing is marked where its key has other letters."""
    if not marks or len(name_key(name)) != len(name):
        return [(name, False)]
    found: list[tuple[str, bool]] = []
    for at, letter in enumerate(name):
        is_marked = at in marks
        if found and found[-1][1] == is_marked:
            found[-1] = (found[-1][0] + letter, is_marked)
        else:
            found.append((letter, is_marked))
    return found
