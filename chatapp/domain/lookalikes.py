"""Names that look alike, after Unicode Technical Standard 39, section 4 (the skeleton of a string).

The table of look-alikes comes from the package `confusable_homoglyphs`, which carries Unicode's `confusables.txt`.
"""

import unicodedata
from functools import cache
from typing import Final

from confusable_homoglyphs import confusables

_MARKS: Final = "\u200e\u200f"  # the package puts direction marks around right-to-left letters


def skeleton(text: str) -> str:
    """Two texts with one skeleton are hard to tell apart. Not for display."""
    table = _prototypes()
    decomposed = unicodedata.normalize("NFD", text)
    mapped = "".join(table.get(sign, sign) for sign in decomposed)
    return unicodedata.normalize("NFD", mapped)


@cache
def _prototypes() -> dict[str, str]:
    """Each letter with the one that stands for all that look like it.

    The package lists pairs both ways. Letters joined by pairs form a family; its sign with the lowest number, ASCII
    first, stands for it, or the letters it is drawn with (m as rn).
    """
    parent: dict[str, str] = {}
    drawn: dict[str, str] = {}

    def find(sign: str) -> str:
        while parent.setdefault(sign, sign) != sign:
            sign = parent[sign]
        return sign

    for raw, alikes in confusables.confusables_data.items():
        sign = raw.strip(_MARKS)
        for other in (entry["c"].strip(_MARKS) for entry in alikes):
            if len(sign) == 1 and len(other) == 1:
                low, high = sorted((find(sign), find(other)))
                parent[high] = low
            elif len(sign) == 1 and len(alikes) == 1:
                drawn[sign] = other
    table = {sign: find(sign) for sign in parent}
    for sign, letters in drawn.items():
        table[sign] = "".join(table.get(letter, letter) for letter in letters)
    return {sign: drawn_as for sign, drawn_as in table.items() if sign != drawn_as}
