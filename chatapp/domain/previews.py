"""Previews: what the page behind the first link of a message tells, shown with the message.

1. It is kept with the message as JSON (`messages.preview`), and its picture is a file of the message's author in that
   message (`files.py`): whoever may read the message may have it, and it goes with it.
2. A preview belongs to the words. Other words with the same first link keep it; without that link it goes.
3. Whoever took one away has decided: '' stays, and no other comes.
4. What pages told is kept for a while, by room: how quickly a preview comes tells nobody what is said in other rooms.
"""

import asyncio
import hashlib
from typing import Final

import msgspec
from sqlalchemy import delete, func, select, update

from chatapp.database import Transaction
from chatapp.domain import audit, markup, messages, policy
from chatapp.domain.commands import Committed, Message, Page, RemovePreview, ShowPreview
from chatapp.domain.log import lock_room, lock_user
from chatapp.domain.memberships import Reader
from chatapp.domain.mentions import Mark
from chatapp.tables import files, now_ms
from chatapp.tables import links as kept

KEPT_MS: Final = 24 * 3600 * 1000  # what a page told
FAILED_MS: Final = 10 * 60 * 1000  # that it told nothing
KEPT_MOST: Final = 1_000  # pages
REMOVED: Final = ""


class Preview(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a message shows. `picture`: the id of its file, or ''."""

    url: str
    site: str
    title: str
    text: str
    picture: str = ""
    width: int = 0
    height: int = 0


_decode: Final = msgspec.json.Decoder(Preview).decode
_decode_page: Final = msgspec.json.Decoder(Page).decode


def unpacked(text: str | None) -> Preview | None:
    return _decode(text) if text else None


async def link_of(body: str, marks: list[Mark]) -> str | None:
    """The link whose page a message shows, if it has one."""
    if "://" not in body:
        return None
    spans = [(mark[0], mark[1], mark[2]) for mark in marks]
    if markup.is_dear(body):
        return await asyncio.to_thread(markup.first_link, body, spans)
    return markup.first_link(body, spans)


# -- on messages --------------------------------------------------------------------


async def apply_show(tx: Transaction, command: ShowPreview) -> Committed:
    """Nothing happens when the message has other words by now, or has or had a preview."""
    room = await lock_room(tx, command.room_id)
    message = await messages.find(tx, room.id, command.seq)
    if (
        message is None
        or message.kind != "message"
        or message.preview is not None
        or message.body != command.body
        or room.archived_at is not None
    ):
        return Committed(room.id)
    page = command.page
    shown = Preview(page.url, page.site, page.title, page.text)
    if command.picture and await _attach(tx, room.id, message.seq, command.picture):
        shown = msgspec.structs.replace(
            shown, picture=command.picture, width=page.width, height=page.height
        )
    packed = msgspec.json.encode(shown).decode()
    return Committed(
        room.id, messages=[await messages.change(tx, room, message.seq, preview=packed)]
    )


async def _attach(tx: Transaction, room_id: int, seq: int, id_: str) -> bool:
    here = (files.c.id == id_) & (files.c.room_id == room_id) & (files.c.state == "ready")
    done = await tx.execute(update(files).where(here).values(state="attached", seq=seq))
    return bool(done.rowcount)


async def apply_remove(tx: Transaction, command: RemovePreview) -> Committed:
    """By its author, or whoever may delete the message. What is gone already is gone. Raises `Missing`, `Forbidden`."""
    room = await lock_room(tx, command.room_id)
    me = await lock_user(tx, command.actor_id)
    stand = await policy.require(tx, room.id, me.id, "read")
    message = await messages.living(tx, room.id, command.seq)
    stand.require("change" if message.author_id == me.id else "delete")
    if not message.preview:
        return Committed(room.id)
    if message.author_id != me.id:
        await audit.note(tx, room.id, me.id, "preview", message.author_id, str(message.seq))
    await _drop(tx, message)
    changed = await messages.change(tx, room, message.seq, preview=REMOVED)
    return Committed(room.id, messages=[changed])


async def after_edit(tx: Transaction, message: Message, body: str, marks: list[Mark]) -> str | None:
    """What is left of a message's preview when it says something else."""
    shown = unpacked(message.preview)
    if shown is None or await link_of(body, marks) == shown.url:
        return message.preview
    await _drop(tx, message)
    return None


async def _drop(tx: Transaction, message: Message) -> None:
    """Its picture, and what is kept of the page."""
    shown = unpacked(message.preview)
    if shown is not None and shown.picture:
        here = (files.c.id == shown.picture) & (files.c.room_id == message.room_id)
        await tx.execute(update(files).where(here).values(state="gone"))
    await forget(tx, message)


# -- pages --------------------------------------------------------------------------


def _key(room_id: int, url: str) -> str:
    return hashlib.sha256(f"{room_id} {url}".encode()).hexdigest()


async def known(reader: Reader, room_id: int, url: str) -> tuple[Page | None, bytes | None] | None:
    """What a page told, and its picture. None: nobody has asked for a while."""
    row = await reader.fetch_one(
        select(kept.c.page, kept.c.picture).where(
            kept.c.key == _key(room_id, url), kept.c.until > now_ms()
        )
    )
    if row is None:
        return None
    page = _decode_page(row.page) if row.page else None
    return page, None if row.picture is None else bytes(row.picture)


async def apply_keep(
    tx: Transaction, room_id: int, url: str, page: Page | None, picture: bytes | None
) -> None:
    """What was kept longest goes when there is too much. Raises `Missing`."""
    await lock_room(tx, room_id)  # of two processes with the same link one comes after the other
    key, now = _key(room_id, url), int(await tx.fetch_value(select(now_ms())))
    await tx.execute(delete(kept).where((kept.c.key == key) | (kept.c.until <= now)))
    packed = msgspec.json.encode(page).decode() if page else ""
    until = now + (KEPT_MS if page else FAILED_MS)
    row = {"key": key, "room_id": room_id, "until": until, "page": packed, "picture": picture}
    await tx.execute(kept.insert().values(row))
    over = int(await tx.fetch_value(select(func.count()).select_from(kept))) - KEPT_MOST
    if over > 0:
        oldest = select(kept.c.key).order_by(kept.c.until).limit(over)
        await tx.execute(delete(kept).where(kept.c.key.in_(oldest)))


async def forget(tx: Transaction, message: Message) -> None:
    """What is kept of the page that a message shows."""
    shown = unpacked(message.preview)
    if shown is not None:
        await tx.execute(delete(kept).where(kept.c.key == _key(message.room_id, shown.url)))
