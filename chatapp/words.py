"""Every sentence that Python code shows to a person, by its stable code. Templates hold the rest.

Braces are filled by `str.format`. Translating the product means translating this file and `templates/`.
"""

from typing import Final

SENTENCES: Final = {
    # whole requests
    "bad_request": "This request could not be understood.",
    "signed_out": "Please sign in first.",
    "forbidden": "You may not do this.",
    "cross_site": "This request came from another site, so it was not carried out.",
    "wrong_host": "This address is not served here. The administrator can allow it with ALLOWED_HOSTS.",
    "not_found": "There is nothing at this address.",
    "method_not_allowed": "This address does not do that.",
    "too_large": "This is more than we accept in one request. Please send less.",
    "too_many": "That was a lot in a short time. Please try again in {seconds} s.",
    "busy": "We are busy. Please try again in {seconds} s.",
    "unknown_outcome": "We could not confirm that this was stored. Sending it again is safe.",
    "failed": "Something went wrong on our side. It has been noted.",
    # accounts
    "name_empty": "Please enter a name.",
    "name_too_long": "A name may have at most 64 characters.",
    "name_characters": "A name may not have control or invisible characters.",
    "name_reserved": "This name is reserved. Please choose another.",
    "name_taken": "This name, or one that looks like it, is taken. Please choose another.",
    "email_invalid": "Please enter an email address such as ann@example.org.",
    "email_taken": "There is an account for this address already. Sign in instead?",
    "password_short": "A password has at least 8 characters.",
    "password_long": "A password may have at most 1,024 bytes.",
    "password_characters": "A password may not have a NUL or half characters.",
    "wrong_credentials": "Email or password is not right.",
    "wrong_password": "The password is not right.",
    "account_deactivated": "This account is deactivated. An administrator can open it again.",
    "sign_up_closed": "People come in here by invitation. Ask somebody here for one.",
    "email_domain": "Only addresses of certain domains may sign up here. Ask somebody here for an invitation.",
    # the administration of the site
    "not_administrator": "Only an administrator may do this.",
    "person_gone": "This person has no account here, or not any more.",
    "person_deactivated": "This account is deactivated. Open it again first.",
    "last_administrator": "This is the last administrator. Make somebody else one first.",
    "yourself": "You cannot deactivate yourself.",
    "role_unknown": "Please choose one of administrator, member or guest.",
    "entry_unknown": "Please choose who may sign up.",
    "domain_invalid": "Please write domains such as example.org, parted by spaces.",
    "domains_none": "Please name at least one domain.",
    "domains_many": "At most {most} domains can be named.",
    # invitations
    "invitation_over": "This invitation is not good, or not any more. Ask for a new one.",
    "invitation_gone": "There is no such invitation.",
    "invitations_full": "You may have at most {most} open invitations. Revoke some first.",
    "may_not_invite": "Guests cannot invite people.",
    "days_unknown": "Please choose for how long the invitation is good.",
    "uses_invalid": "Please write a number from 1 to 1,000.",
    "note_invalid": "A note is one line of at most 250 characters.",
    "rooms_none": "Please choose at least one room.",
    "rooms_many": "An invitation may lead to at most 40 rooms.",
    # passwords that were lost
    "no_mail": "This site sends no mail. Ask an administrator for a link.",
    "proof_over": "This link is not good, or not any more. Ask for a new one.",
    "recovery_over": "This link is not good, or not any more. Ask for a new one.",
    # profiles
    "not_a_picture": "This is no picture that we can read. Choose a PNG, JPEG, GIF or WebP.",
    "bio_too_long": "This may have at most 500 characters.",
    "bio_characters": "This text has characters that cannot be stored, such as NUL.",
    "status_too_long": "A status may have at most 80 characters.",
    "status_characters": "A status may not have control characters.",
    "undeliverable": "Messages cannot be delivered to this person.",
    "blocks_full": "You may block at most {most} people. Unblock some first.",
    "ends_unknown": "Please choose one of the times.",
    "day_invalid": "Please choose a date.",
    "day_range": "Please choose a date from today to a year from now.",
    "zone_unknown": "Please choose a place from the list.",
    "hue_unknown": "Please choose one of the twelve colours.",
    "theme_unknown": "Please choose one of the themes.",
    "device_unknown": "This device is not signed in any more.",
    # rooms
    "room_name_empty": "Please give the room a name.",
    "room_name_too_long": "The name of a room may have at most 80 characters.",
    "room_name_characters": "The name of a room may not have control or invisible characters.",
    "room_name_taken": "There is a room with this name already. Join it, or choose another name.",
    "topic_too_long": "A topic may have at most 250 characters.",
    "topic_characters": "A topic may not have control characters.",
    "room_gone": "This room does not exist, or not any more.",
    "not_member": "You are not a member of this room. Join it first.",
    "not_manager": "Only the owner of a room or an administrator may do this.",
    "not_moderating": "Only the owner of a room, its moderators or an administrator may do this.",
    "not_yourself": "Nobody can do this to themselves.",
    "not_the_owner": "The owner of a room cannot be removed, muted or banned. The room has to be handed over first.",
    "not_each_other": "Only the owner of the room or an administrator can do this to a moderator.",
    "guest_role": "Guests cannot look after a room.",
    "banned": "You are banned from this room for now.",
    "banned_person": "They are banned from this room. Lift the ban first.",
    "heir_gone": "They have left meanwhile. Please choose somebody else.",
    "action_unknown": "There is nothing of this kind to do.",
    "minutes_invalid": "Please choose one of the times.",
    "reason_long": "A reason may have at most 250 characters.",
    "own_report": "This is a message of yours.",
    "guest": "Guests cannot do this.",
    "direct_room": "A direct conversation does not have this.",
    "room_archived": "This room is archived: it can be read, and nothing more.",
    "muted": "You are muted in this room for now: you can read, and not write.",
    "announcement": "In this room only its owner and its moderators write.",
    "slow": "This room is slow. You can write again in {seconds} s.",
    "kind_unknown": "Please choose one of open and closed.",
    "slow_unknown": "Please choose one of the times.",
    "nobody_named": "Nobody here has this name. Please type it in full.",
    "direct_people": "A conversation is for 2 to {most} people, you among them.",
    "confirm_open": "Please confirm that everything said here becomes visible.",
    "notify_unknown": "Please choose one of all, mentions, nothing or hidden.",
    "confirm_name": "Please type the name of the room to confirm.",
    # calls
    "call_full": "This call is full: it may have {most} people.",
    "not_in_call": "You are not in this call, or not any more. Join it first.",
    "not_watching": "The room must be open before its call can be joined.",
    # notices
    "time_invalid": "Please write a time such as 22:30.",
    "time_missing": "Please give both times, or neither.",
    "push_invalid": "This is not what a browser says when it takes pushes.",
    "push_endpoint": "We do not send to this address.",
    "push_none": "This device does not take pushes. Turn them on first.",
    # messages
    "not_a_message": "Only messages can have that.",
    "emoji_unknown": "This is not an emoji that we know.",
    "reactions_full": "A message may have at most {most} different reactions.",
    "pins_full": "A room may have at most {most} pinned messages. Unpin one first.",
    "bookmarks_full": "You may have at most {most:,} bookmarks. Remove some first.",
    "message_gone": "This message does not exist, or not any more.",
    "message_changed": "This message was changed meanwhile. Below is how it reads now, and what you wrote.",
    "edited_often": "This message was edited {most} times, and that is enough. Write a new one instead.",
    "edit_late": "It is too late to edit this message.",
    "not_author": "Only who wrote a message can edit it.",
    "not_moderator": "Only who wrote a message, the owner of the room or an administrator can delete it.",
    "restore_over": "It is too late to bring this message back.",
    "reply_gone": "The message you answer is not here. Try again, and it is sent without it.",
    "message_empty": "There is nothing to send yet.",
    "message_too_long": "A message may have at most 4,000 characters and 16 KiB.",
    "message_characters": "This text has characters that cannot be stored, such as NUL.",
    "key_invalid": "The key of a message is a UUID.",
    "key_reused": "This key has been used for another message.",
    # files
    "file_too_large": "A file may have at most {most:,} MB here.",
    "file_empty": "This file is empty.",
    "file_slow": "The file did not arrive in time. Please try again.",
    "file_gone": "A file of this message is not here, or not any more. Please add it again.",
    "file_none": "Please choose a file.",
    "files_many": "A message may have at most {most} files.",
    "files_off": "Files cannot be sent here.",
    "quota_full": "Your files may take {most:,} MB here, and this one does not fit. Delete some messages with files.",
    "storage_full": "There is no room for files here just now. Please tell the administrator.",
    # the socket
    "frame_invalid": "This frame is not JSON of the expected form.",
    "frame_binary": "Frames are text.",
    "command_unknown": "There is no command of this type.",
    "cursor_invalid": "This cursor has not the form EPOCH:NUMBER.",
    "too_many_sockets": "You have too many windows open here. Please close one.",
    "too_many_rooms": "One window can watch at most 200 rooms.",
}

