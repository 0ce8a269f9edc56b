"""Sending files: one request for each, before the message that it is in; and a page that sends one without scripts."""

from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatapp.domain import files
from chatapp.domain.attached import File
from chatapp.domain.rooms import Room
from chatapp.domain.users import User
from chatapp.errors import Invalid, Refused, SignedOut, TooLarge
from chatapp.limits import UPLOAD
from chatapp.realtime.posting import post_command, take_post
from chatapp.routes.door import page, services, session, to
from chatapp.routes.multipart import Form
from chatapp.routes.rooms import standing


async def upload_page(request: Request) -> Response:
    """The form, for browsers without scripts."""
    _, room, _ = await standing(request, "post")
    return await _form(request, room, {}, {})


async def upload(request: Request) -> Response:
    """A body that is the file, with its name in the query; or a form, which becomes a message at once."""
    kit = services(request)
    me, room, _ = await standing(request, "post")
    if request.headers.get("content-type", "").startswith("multipart/"):
        return await _message(request, me, room)
    length = _length(request)
    kit.uploads.check(length)
    kit.limits.take(UPLOAD, me.id)
    name = request.query_params.get("name", "")
    file = await kit.uploads.take(me.id, room.id, name, length, request.stream())
    return JSONResponse(_told(file), 201)


def _length(request: Request) -> int | None:
    given = request.headers.get("content-length")
    if given is None:
        return None
    if not (given.isascii() and given.isdigit()):
        raise Refused("bad_request")
    return int(given[:20])


def _told(file: File) -> dict[str, object]:
    return {
        "id": file.id,
        "name": file.name,
        "type": file.type,
        "kind": file.kind,
        "size": file.size,
        "width": file.width,
        "height": file.height,
    }


async def _message(request: Request, me: User, room: Room) -> Response:
    kit = services(request)
    kit.limits.take(UPLOAD, me.id)
    form = Form(request)
    try:
        name = await form.begin()
        kit.uploads.check(None)
        body, key = form.fields.get("body", ""), form.fields.get("key", "")
        present = kit.presence.present
        post_command(me.id, room.id, key, body, present, files=["A" * 24])  # before all that work
        file = await kit.uploads.take(me.id, room.id, name, None, form.pieces())
        command = post_command(me.id, room.id, key, body, present, files=[file.id])
        take_post(kit.limits, command)
        message = await kit.writer.ask(command)
    except (Invalid, TooLarge) as error:
        errors = error.fields if isinstance(error, Invalid) else {"file": error.sentence}
        return await _form(request, room, form.fields, errors, error.status)
    return to(f"/rooms/{room.id}#m-{message.seq}")


async def _form(
    request: Request,
    room: Room,
    form: dict[str, str],
    errors: dict[str, str],
    status: int = 200,
) -> Response:
    values = {
        "room": room,
        "current_room_id": room.id,
        "form": form,
        "errors": errors,
        "key": form.get("key") or str(uuid4()),
        "most": services(request).settings.upload_mb,
    }
    return await page(request, "rooms/file.html", values, status)


async def discard(request: Request) -> Response:
    """One's own file that is in no message yet."""
    kit = services(request)
    known = await session(request)
    if known is None:
        raise SignedOut("signed_out")
    async with kit.database.transaction() as tx:
        await files.apply_discard(tx, known.user.id, request.path_params["id"])
    return Response(status_code=204)
