"""What lies in `static/`: its version, and which scripts import which."""

import hashlib
import re
from functools import cache
from pathlib import Path
from posixpath import dirname, normpath
from typing import Final

STATIC: Final = Path(__file__).parent / "static"
_IMPORT: Final = re.compile(r'^import\b[^("]*"(\.{1,2}/[^"]+)";', re.MULTILINE)


@cache
def static_version() -> str:
    """A name for the state of all static files together; it is part of their addresses."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(STATIC)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def imported(script: str) -> tuple[str, ...]:
    """All that a script of ours imports, and what that imports, nearest first.

    A browser that is told so at once asks for all of it together. Else it finds out file by file, and scripts of five
    storeys take five ways there and back.
    """
    found = [script]
    for name in found:
        for path in _IMPORT.findall((STATIC / name).read_text()):
            near = normpath(f"{dirname(name)}/{path}")
            if near not in found:
                found.append(near)
    return tuple(found[1:])
