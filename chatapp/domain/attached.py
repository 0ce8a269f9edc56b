"""What a message shows of its files: kept with it as JSON (`messages.files`), so that reading messages reads one
table."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from chatapp import words
from chatapp.domain import filetypes

FILES_MOST: Final = 10  # of one message
SHOWN_WIDTH: Final = 416  # of a picture in a message, in pixels
SHOWN_HEIGHT: Final = 320


class File(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`width` and `height` are 0 for what is no picture; a picture has a thumbnail."""

    id: str
    name: str
    type: str
    size: int
    width: int = 0
    height: int = 0

    @property
    def kind(self) -> str:
        """How it is shown: picture, video, audio, text, or file."""
        if self.width:
            return "picture"
        if self.type == filetypes.TEXT:
            return "text"
        top = self.type.partition("/")[0]
        return top if top in {"video", "audio"} else "file"

    @property
    def shown(self) -> tuple[int, int]:
        """The size of a picture in a message."""
        scale = min(1.0, SHOWN_WIDTH / self.width, SHOWN_HEIGHT / self.height)
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))

    @property
    def ending(self) -> str:
        """What stands on its card: PDF, ODS, or nothing."""
        stem, _, ending = self.name.rpartition(".")
        return ending.upper() if stem and ending.isascii() and len(ending) <= 4 else ""


_decode: Final = msgspec.json.Decoder(tuple[File, ...]).decode


def packed(files: Sequence[File]) -> str:
    return msgspec.json.encode(files).decode()


def unpacked(text: str | None) -> tuple[File, ...]:
    return _decode(text) if text else ()


@lru_cache(maxsize=1024)
def in_words(text: str) -> str:
    """What is said of a message that is nothing but files: `Picture`, `3 videos`, the name of the one file."""
    files = unpacked(text)
    kinds = {file.kind for file in files}
    kind = kinds.pop() if len(kinds) == 1 else "file"
    if kind in {"text", "file"} and len(files) == 1:
        return files[0].name
    one, many = words.FILES.get(kind, words.FILES["file"])
    return one if len(files) == 1 else many.format(n=len(files))


# One of each shape: what scripts clone for a message that is on its way.
SAMPLES: Final = (File("", "", "image/png", 0, 1, 1), File("", "", filetypes.ANY, 0))