FIRST_ROOM: Final = "General"
# Subjects of mails, by their templates.
SUBJECTS: Final = {
    "recover": "A new password for {site}",
    "sign_up": "Your account at {site}",
    "known": "You have an account at {site}",
}
DELETED_ACCOUNT: Final = "deleted account"

NOTICES: Final = {
    "profile": "Your profile is saved.",
    "about": "What you tell about yourself is saved.",
    "status": "Your status is saved.",
    "avatar": "Your picture is saved.",
    "avatar_gone": "Your picture is taken away.",
    "blocked": "They cannot write to you directly any more.",
    "unblocked": "They can write to you again.",
    "status_gone": "Your status is taken away.",
    "password": "Your password is changed. All other devices are signed out.",
    "theme": "The theme is saved for this device.",
    "writing": "Your choice of keys is saved.",
    "invisible": "You are invisible now. Everybody else sees you as not here.",
    "visible": "Others can see again when you are here.",
    "entry": "Saved who may sign up.",
    "role": "The role is saved.",
    "deactivated": "The account is deactivated, and signed out everywhere.",
    "reactivated": "The account is open again.",
    "revoked": "The invitation is revoked. Nobody comes in by it any more.",
    "recovered": "Your password is changed. Sign in with the new one.",
    "device": "The device is signed out.",
    "devices": "All other devices are signed out.",
    "restored": "The message is back.",
    "room_saved": "The room is saved.",
    "notify": "Your choice for this room is saved.",
    "quiet": "Your quiet hours are saved.",
    "moderated": "That is done. It stands in the room’s log.",
    "reported": "Thank you. Those who look after this room will see it.",
    "member_added": "They are in this room now.",
    "room_archived": "The room is archived.",
    "room_restored": "The room is back.",
    "room_left": "You left the room.",
    "room_deleted": "The room is deleted.",
    "account_deleted": "Your account is deleted.",
    "signed_out": "You are signed out.",
}

