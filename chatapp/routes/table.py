"""The URL table: every address and who answers it."""

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import BaseRoute, Mount, Route

from chatapp.routes import (
    accounts,
    admin,
    avatars,
    bookmarks,
    calls,
    direct,
    edits,
    files,
    first,
    invitations,
    mentions,
    messages,
    moderation,
    notices,
    people,
    pins,
    preview,
    previews,
    profile,
    profiles,
    proof,
    reactions,
    recovery,
    reports,
    rooms,
    search,
    site,
    switch,
    threads,
    timeline,
    uploads,
)


class Number(Convertor[int]):
    """The number of a row. Starlette's own `int` takes any length, and Python refuses thousands of digits."""

    regex = "[0-9]{1,16}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


def routes(static_version: str) -> list[BaseRoute]:
    register_url_convertor("number", Number())
    return [
        Route("/", accounts.home, methods=["GET"]),
        Route("/sign-up", accounts.sign_up_page, methods=["GET"]),
        Route("/sign-up", accounts.sign_up, methods=["POST"]),
        Route("/sign-in", accounts.sign_in_page, methods=["GET"]),
        Route("/sign-in", accounts.sign_in, methods=["POST"]),
        Route("/sign-out", accounts.sign_out, methods=["POST"]),
        Route("/sign-out-everywhere", accounts.sign_out_everywhere, methods=["POST"]),
        Route("/rooms", rooms.browse, methods=["GET"]),
        Route("/rooms", rooms.create, methods=["POST"]),
        Route("/rooms/new", rooms.new_page, methods=["GET"]),
        Route("/rooms/{room_id:number}", timeline.show, methods=["GET"]),
        Route("/rooms/{room_id:number}/messages", timeline.history, methods=["GET"]),
        Route("/rooms/{room_id:number}/messages", messages.post, methods=["POST"]),
        Route(
            "/rooms/{room_id:number}/messages/{seq:number}/edit", edits.edit_page, methods=["GET"]
        ),
        Route("/rooms/{room_id:number}/messages/{seq:number}/edit", edits.edit, methods=["POST"]),
        Route(
            "/rooms/{room_id:number}/messages/{seq:number}/delete", edits.delete, methods=["POST"]
        ),
        Route(
            "/rooms/{room_id:number}/messages/{seq:number}/restore", edits.restore, methods=["POST"]
        ),
        Route(
            "/rooms/{room_id:number}/messages/{seq:number}/history", edits.history, methods=["GET"]
        ),
        Route(
            "/rooms/{room_id:number}/messages/{seq:number}/react",
            reactions.react,
            methods=["POST"],
        ),
        Route(
            "/rooms/{room_id:number}/messages/{seq:number}/reactions",
            reactions.show,
            methods=["GET"],
        ),
        Route(
            "/rooms/{room_id:number}/messages/{seq:number}/preview/remove",
            previews.remove,
            methods=["POST"],
        ),
        Route("/rooms/{room_id:number}/messages/{seq:number}/pin", pins.pin, methods=["POST"]),
        Route(
            "/rooms/{room_id:number}/messages/{seq:number}/bookmark",
            bookmarks.mark,
            methods=["POST"],
        ),
        Route(
            "/rooms/{room_id:number}/messages/{seq:number}/report",
            reports.report_page,
            methods=["GET"],
        ),
        Route(
            "/rooms/{room_id:number}/messages/{seq:number}/report", reports.report, methods=["POST"]
        ),
        Route("/rooms/{room_id:number}/reports", reports.queue, methods=["GET"]),
        Route("/rooms/{room_id:number}/reports/{seq:number}/done", reports.done, methods=["POST"]),
        Route("/rooms/{room_id:number}/pins", pins.show, methods=["GET"]),
        Route("/rooms/{room_id:number}/mine", reactions.mine, methods=["GET"]),
        Route("/rooms/{room_id:number}/files", uploads.upload_page, methods=["GET"]),
        Route("/rooms/{room_id:number}/files", uploads.upload, methods=["POST"]),
        Route("/files/{id}", uploads.discard, methods=["DELETE"]),
        Route("/files/{id}/{name}", files.show, methods=["GET"]),
        Route("/previews/{id}", previews.picture, methods=["GET"]),
        Route("/thumbnails/{id}", files.thumbnail, methods=["GET"]),
        Route("/rooms/{room_id:number}/preview", preview.show, methods=["POST"]),
        Route("/rooms/{room_id:number}/members", people.show, methods=["GET"]),
        Route("/rooms/{room_id:number}/members/add", people.add_member, methods=["POST"]),
        Route("/rooms/{room_id:number}/members/suggest", mentions.suggest, methods=["GET"]),
        Route(
            "/rooms/{room_id:number}/mentions/{seq:number}/clear", mentions.clear, methods=["POST"]
        ),
        Route("/rooms/{room_id:number}/threads/{seq:number}", threads.show, methods=["GET"]),
        Route(
            "/rooms/{room_id:number}/threads/{seq:number}/follow", threads.follow, methods=["POST"]
        ),
        Route("/rooms/{room_id:number}/threads/{seq:number}/read", threads.read, methods=["POST"]),
        Route("/rooms/{room_id:number}/call", calls.show, methods=["GET"]),
        Route("/rooms/{room_id:number}/join", rooms.join, methods=["POST"]),
        Route("/rooms/{room_id:number}/leave", rooms.leave, methods=["POST"]),
        Route("/rooms/{room_id:number}/read", rooms.mark_read, methods=["POST"]),
        Route("/rooms/{room_id:number}/notify", notices.choose, methods=["POST"]),
        Route("/rooms/{room_id:number}/notice", notices.notice, methods=["GET"]),
        Route("/rooms/{room_id:number}/settings", rooms.settings_page, methods=["GET"]),
        Route("/rooms/{room_id:number}/settings", rooms.edit, methods=["POST"]),
        Route("/rooms/{room_id:number}/kind", rooms.shape, methods=["POST"]),
        Route("/rooms/{room_id:number}/talk", rooms.talk, methods=["POST"]),
        Route("/rooms/{room_id:number}/archive", rooms.archive, methods=["POST"]),
        Route("/rooms/{room_id:number}/delete", rooms.delete, methods=["POST"]),
        Route("/rooms/{room_id:number}/members/{user_id:number}", moderation.show, methods=["GET"]),
        Route("/rooms/{room_id:number}/members/{user_id:number}", moderation.act, methods=["POST"]),
        Route("/rooms/{room_id:number}/audit", moderation.room_log, methods=["GET"]),
        Route("/rooms/{room_id:number}/leave", rooms.leave_page, methods=["GET"]),
        Route("/audit", moderation.site_log, methods=["GET"]),
        Route("/direct/new", direct.new_page, methods=["GET"]),
        Route("/direct", direct.open_room, methods=["POST"]),
        Route("/mentions", mentions.show, methods=["GET"]),
        Route("/mentions/clear", mentions.clear_all, methods=["POST"]),
        Route("/threads", threads.listing, methods=["GET"]),
        Route("/switch", switch.show, methods=["GET"]),
        Route("/shortcuts", switch.shortcuts, methods=["GET"]),
        Route("/bookmarks", bookmarks.show, methods=["GET"]),
        Route("/search", search.show, methods=["GET"]),
        Route("/sidebar", rooms.sidebar, methods=["GET"]),
        Route("/settings", profile.show, methods=["GET"]),
        Route("/settings/profile", profile.change, methods=["POST"]),
        Route("/avatars/{id}", avatars.show, methods=["GET"]),
        Route("/avatars/{id}/large", avatars.large, methods=["GET"]),
        Route("/settings/avatar", avatars.change, methods=["POST"]),
        Route("/settings/avatar/remove", avatars.remove, methods=["POST"]),
        Route("/people/{user_id:number}", profiles.show, methods=["GET"]),
        Route("/people/{user_id:number}/block", profiles.block, methods=["POST"]),
        Route("/settings/about", profiles.change_about, methods=["POST"]),
        Route("/settings/status", profiles.change_status, methods=["POST"]),
        Route("/settings/presence", profile.change_presence, methods=["POST"]),
        Route("/settings/writing", profile.change_writing, methods=["POST"]),
        Route("/settings/theme", profile.change_theme, methods=["POST"]),
        Route("/settings/password", profile.change_password, methods=["POST"]),
        Route(
            "/settings/devices/{device_id:number}/sign-out",
            profile.sign_out_device,
            methods=["POST"],
        ),
        Route("/settings/devices/sign-out-others", profile.sign_out_others, methods=["POST"]),
        Route("/settings/delete-account", profile.delete_account, methods=["POST"]),
        Route("/settings/quiet", notices.quiet_hours, methods=["POST"]),
        Route("/push/key", notices.push_key, methods=["GET"]),
        Route("/push/subscribe", notices.subscribe, methods=["POST"]),
        Route("/push/unsubscribe", notices.unsubscribe, methods=["POST"]),
        Route("/push/test", notices.test, methods=["POST"]),
        Route("/welcome", first.show, methods=["GET"]),
        Route("/welcome", first.start, methods=["POST"]),
        Route("/forgot", recovery.forgot_page, methods=["GET"]),
        Route("/forgot", recovery.forgot, methods=["POST"]),
        Route("/recover/{token}", recovery.recover_page, methods=["GET"]),
        Route("/recover/{token}", recovery.recover, methods=["POST"]),
        Route("/join/{token}", proof.show, methods=["GET"]),
        Route("/join/{token}", proof.sign_up, methods=["POST"]),
        Route("/invitations", invitations.show, methods=["GET"]),
        Route("/invitations", invitations.make, methods=["POST"]),
        Route("/invitations/{invitation_id:number}/revoke", invitations.revoke, methods=["POST"]),
        Route("/invite/{token}", invitations.offered, methods=["GET"]),
        Route("/invite/{token}", invitations.accept, methods=["POST"]),
        Route("/admin", admin.show, methods=["GET"]),
        Route("/admin/entry", admin.change_entry, methods=["POST"]),
        Route("/admin/people/{user_id:number}", admin.person, methods=["GET"]),
        Route("/admin/people/{user_id:number}/role", admin.change_role, methods=["POST"]),
        Route("/admin/people/{user_id:number}/state", admin.change_state, methods=["POST"]),
        Route("/admin/people/{user_id:number}/recovery", admin.issue_recovery, methods=["POST"]),
        Route("/offline", site.offline, methods=["GET"]),
        Route("/manifest.webmanifest", site.manifest, methods=["GET"]),
        Route("/service-worker.js", site.service_worker, methods=["GET"]),
        Route("/favicon.ico", site.icon, methods=["GET"]),
        Route("/up", site.up, methods=["GET"]),
        Route("/ready", site.ready, methods=["GET"]),
        Route("/metrics", site.metrics, methods=["GET"]),
        Mount("/static", site.Static(static_version)),
    ]
