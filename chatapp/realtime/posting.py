"""A post from a frame or a form, as the writer takes it."""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final
from uuid import UUID

from chatapp.domain import text
from chatapp.domain.attached import FILES_MOST
from chatapp.domain.commands import PostMessage
from chatapp.domain.mentioned import HERE_MOST
from chatapp.domain.mentions import may_call_all, wants_present
from chatapp.errors import Invalid
from chatapp.limits import CALL_ALL, POST, Limits
from chatapp.realtime.asked import NUMBER_MOST

_REGULAR_KEY: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_FILE: Final = re.compile("[A-Za-z0-9_-]{24}")

# Who is in a room just now.
Present = Callable[[int], Iterable[int]]


def post_command(
    actor_id: int,
    room_id: int,
    key: str,
    body: str,
    present: Present,
    reply: int = 0,
    files: Sequence[str] = (),
) -> PostMessage:
    """A post as the writer takes it, regular and checked. `present` is asked when the body may mean those who are
    there. Raises `Invalid`."""
    regular = key
    if not _REGULAR_KEY.fullmatch(key):
        try:
            regular = str(UUID(key))
        except ValueError:
            raise Invalid({"key": "key_invalid"}) from None
    if not 0 < room_id <= NUMBER_MOST:
        raise Invalid({"room": "room_gone"})
    if not 0 <= reply <= NUMBER_MOST:
        raise Invalid({"reply": "reply_gone"})
    if len(files) > FILES_MOST:
        raise Invalid({"files": "files_many"}, most=FILES_MOST)
    if files and not (all(map(_FILE.fullmatch, files)) and len({*files}) == len(files)):
        raise Invalid({"files": "file_gone"})
    normal = text.normal_body(body, may_be_empty=bool(files))
    here = meant_here(present, room_id, normal)
    hashed = text.body_hash(normal, reply, files)
    return PostMessage(actor_id, room_id, regular, normal, hashed, here, reply, tuple(files))


def meant_here(present: Present, room_id: int, body: str) -> tuple[int, ...]:
    """Who is there just now, where the words may mean them."""
    return tuple(islice(present(room_id), HERE_MOST)) if wants_present(body) else ()


def take_post(limits: Limits, post: PostMessage) -> None:
    """What a post counts as for its author. Raises `TooMany`."""
    limits.take(POST, post.actor_id)
    if may_call_all(post.body):
        limits.take(CALL_ALL, post.actor_id)
