"""The piece of a message that is shown for a search, and what in it is to be marked."""

import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

from chatapp.domain import grams, markup
from chatapp.domain.mentions import unpacked

CHARACTERS_MOST: Final = 300
AHEAD: Final = 80  # characters ahead of the first mark
MARKS_MOST: Final = 50


class Piece(NamedTuple):
    """Some text, marked or not."""

    text: str
    is_mark: bool


def around(body: str, marks: str | None, terms: Sequence[str]) -> list[Piece]:
    """The text around the first term: as people see it, or as it was typed where a term is in what formatting hides."""
    shown, _ = markup.to_text(body, unpacked(marks))
    folded = grams.fold(shown)
    if not all(term in folded for term in terms):
        shown = body
    spans = _spans(shown, terms)
    first = spans[0][0] if spans else 0
    start = 0 if first <= AHEAD * 3 // 2 else _word_start(shown, first - AHEAD, first)
    end = min(len(shown), start + CHARACTERS_MOST)
    pieces: list[Piece] = []
    at = start
    for begin, stop in spans:
        if begin >= end:
            break
        pieces += (Piece(shown[at:begin], False), Piece(shown[begin : min(stop, end)], True))
        at = min(stop, end)
    pieces.append(Piece(shown[at:end], False))
    if start:
        pieces.insert(0, Piece("… ", False))
    if end < len(shown):
        pieces.append(Piece(" …", False))
    return [piece for piece in pieces if piece.text]


def _word_start(text: str, start: int, most: int) -> int:
    """The next beginning of a word, if one comes before `most`; never in the middle of a sign."""
    space = text.find(" ", start, most)
    if space >= 0:
        return space + 1
    while start < most and _joins(text[start]):
        start += 1
    return start


def _spans(text: str, terms: Sequence[str]) -> list[tuple[int, int]]:
    """Where the terms stand in the text: in order, apart from each other, at most `MARKS_MOST`."""
    folded, places = grams.fold(text), grams.places(text)
    found: list[tuple[int, int]] = []
    for term in terms:
        at = folded.find(term)
        for _ in range(MARKS_MOST):
            if at < 0:
                break
            stop = places[at + len(term) - 1] + 1
            while stop < len(text) and _joins(text[stop]):
                stop += 1
            found.append((places[at], stop))
            at = folded.find(term, at + len(term))
    spans: list[tuple[int, int]] = []
    for begin, stop in sorted(found):
        if spans and begin <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(stop, spans[-1][1]))
        else:
            spans.append((begin, stop))
    return spans[:MARKS_MOST]


def _joins(sign: str) -> bool:
    """Whether it is drawn together with the sign ahead of it."""
    return (
        unicodedata.category(sign) in {"Mn", "Mc", "Me"}
        or "\U0001f3fb" <= sign <= "\U0001f3ff"
        or sign == "\u200d"
    )
