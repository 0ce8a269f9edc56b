"""Pictures of people: the form that sends one, and how they are fetched. A picture never changes, its address does."""

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from chatapp.domain import avatars
from chatapp.errors import Invalid, Missing, TooLarge
from chatapp.limits import AVATAR, PROFILE
from chatapp.realtime.backplane import Hint
from chatapp.realtime.uploads import THUMBNAIL
from chatapp.routes.door import required_session, services, session, to
from chatapp.routes.files import POLICY, begun
from chatapp.routes.multipart import Form
from chatapp.routes.profile import show_settings

_ID: Final = re.compile("[A-Za-z0-9_-]{24}")
_HEADERS: Final = {
    "Content-Type": "image/webp",
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": POLICY,
}


async def show(request: Request) -> Response:
    return await _show(request, THUMBNAIL)


async def large(request: Request) -> Response:
    return await _show(request, "")


async def _show(request: Request, ending: str) -> Response:
    """Raises `Missing`, also for who is signed out: nobody learns whether there is such a picture."""
    kit, id_ = services(request), request.path_params["id"]
    known = await session(request)
    if known is None or not _ID.fullmatch(id_) or not await avatars.is_shown(kit.database, id_):
        raise Missing("not_found")
    pieces = await begun(kit.uploads.storage.read(id_ + ending))
    return StreamingResponse(pieces, 200, _HEADERS)


async def change(request: Request) -> Response:
    kit, known = services(request), await required_session(request)
    kit.limits.take(AVATAR, known.user.id)
    form = Form(request)
    try:
        await form.begin()
        await kit.portraits.take(known.user.id, form.pieces())
    except (Invalid, TooLarge) as error:
        wrong = error.fields["file"] if isinstance(error, Invalid) else error.sentence
        return await show_settings(request, {"avatar_error": wrong}, error.status)
    kit.backplane.publish(Hint("person", user_id=known.user.id))
    return to("/settings#picture", "avatar")


async def remove(request: Request) -> Response:
    kit, known = services(request), await required_session(request)
    kit.limits.take(PROFILE, known.user.id)
    await kit.portraits.remove(known.user.id)
    kit.backplane.publish(Hint("person", user_id=known.user.id))
    return to("/settings#picture", "avatar_gone")
