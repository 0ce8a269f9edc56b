"""Reactions: to have one or not to have it, and who reacted."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatapp import words
from chatapp.domain import bookmarks, emoji, memberships, messages, reactions
from chatapp.domain.commands import Message, React
from chatapp.domain.reactions import Reaction
from chatapp.domain.users import User
from chatapp.errors import Invalid, Missing
from chatapp.limits import REACT, SUGGEST
from chatapp.routes.door import (
    actor,
    fragment,
    is_htmx,
    message_number,
    message_path,
    number_of,
    page,
    query_number,
    room_number,
    services,
    to,
    typed,
    wants_json,
)
from chatapp.routes.rooms import member

QUICK: Final = ("👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀")  # for pages without scripts
ASKED_MOST: Final = 100  # messages


async def react(request: Request) -> Response:
    """`emoji`, and `on`: true to have this reaction, anything else not to. The answer comes after the commit."""
    kit, me = services(request), await actor(request)
    room_id, seq = room_number(request), message_number(request)
    form = await typed(request, "emoji", "on")
    await memberships.standing(kit.database, room_id, me.id)
    sign = emoji.regular(form["emoji"].strip())
    if sign is None:
        raise Invalid({"emoji": "emoji_unknown"})
    kit.limits.take(REACT, me.id)
    await kit.writer.ask(React(me.id, room_id, seq, sign, form["on"] == "true"))
    message = await messages.find(kit.database, room_id, seq)
    if message is not None and reactions.is_crowded(message):
        kit.own.tell(room_id, me.id, seq, others=True)
    if wants_json(request.headers):
        # up to which number a window has to have its room to show this
        return JSONResponse({"seq": message.changed_seq if message else 0})
    return to(message_path(room_id, seq))


async def show(request: Request) -> Response:
    """Who reacted: as words for each emoji (JSON), as a piece of a page (htmx), or as a page."""
    kit = services(request)
    me, room = await member(request)
    kit.limits.take(SUGGEST, me.id)
    message = await messages.find(kit.database, room.id, message_number(request))
    if message is None or message.kind != "message":
        raise Missing("message_gone")
    found = reactions.unpacked(message.reactions)
    names = await reactions.names(kit.database, found)
    theirs = await reactions.of_user(kit.database, room.id, me.id, [message.seq])
    own = theirs.get(message.seq, set())
    said = {each.emoji: _sentence(each, names, me, mine=each.emoji in own) for each in found}
    if wants_json(request.headers):
        return JSONResponse({"said": said})
    values: dict[str, Any] = {
        "me": me,
        "room": room,
        "current_room_id": room.id,
        "message": message,
        "found": found,
        "said": said,
        "own": own,
        "quick": [sign for sign in QUICK if sign not in said],
        **await _people(request, message, found),
    }
    if is_htmx(request.headers):
        return fragment(request, "reactions/_who.html", values)
    return await page(request, "reactions/show.html", values)


async def _people(request: Request, message: Message, found: list[Reaction]) -> dict[str, Any]:
    """Those of the emoji that is looked at, or else of the first."""
    kit = services(request)
    asked = emoji.regular(request.query_params.get("emoji", ""))
    chosen = next((each for each in found if each.emoji == asked), found[0] if found else None)
    if chosen is None:
        return {"chosen": None, "people": [], "page": 1, "pages": 1}
    pages = max(1, -(-chosen.total // reactions.PAGE))
    number = min(max(1, query_number(request, "page") or 1), pages)
    people = await reactions.who(kit.database, message.room_id, message.seq, chosen.emoji, number)
    return {"chosen": chosen.emoji, "people": people, "page": number, "pages": pages}


def _sentence(each: Reaction, names: Mapping[int, str], me: User, *, mine: bool) -> str:
    """'You, Noor and 12 others'."""
    first = [names[who] for who in each.user_ids if who in names and who != me.id]
    told = ([words.YOU] if mine else []) + first[: reactions.NAMED_MOST - mine]
    if left := each.total - len(told):
        told.append(words.OTHERS[0] if left == 1 else words.OTHERS[1].format(n=left))
    return words.AND.join(filter(None, (", ".join(told[:-1]), told[-1])))


async def mine(request: Request) -> Response:
    """What is the reader's own: with what they reacted to the messages in `crowded`, and what they bookmarked between
    the numbers `from` and `to`."""
    kit = services(request)
    me, room = await member(request)
    kit.limits.take(SUGGEST, me.id)
    asked = request.query_params.get("crowded", "").split(",")[:ASKED_MOST]
    seqs = [seq for each in asked if (seq := number_of(each)) is not None]
    found = await reactions.of_user(kit.database, room.id, me.id, seqs)
    first, last = query_number(request, "from"), query_number(request, "to")
    marked = (
        await bookmarks.among(kit.database, me.id, room.id, first, last)
        if first is not None and last is not None
        else set()
    )
    return JSONResponse(
        {
            "reactions": {str(seq): sorted(found.get(seq, ())) for seq in seqs},
            "bookmarks": sorted(marked),
        }
    )