# What the quick switcher offers besides rooms and people: a name, and what else it is called or does.
PLACES: Final = {
    "new_room": ("New room", "Open a room"),
    "new_direct": ("New conversation", "Direct messages with one or a few people"),
    "browse": ("Browse rooms", "Find rooms to join"),
    "mentions": ("Mentions", "Unread messages that name you"),
    "search": ("Search", "Find messages"),
    "invitations": ("Invite people", "Invitations, links"),
    "settings": ("Settings", "Profile, name and colour"),
    "theme": ("Theme", "Light, dark, or same as the system"),
    "writing": ("Writing", "Enter or Ctrl Enter sends"),
    "notices": ("Notices", "Pop-ups, push, sound, quiet hours"),
    "devices": ("Devices", "Where you are signed in"),
    "password": ("Password", "Change it"),
    "shortcuts": ("Keyboard shortcuts", "Keys, help"),
    "sign_out": ("Sign out", "On this device"),
}

# What a message says that is nothing but files: one, and several of a kind.
FILES: Final = {
    "picture": ("Picture", "{n} pictures"),
    "video": ("Video", "{n} videos"),
    "audio": ("Sound", "{n} sounds"),
    "file": ("File", "{n} files"),
}
SIZES: Final = ("bytes", "kB", "MB", "GB")

BROWSERS: Final = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS: Final = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}
DEVICE_NAME: Final = "{browser} on {system}"
UNKNOWN_BROWSER: Final = "A program"
UNKNOWN_SYSTEM: Final = "an unknown system"

TODAY: Final = "Today"
YESTERDAY: Final = "Yesterday"
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
JUST_NOW: Final = "just now"
MINUTES_AGO: Final = ("one minute ago", "{n} minutes ago")
HOURS_AGO: Final = ("one hour ago", "{n} hours ago")
ON_YESTERDAY: Final = "yesterday"
UNDER_A_MINUTE: Final = "less than a minute"
MINUTES: Final = ("1 minute", "{n} minutes")
HOURS: Final = ("1 hour", "{n} hours")
AND: Final = " and "
BOOKMARKED: Final = "Bookmarked"
YOU: Final = "You"
OTHERS: Final = ("1 other", "{n} others")

# Titles of error pages, by status; 400 stands for all that are not listed.
TITLES: Final = {
    400: "That did not work",
    401: "Please sign in",
    403: "Not for you",
    404: "Nothing here",
    405: "Not this way",
    413: "Too much at once",
    429: "A little slower, please",
    500: "Something broke on our side",
    503: "Very busy right now",
}
