"""What people type, made regular: names, topics, message bodies.

Everything is checked here, before it is queued: one text that the database refuses would undo its neighbours' batch.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from secrets import token_hex
from typing import Final

from chatapp.domain.lookalikes import skeleton
from chatapp.errors import Invalid
from chatapp.tables import MESSAGE_BYTES, MESSAGE_CHARACTERS

USER_NAME_CHARACTERS: Final = 64
ROOM_NAME_CHARACTERS: Final = 80
TOPIC_CHARACTERS: Final = 250
BIO_CHARACTERS: Final = 500
STATUS_CHARACTERS: Final = 80

_BEHIND: Final = "\x1f"  # neither names nor searches have control characters
_JOINERS: Final = "\u200c\u200d"  # Persian and emoji need them; they make no two names different
# Drawn as nothing though Unicode does not call them spaces or format characters.
_BLANK_LETTERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Zs", "Zl", "Zp"})
_NOT_IN_NAMES: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
_RESERVED: Final = frozenset(
    {"admin", "administrator", "all", "channel", "chatapp", "deleted account", "everyone", "here"}
    | {"moderator", "nobody", "owner", "room", "root", "support", "system", "you"}
)


# The categories Cc and Cs but for line feed and tab; asking for each character's category takes ten times as long.
_UNSENDABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def is_visible(text: str) -> bool:
    """Whether anything of it would be seen on a page."""
    return any(
        unicodedata.category(sign) not in _UNSEEN
        and sign not in _BLANK_LETTERS
        and not _is_selector(sign)
        for sign in text
    )


def _is_selector(sign: str) -> bool:
    return "\ufe00" <= sign <= "\ufe0f" or "\u180b" <= sign <= "\u180f" or sign >= "\U000e0000"


def has_unsendable(text: str) -> bool:
    """Whether it has control characters, which no message may have, or half characters."""
    return _UNSENDABLE.search(text) is not None


def normal_body(text: str, *, may_be_empty: bool = False) -> str:
    """A message as it is stored: NFC, line feeds, no blank ends. Raises `Invalid` for the field `body`."""
    if len(text) > 16 * MESSAGE_CHARACTERS:
        raise Invalid({"body": "message_too_long"})
    body = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    if has_unsendable(body):
        raise Invalid({"body": "message_characters"})
    body = body.strip()
    if not is_visible(body):
        if may_be_empty:
            return ""
        raise Invalid({"body": "message_empty"})
    if len(body) > MESSAGE_CHARACTERS or len(body.encode()) > MESSAGE_BYTES:
        raise Invalid({"body": "message_too_long"})
    return body


def body_hash(body: str, reply: int = 0, files: Sequence[str] = ()) -> bytes:
    """16 bytes that tell whether a resend is the same message. `reply`: what it answers; `files`: what is in it."""
    said = f"{body}\0{reply}" if reply else body  # no body has a NUL
    said = "\0\0".join((said, *files))
    return hashlib.blake2b(said.encode(), digest_size=16).digest()


def user_name(text: str, field: str = "name") -> str:
    return _name(text, field, USER_NAME_CHARACTERS, "name")


def room_name(text: str, field: str = "name") -> str:
    return _name(text, field, ROOM_NAME_CHARACTERS, "room_name")


def _name(text: str, field: str, most: int, words: str) -> str:
    if len(text) > 16 * most:
        raise Invalid({field: f"{words}_too_long"})
    name = re.sub(r"[\s\u3000]+", " ", unicodedata.normalize("NFKC", text)).strip(" " + _JOINERS)
    if not name:
        raise Invalid({field: f"{words}_empty"})
    if any(
        (unicodedata.category(sign) in _NOT_IN_NAMES and sign not in _JOINERS)
        or sign in _BLANK_LETTERS
        for sign in name
    ) or not is_visible(name):
        raise Invalid({field: f"{words}_characters"})
    if len(name) > most:
        raise Invalid({field: f"{words}_too_long"})
    return name


def topic(text: str, field: str = "topic") -> str:
    return _line(text, field, TOPIC_CHARACTERS, "topic")


def status(text: str, field: str = "status") -> str:
    return _line(text, field, STATUS_CHARACTERS, "status")


def _line(text: str, field: str, most: int, words: str) -> str:
    """One line, possibly empty."""
    if len(text) > 16 * most:
        raise Invalid({field: f"{words}_too_long"})
    line = " ".join(unicodedata.normalize("NFC", text).split())
    if any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in line):
        raise Invalid({field: f"{words}_characters"})
    if len(line) > most:
        raise Invalid({field: f"{words}_too_long"})
    return line if is_visible(line) else ""


def bio(text: str, field: str = "bio") -> str:
    """A few lines, possibly none."""
    if len(text) > 16 * BIO_CHARACTERS:
        raise Invalid({field: "bio_too_long"})
    lines = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if has_unsendable(lines):
        raise Invalid({field: "bio_characters"})
    if len(lines) > BIO_CHARACTERS:
        raise Invalid({field: "bio_too_long"})
    return lines if is_visible(lines) else ""


@lru_cache(maxsize=4096)
def name_key(name: str) -> str:
    """Equal for names that differ only in case, width, compatibility forms or unseen joiners."""
    return folded(name)


def folded(name: str) -> str:
    """The same, not remembered: for the many beginnings of a text that may be names."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize(
        "NFKC", "".join(sign for sign in plain if sign not in _JOINERS and not _is_selector(sign))
    )


def name_skeleton(name: str) -> str:
    """Equal for names that look alike: `clara`, `cІara`, `clаra.`"""
    looks = name_key(skeleton(name))
    return looks.strip(" .,;:!?_-'\"()[]{}*~`") or looks


def is_reserved(name: str) -> bool:
    """Also what looks like a reserved name: `аdmin` with a Cyrillic letter."""
    return name_key(name) in _RESERVED or name_skeleton(name) in _reserved_looks()


@cache
def _reserved_looks() -> frozenset[str]:
    return frozenset(name_skeleton(name) for name in _RESERVED)


def hidden_key(name: str) -> str:
    """The key of a name that others must not find out to be taken: no name that somebody types has it, or has it
    again."""
    return name_key(name) + _BEHIND + "".join(chr(0x0E + int(digit, 16)) for digit in token_hex(8))


def search_key(text: str) -> str:
    """What a search compares: without case and width. NUL and half characters find nothing."""
    clean = "".join(sign for sign in text if unicodedata.category(sign) not in {"Cc", "Cs"})
    return name_key(" ".join(clean.split()))


@lru_cache(maxsize=4096)
def initials(name: str) -> str:
    """One or two letters for the avatar."""
    words = [word for word in re.split(r"[\s._-]+", name) if word]
    letters = [next((sign for sign in word if sign.isalnum()), "") for word in words]
    letters = [letter for letter in letters if letter]
    if not letters:
        return "?"
    chosen = letters[0] + (letters[-1] if len(letters) > 1 else "")
    return chosen.upper()[:2]
