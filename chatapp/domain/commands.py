"""What people ask to have changed in rooms. The writer carries these out, one after another, in order.

`PostMessage` goes in batches through `posts.apply_posts`; every other command has a transaction of its own, by
the table `APPLY` in `changes.py`. Who asks is `actor_id`; names and texts in a command are already regular.
"""

from dataclasses import dataclass, field

import msgspec


class PostMessage(msgspec.Struct, frozen=True, gc=False):
    """`key` is the sender's idempotency key (a UUID): the same key posts once. `here`: who is present, when the body
    may mean them. `reply`: the number of the message that this one answers, 0 for none. `files`: the ids of theirs that
    are in it; then the body may be empty."""

    actor_id: int
    room_id: int
    key: str
    body: str
    body_hash: bytes
    here: tuple[int, ...] = ()
    reply: int = 0
    files: tuple[str, ...] = ()


class Page(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the page behind a link tells. `url`: the link as it stands in the message; `width` of its picture, 0 when
    it has none."""

    url: str
    site: str
    title: str
    text: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class EditMessage:
    """`base`: of how many former versions the editor knew. At most `within` seconds after posting. `here`: as in
    `PostMessage`."""

    actor_id: int
    room_id: int
    seq: int
    body: str
    base: int
    within: int
    here: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteMessage:
    actor_id: int
    room_id: int
    seq: int


@dataclass(frozen=True, slots=True)
class RestoreMessage:
    """Takes the actor's own deletion back, while that is possible."""

    actor_id: int
    room_id: int
    seq: int


@dataclass(frozen=True, slots=True)
class CreateRoom:
    """`kind`: open or closed."""

    actor_id: int
    name: str
    topic: str
    kind: str = "open"


@dataclass(frozen=True, slots=True)
class EditRoom:
    actor_id: int
    room_id: int
    name: str
    topic: str


@dataclass(frozen=True, slots=True)
class ShapeRoom:
    """What is None stays as it is."""

    actor_id: int
    room_id: int
    kind: str | None = None
    is_announcement: bool | None = None
    slow_seconds: int | None = None
    is_archived: bool | None = None


@dataclass(frozen=True, slots=True)
class DeleteRoom:
    actor_id: int
    room_id: int


@dataclass(frozen=True, slots=True)
class JoinRoom:
    actor_id: int
    room_id: int


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who wants an account: a name and an address that are regular, and the hash of a password."""

    name: str
    email: str = field(repr=False)
    email_key: str = field(repr=False)
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AcceptInvitation:
    """Into all rooms of an invitation. `newcomer`: who gets an account by it; then `actor_id` is 0."""

    actor_id: int
    token_hash: str = field(repr=False)
    newcomer: Newcomer | None = None


@dataclass(frozen=True, slots=True)
class AddMember:
    """`name` of an account, as somebody typed it."""

    actor_id: int
    room_id: int
    name: str


@dataclass(frozen=True, slots=True)
class OpenDirect:
    """The direct room of the actor and these people."""

    actor_id: int
    user_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LeaveRoom:
    """`heir_id`: whose the room is afterwards, if it is the actor's; 0: whoever `memberships.heir_of` says."""

    actor_id: int
    room_id: int
    heir_id: int = 0


@dataclass(frozen=True, slots=True)
class Moderate:
    """Something of `moderation.ACTIONS` is done to somebody. `minutes`: how long, 0 for good."""

    actor_id: int
    room_id: int
    user_id: int
    action: str
    minutes: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EditProfile:
    actor_id: int
    name: str
    hue: int


@dataclass(frozen=True, slots=True)
class ChangeAvatar:
    """`avatar`: the id of a picture that is stored; None: initials from now on."""

    actor_id: int
    avatar: str | None


@dataclass(frozen=True, slots=True)
class DeleteAccount:
    actor_id: int


@dataclass(frozen=True, slots=True)
class JoinCall:
    """`fresh`: random, for this tab and its line. `before`: the token that the tab had when its line broke, or ''.
    At most `most` people; with more than `direct` of them the call is large from then on."""

    actor_id: int
    room_id: int
    fresh: str
    before: str
    most: int
    direct: int


@dataclass(frozen=True, slots=True)
class LeaveCall:
    """Of the line that is the `holder`. A tab that came back by another line stays."""

    actor_id: int
    room_id: int
    holder: str


@dataclass(frozen=True, slots=True)
class SettleCall:
    """Takes those out who are not there any more. Nobody asks for it: `actor_id` is 0."""

    room_id: int
    actor_id: int = 0


@dataclass(frozen=True, slots=True)
class React:
    """`emoji` as `emoji.regular` writes it. With `on` the actor has this reaction afterwards, else not."""

    actor_id: int
    room_id: int
    seq: int
    emoji: str
    on: bool


@dataclass(frozen=True, slots=True)
class Pin:
    """With `on` the message is pinned afterwards, else not."""

    actor_id: int
    room_id: int
    seq: int
    on: bool


@dataclass(frozen=True, slots=True)
class ShowPreview:
    """What the page behind the first link of a message tells, as long as the message says `body`. `picture`: the id of
    a file that is ready, or ''. Nobody asks for it: `actor_id` is 0."""

    room_id: int
    seq: int
    body: str = field(repr=False)
    page: Page
    picture: str = ""
    actor_id: int = 0


@dataclass(frozen=True, slots=True)
class RemovePreview:
    """From a message, for good."""

    actor_id: int
    room_id: int
    seq: int


RoomCommand = (
    EditMessage
    | DeleteMessage
    | RestoreMessage
    | CreateRoom
    | EditRoom
    | ShapeRoom
    | DeleteRoom
    | JoinRoom
    | AcceptInvitation
    | AddMember
    | OpenDirect
    | LeaveRoom
    | Moderate
    | EditProfile
    | ChangeAvatar
    | DeleteAccount
    | JoinCall
    | LeaveCall
    | SettleCall
    | React
    | Pin
    | ShowPreview
    | RemovePreview
)
Command = PostMessage | RoomCommand


class Quote(msgspec.Struct, frozen=True, gc=False):
    """What a message answers, as that is now. `text`: how it begins, without formatting; '' once it is deleted."""

    seq: int
    author_id: int
    author_name: str
    text: str


class Message(msgspec.Struct, frozen=True, gc=False):
    """A row of the room log as readers see it: a message, or an event such as somebody joining.

    `at` in milliseconds since 1970. For events `body` holds the detail (a new name or topic, a person's former name).
    Every row carries its author's look as it was when the row was read: one that is new in a room brings a change of
    name or colour to all rows of that author. `marks`: where whom the body mentions (`mentions.py`).

    A message may be changed later: it keeps its `seq` and takes a new `changed_seq`. One that was deleted has the kind
    'deleted' and no body. The rest is None until there is something to say (`tables.py`). `quote` is never stored: it
    is the row `reply_seq` as it is when this one is read.
    """

    room_id: int
    seq: int
    changed_seq: int
    kind: str
    author_id: int
    author_name: str
    author_hue: int
    key: str | None
    body: str
    at: int
    marks: str | None = None
    edited_at: int | None = None
    reply_seq: int | None = None
    thread_seq: int | None = None
    thread: str | None = None
    reactions: str | None = None
    pinned_at: int | None = None
    files: str | None = None
    preview: str | None = None
    quote: Quote | None = None
    author_avatar: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is a message as it was posted, with nothing that hangs on it."""
        return (
            self.kind == "message"
            and self.edited_at is None
            and self.reply_seq is None
            and self.thread_seq is None
            and self.thread is None
            and self.reactions is None
            and self.pinned_at is None
            and self.files is None
            and not self.preview
        )

    @property
    def is_new(self) -> bool:
        """Whether this is how it was stored first."""
        return self.seq == self.changed_seq

    @property
    def is_end(self) -> bool:
        """Whether it says that its author is no longer a member."""
        return self.kind in {"left", "removed"}

    @property
    def is_quiet(self) -> bool:
        """Whether it only tells windows something (a look, another list of pins) and shows nothing by itself."""
        return self.kind in {"unpinned", "order"} or (self.kind == "profile" and not self.body)


@dataclass(frozen=True, slots=True)
class Departure:
    """Somebody is no longer a member; `reason` is 'left', 'removed' or 'deleted'. `user_id` None: everybody."""

    room_id: int
    user_id: int | None
    reason: str


@dataclass(slots=True)
class Committed:
    """What a transaction changed, for those who watch. `value` answers the command.

    `sidebars`: whose list of rooms changed. `gone_users`: whose account ended. `mentioned`: who was mentioned, or is
    not any more, by room. `recounted`: rooms where what is unread is other than the messages alone tell.
    `followers`: who follows a thread in which something was said, by room.
    `linked`: messages whose words are new and may have a link.
    `patient`: its rows are worth no frame of their own while many like them come (`crowds.py`).
    """

    value: int = 0
    messages: list[Message] = field(default_factory=list)
    departures: list[Departure] = field(default_factory=list)
    sidebars: set[int] = field(default_factory=set)
    gone_users: set[int] = field(default_factory=set)
    mentioned: dict[int, set[int]] = field(default_factory=dict)
    recounted: set[int] = field(default_factory=set)
    followers: dict[int, set[int]] = field(default_factory=dict)
    linked: list[Message] = field(default_factory=list)
    patient: bool = False

    def add(self, after: "Committed") -> None:
        """What another command of the same room changed in the same transaction, after this one."""
        if after.messages:
            self.patient = after.patient and (self.patient or not self.messages)
        self.messages += after.messages
        self.departures += after.departures
        self.sidebars |= after.sidebars
        self.gone_users |= after.gone_users
        self.recounted |= after.recounted
        self.linked += after.linked
        for mine, theirs in ((self.mentioned, after.mentioned), (self.followers, after.followers)):
            for room_id, user_ids in theirs.items():
                mine[room_id] = mine.get(room_id, set()) | user_ids
