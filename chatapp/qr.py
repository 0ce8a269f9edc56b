"""QR codes as the path of an SVG. The one door to `segno`."""

from dataclasses import dataclass

import segno

QUIET = 4  # modules of empty space around, which readers need


@dataclass(frozen=True, slots=True)
class QrCode:
    """`size`: of the whole picture, in modules. `path`: the dark ones, for the attribute `d`."""

    size: int
    path: str


def qr_code(text: str) -> QrCode:
    code = segno.make(text, error="m", micro=False)
    rows = [bytes(row) for row in code.matrix]
    return QrCode(len(rows) + 2 * QUIET, "".join(_row(y, row) for y, row in enumerate(rows)))


def _row(y: int, row: bytes) -> str:
    """Each run of dark modules is a rectangle of height 1."""
    parts, x = [], 0
    while x < len(row):
        width = len(row[x:]) - len(row[x:].lstrip(b"\1"))
        if width:
            parts.append(f"M{x + QUIET} {y + QUIET}h{width}v1h-{width}z")
        x += width or 1
    return "".join(parts)
