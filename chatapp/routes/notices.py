"""What people are told of while they look elsewhere: the choice for a room, what a notice says, quiet hours, and
browsers that take pushes."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatapp import webpush
from chatapp.domain import notices, subscriptions
from chatapp.domain.commands import Committed
from chatapp.errors import Invalid, Missing
from chatapp.limits import PROFILE, PUSH
from chatapp.outbound import Unsafe
from chatapp.routes.door import actor, query_number, required_session, services, to, typed, zone
from chatapp.routes.profile import show_settings
from chatapp.routes.rooms import member


async def choose(request: Request) -> Response:
    """All messages of a room, mentions, nothing, or nothing and no line in the sidebar."""
    kit = services(request)
    me, room = await member(request)
    kit.limits.take(PROFILE, me.id)
    form = await typed(request, "notify")
    await notices.choose(kit.database, room.id, me.id, form["notify"])
    kit.fanout.publish(Committed(room.id, sidebars={me.id}))
    return to(f"/rooms/{room.id}", "notify")


async def notice(request: Request) -> Response:
    """What a notice says: of the message `seq`, or else of the newest unread one that concerns the reader. `quiet`:
    not to be shown just now."""
    kit = services(request)
    me, room = await member(request)
    seq = query_number(request, "seq") or await notices.newest(kit.database, room.id, me.id)
    found = await notices.find(kit.database, room.id, seq, me.id) if seq else None
    if found is None:
        raise Missing("not_found")
    quiet = await notices.quiet_of(kit.database, me.id)
    return JSONResponse(
        {
            "room": room.id,
            "name": found.room,
            "author": found.author,
            "text": found.text,
            "seq": found.seq,
            "url": notices.address(found),
            "quiet": quiet.holds(kit.clock.wall()),
        }
    )


async def quiet_hours(request: Request) -> Response:
    """When somebody wants to hear nothing, in the zone their browser told."""
    kit, me = services(request), await actor(request)
    kit.limits.take(PROFILE, me.id)
    form = await typed(request, "from", "until")
    try:
        await notices.set_quiet(kit.database, me.id, form["from"], form["until"], zone(request))
    except Invalid as error:
        return await show_settings(
            request, {"quiet_form": form, "quiet_errors": error.fields}, error.status
        )
    return to("/settings#notices", "quiet")


async def push_key(request: Request) -> Response:
    """By this key browsers know pushes of ours."""
    kit, _ = services(request), await actor(request)
    return JSONResponse({"key": kit.pushes.public_key})


async def subscribe(request: Request) -> Response:
    """This browser takes pushes from now on, for as long as it is signed in."""
    kit, known = services(request), await required_session(request)
    kit.limits.take(PUSH, known.user.id)
    form = await typed(request, "endpoint", "p256dh", "auth")
    try:
        kit.pushes.outbound.target(form["endpoint"])
    except Unsafe:
        raise Invalid({"endpoint": "push_endpoint"}) from None
    try:
        webpush.check_keys(form["p256dh"], form["auth"])
    except ValueError:
        raise Invalid({"": "push_invalid"}) from None
    await subscriptions.add(kit.database, known.id, known.user.id, **form)
    return Response(status_code=204)


async def unsubscribe(request: Request) -> Response:
    kit, known = services(request), await required_session(request)
    await subscriptions.remove(kit.database, known.id)
    return Response(status_code=204)


async def test(request: Request) -> Response:
    """Sends a push to this browser, and tells what its service said: `status` 0 when nobody answered."""
    kit, known = services(request), await required_session(request)
    kit.limits.take(PUSH, known.user.id)
    found = await subscriptions.of_session(kit.database, known.id)
    if found is None:
        raise Missing("push_none")
    status = await kit.pushes.test(found, {"test": True, "url": "/settings#notices"})
    return JSONResponse({"taken": 200 <= status < 300, "status": status})
