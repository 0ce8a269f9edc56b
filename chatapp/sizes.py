"""Sizes in words. A filter of the templates, too."""

from chatapp import words


def size_words(size: int) -> str:
    """How large a file is: '420 kB', '1.3 MB'."""
    shown, unit = float(size), 0
    while shown >= 999.5 and unit < len(words.SIZES) - 1:
        shown, unit = shown / 1000, unit + 1
    digits = 1 if unit and shown < 9.95 else 0
    return f"{shown:.{digits}f}\u00a0{words.SIZES[unit]}"
