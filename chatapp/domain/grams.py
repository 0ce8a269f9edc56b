"""What search compares, and by what it finds: texts without case and accents, and their pieces as numbers.

The rule, the same for what was written and for what is asked: case, width, compatibility forms (`ﬁ`), the accents of
Latin, Greek and Cyrillic letters, and the kind of a space do not count; everything else does. `STRASSE` finds `straße`,
`cafe` finds `café`, `か` does not find `が`.

A message is kept in the index under the numbers of all its signs and of all pairs of neighbours in it, so a search of
any length, in any script, asks for the pairs (or the one sign) of its terms. What comes back is compared again: numbers
may coincide, and pairs may stand apart. Where looking at what comes back is dear, it is kept and asked for by threes of
neighbours as well, which name about a tenth as much that is something else.

MUST not change without a migration: SQLite takes out of its index by the numbers that it put in, and PostgreSQL's says
by a `version` which it has.
"""

import unicodedata
from operator import add
from typing import Final
from zlib import crc32

PIECES_MOST: Final = 24  # of a term that a search asks for; the rest is compared
_KEPT_MOST: Final = 100_000  # pieces whose numbers are remembered, about 100 bytes each


class _Folded(dict[int, str]):
    """Each sign as it is compared, worked out when it is first met."""

    def __missing__(self, sign: int) -> str:
        letters = unicodedata.normalize("NFKD", chr(sign))
        plain = "".join(letter for letter in letters if not "\u0300" <= letter <= "\u036f")
        folded = unicodedata.normalize("NFC", plain.casefold())
        found = self[sign] = " " if folded.isspace() else folded
        return found


class _Numbers(dict[str, int]):
    """31 bits for a piece of a folded text, worked out when it is first met."""

    def __missing__(self, piece: str) -> int:
        if len(self) >= _KEPT_MOST:
            self.clear()
        found = self[piece] = crc32(piece.encode("utf-8", "surrogatepass")) & 0x7FFFFFFF
        return found


_FOLDED: Final = _Folded()  # at most one entry for each sign there is
_NUMBERS: Final = _Numbers()


def fold(text: str) -> str:
    """A text as search compares it. Sign by sign: two texts together are folded as each alone."""
    return text.translate(_FOLDED)


def places(text: str) -> list[int]:
    """For each sign of the folded text where in the text it comes from."""
    return [at for at, sign in enumerate(text) for _ in _FOLDED[ord(sign)]]


def word(name: str, value: object = "") -> int:
    """The number of something that is no text, such as an author. No message can hold it: it has a NUL."""
    return _NUMBERS[f"\0{name}\0{value}"]


def of_text(text: str, *, threes: bool) -> set[int]:
    """The numbers under which a text is kept."""
    folded = fold(text)
    pieces = _pairs(folded)
    pieces.update(folded)
    if threes:
        pieces.update(_threes(folded))
    pieces.discard(" ")
    return set(map(_NUMBERS.__getitem__, pieces))


def of_term(folded: str, *, threes: bool) -> set[int]:
    """Numbers that every text has in which this folded term stands."""
    if len(folded) < 2:
        return set(map(_NUMBERS.__getitem__, folded.strip()))
    # Ends of words are in every other message: reading where takes longer than comparing what is found without.
    pairs = _pairs(folded)
    telling = {pair for pair in pairs if " " not in pair} or pairs
    if threes and (found := _threes(folded)):
        telling = found | {word for word in folded.split() if len(word) == 2}
    return set(map(_NUMBERS.__getitem__, sorted(telling)[:PIECES_MOST]))


def _pairs(folded: str) -> set[str]:
    return set(map(add, folded, folded[1:]))


def _threes(folded: str) -> set[str]:
    """Those of a word, and those that lead from one to the next."""
    return {
        a + b + c for a, b, c in zip(folded, folded[1:], folded[2:], strict=False) if a != " " != c
    }
