"""The schema, for both databases. Migrations make it; a test holds the two together.

Times are whole milliseconds since 1970 UTC, given by the database (`now_ms`). They are labels: order goes by number.
A room's numbers: `rooms.last_seq` is the last one given; each visible change takes the next one inside the
transaction that stores it. `seq` is a row's place and never changes, `changed_seq` the number of its last change.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

MESSAGE_CHARACTERS: Final = 4000
MESSAGE_BYTES: Final = 16 * 1024

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite counts rows only in a column declared INTEGER.
Id = BigInteger().with_variant(Integer(), "sqlite")


# The database's clock, in milliseconds.
NOW_POSTGRESQL: Final = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
NOW_SQLITE: Final = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


class now_ms(FunctionElement[int]):  # noqa: N801  it stands in expressions like a function of SQL
    """The same inside a built query."""

    type = BigInteger()
    inherit_cache = True


@compiles(now_ms, "postgresql")
def _now_postgresql(_element: object, _compiler: object, **_: Any) -> str:
    return NOW_POSTGRESQL


@compiles(now_ms)
def _now_sqlite(_element: object, _compiler: object, **_: Any) -> str:
    return NOW_SQLITE


facts = Table(
    "facts",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
    comment="what is true of this database as a whole: `epoch` names one unbroken line of numbers",
)

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, unique=True, comment="null once the account is deleted"),
    Column("name_skeleton", Text, unique=True, comment="what the name looks like"),
    Column("email", Text),
    Column("email_key", Text, unique=True),
    Column("password_hash", Text),
    Column("hue", Integer, nullable=False),
    Column("is_admin", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Column("is_invisible", Boolean, nullable=False, server_default=false()),
    Column("quiet_from", Integer, comment="minute of the day in `zone`; null: no quiet hours"),
    Column("quiet_until", Integer),
    Column("zone", String(64), nullable=False, server_default="UTC"),
    Column("enter_sends", Boolean, nullable=False, server_default=true()),
    Column(
        "is_guest",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="is only in rooms they were invited to, and knows of no other",
    ),
    Column("deactivated_at", BigInteger, comment="since then they may not sign in; null: they may"),
    Column("bio", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False, server_default=""),
    Column("status_emoji", String(20), nullable=False, server_default=""),
    Column("status_until", BigInteger, comment="from then on there is none; null: it stays"),
    Column("avatar", String(24), comment="the row of `avatars`; null: initials"),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("user_agent", String(300), nullable=False),
    Column("address", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    sqlite_autoincrement=True,
)

rooms = Table(
    "rooms",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    Column("topic", Text, nullable=False),
    Column("topic_key", Text, nullable=False, comment="for search"),
    Column("owner_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False, comment="when last_seq was given"),
    Column("last_seq", BigInteger, nullable=False),
    Column("changed_seq", BigInteger, nullable=False, comment="last change of name or topic"),
    Column("kind", String(10), nullable=False, server_default="open", comment="closed, direct"),
    Column("direct_key", Text, comment="of a direct room: whose it is"),
    Column("archived_at", BigInteger, comment="since then it is only read"),
    Column("is_announcement", Boolean, nullable=False, server_default=false()),
    Column("slow_seconds", Integer, nullable=False, server_default="0", comment="between posts"),
    Index(
        "uq_rooms_direct_key",
        "direct_key",
        unique=True,
        postgresql_where=text("direct_key IS NOT NULL"),
        sqlite_where=text("direct_key IS NOT NULL"),
    ),
    # Numbers of a deleted room must never be met again by an old cursor.
    sqlite_autoincrement=True,
)

memberships = Table(
    "memberships",
    metadata,
    Column("room_id", Id, ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("is_active", Boolean, nullable=False, comment="false: a tombstone of who left"),
    Column("joined_at", BigInteger, nullable=False),
    Column("joined_seq", BigInteger, nullable=False),
    Column("changed_seq", BigInteger, nullable=False),
    Column("read_seq", BigInteger, comment="read up to this number; null: up to joined_seq"),
    Column("place_seq", BigInteger, comment="the row at the top of the window; null: at the end"),
    Column("notify", String(10), nullable=False, server_default="all"),
    Column(
        "role",
        String(10),
        nullable=False,
        server_default="member",
        comment="or moderator; the owner is in rooms.owner_id",
    ),
    Column("muted_until", BigInteger, comment="until then they may not post, react or edit"),
    Index("ix_memberships_user_id_is_active", "user_id", "is_active"),
    Index("ix_memberships_room_id_is_active", "room_id", "is_active"),
    sqlite_with_rowid=False,
)

bans = Table(
    "bans",
    metadata,
    Column("room_id", Id, ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("by_id", Id, ForeignKey("users.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, comment="null: for good"),
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("room_id", Id, nullable=False, comment="which may be gone"),
    Column("at", BigInteger, nullable=False),
    Column("action", String(20), nullable=False),
    Column("by_id", Id, ForeignKey("users.id"), nullable=False),
    Column("user_id", Id, ForeignKey("users.id"), comment="to whom it was done"),
    Column("detail", Text, nullable=False),
    Index("ix_audit_room_id_id", "room_id", "id"),
    comment="what those in charge of rooms did; no words of messages",
    sqlite_autoincrement=True,
)

reports = Table(
    "reports",
    metadata,
    Column("room_id", Id, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("by_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("done_at", BigInteger, comment="null: nobody has looked at it yet"),
    ForeignKeyConstraint(
        ["room_id", "seq"],
        ["messages.room_id", "messages.seq"],
        ondelete="CASCADE",
        name="fk_reports_room_id_seq",
    ),
    sqlite_with_rowid=False,
)

messages = Table(
    "messages",
    metadata,
    Column("room_id", Id, ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("changed_seq", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False, comment="message, deleted, or an event of the room"),
    Column("author_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("key", String(36), comment="the sender's idempotency key; null for events"),
    Column("key_hash", LargeBinary(16), comment="of the body first stored under the key"),
    Column("body", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("marks", Text, comment="where whom the body mentions: JSON, see domain/mentions.py"),
    Column("edited_at", BigInteger, comment="null: the body is as it was posted"),
    Column("reply_seq", BigInteger, comment="the message of this room that it answers"),
    Column("thread_seq", BigInteger, comment="the message with which its thread began"),
    Column("thread", Text, comment="of the first message of a thread: JSON about its replies"),
    Column("reactions", Text, comment="what the rows of `reactions` come to: JSON"),
    Column("pinned_at", BigInteger, comment="null: not pinned"),
    Column("files", Text, comment="what is shown of its rows of `files`: JSON"),
    Column(
        "preview", Text, comment="of its first link: JSON; '': taken away, and none comes again"
    ),
    UniqueConstraint("room_id", "author_id", "key"),
    Index("ix_messages_room_id_changed_seq", "room_id", "changed_seq"),
    *(
        Index(
            name,
            *columns,
            postgresql_where=text("thread_seq IS NOT NULL"),
            sqlite_where=text("thread_seq IS NOT NULL"),
        )
        for name, columns in (
            ("ix_messages_threads", ("room_id", "thread_seq", "seq")),
            ("ix_messages_answers", ("room_id", "seq")),
        )
    ),
    Index(
        "ix_messages_room_id_pinned_at",
        "room_id",
        "pinned_at",
        postgresql_where=text("pinned_at IS NOT NULL"),
        sqlite_where=text("pinned_at IS NOT NULL"),
    ),
    Index(
        "ix_messages_files",
        "room_id",
        "seq",
        postgresql_where=text("files IS NOT NULL"),
        sqlite_where=text("files IS NOT NULL"),
    ),
    CheckConstraint(f"length(body) <= {MESSAGE_CHARACTERS}", name="body_characters"),
    sqlite_with_rowid=False,
)

# The byte length of a text is spelled differently in the two databases.
for _dialect, _length in (
    ("postgresql", "octet_length(body)"),
    ("sqlite", "length(CAST(body AS BLOB))"),
):
    messages.append_constraint(
        CheckConstraint(f"{_length} <= {MESSAGE_BYTES}", name="body_bytes").ddl_if(dialect=_dialect)
    )

mentions = Table(
    "mentions",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("room_id", Id, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("is_cleared", Boolean, nullable=False, server_default=false()),
    ForeignKeyConstraint(
        ["room_id", "seq"],
        ["messages.room_id", "messages.seq"],
        ondelete="CASCADE",
        name="fk_mentions_room_id_seq",
    ),
    Index("ix_mentions_room_id_seq", "room_id", "seq"),
    sqlite_with_rowid=False,
)

revisions = Table(
    "revisions",
    metadata,
    Column("room_id", Id, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("n", Integer, primary_key=True, comment="1 is the message as it was posted"),
    Column("body", Text, nullable=False),
    Column("at", BigInteger, nullable=False, comment="when this text was written"),
    ForeignKeyConstraint(
        ["room_id", "seq"],
        ["messages.room_id", "messages.seq"],
        ondelete="CASCADE",
        name="fk_revisions_room_id_seq",
    ),
    comment="what messages said before they were edited",
    sqlite_with_rowid=False,
)

deletions = Table(
    "deletions",
    metadata,
    Column("room_id", Id, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("by_id", Id, ForeignKey("users.id"), nullable=False),
    Column("until", BigInteger, nullable=False, index=True, comment="may be taken back until then"),
    Column("kept", Text, nullable=False, comment="what comes back: JSON, see domain/deletions.py"),
    ForeignKeyConstraint(
        ["room_id", "seq"],
        ["messages.room_id", "messages.seq"],
        ondelete="CASCADE",
        name="fk_deletions_room_id_seq",
    ),
    comment="what was deleted a moment ago; goes for good when its time is over",
    sqlite_with_rowid=False,
)

thread_follows = Table(
    "thread_follows",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("room_id", Id, primary_key=True),
    Column("thread_seq", BigInteger, primary_key=True, comment="the thread's first message"),
    Column("is_following", Boolean, nullable=False, comment="false: they want to hear no more"),
    Column("read_seq", BigInteger, nullable=False, comment="read in the thread up to this number"),
    ForeignKeyConstraint(
        ["room_id", "thread_seq"],
        ["messages.room_id", "messages.seq"],
        ondelete="CASCADE",
        name="fk_thread_follows_room_id_thread_seq",
    ),
    Index("ix_thread_follows_room_id_thread_seq", "room_id", "thread_seq"),
    sqlite_with_rowid=False,
)

reactions = Table(
    "reactions",
    metadata,
    Column("room_id", Id, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("emoji", String(20), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("at", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["room_id", "seq"],
        ["messages.room_id", "messages.seq"],
        ondelete="CASCADE",
        name="fk_reactions_room_id_seq",
    ),
    sqlite_with_rowid=False,
)

bookmarks = Table(
    "bookmarks",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("room_id", Id, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("at", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["room_id", "seq"],
        ["messages.room_id", "messages.seq"],
        ondelete="CASCADE",
        name="fk_bookmarks_room_id_seq",
    ),
    Index("ix_bookmarks_room_id_seq", "room_id", "seq"),
    Index("ix_bookmarks_user_id_at", "user_id", "at"),
    sqlite_with_rowid=False,
)

push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column(
        "session_id", Id, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("endpoint", Text, nullable=False, unique=True),
    Column("p256dh", String(120), nullable=False),
    Column("auth", String(40), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("failed", Integer, nullable=False, server_default="0"),
    comment="browsers that take pushes; a session's go with it",
)

calls = Table(
    "calls",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("room_id", Id, ForeignKey("rooms.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, comment="null while it goes on: one in a room"),
    Column(
        "is_large",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="goes through the media server, from when it had many people to its end",
    ),
    Index(
        "uq_calls_room_id_on",
        "room_id",
        unique=True,
        postgresql_where=text("ended_at IS NULL"),
        sqlite_where=text("ended_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

participants = Table(
    "participants",
    metadata,
    Column("call_id", Id, ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("token", String(24), nullable=False, unique=True, comment="of the tab that is in it"),
    Column("holder", String(24), nullable=False, comment="of that tab's present line"),
    Column("joined_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False, comment="lapses then unless it is put off"),
    Column("left_at", BigInteger, comment="null while they are in it"),
    sqlite_with_rowid=False,
)

drafts = Table(
    "drafts",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("room_id", Id, ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("body", Text, nullable=False),
    Column("at", BigInteger, nullable=False, comment="when it was stored; rises with each change"),
    Column("tab", String(24), nullable=False, comment="which wrote it"),
    CheckConstraint(f"length(body) <= {MESSAGE_CHARACTERS}", name="body_characters"),
    sqlite_with_rowid=False,
)

files = Table(
    "files",
    metadata,
    Column("id", String(24), primary_key=True, comment="random; also its name in the storage"),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column(
        "room_id",
        Id,
        ForeignKey("rooms.id", ondelete="SET NULL"),
        comment="null once the room is gone: nobody may have it any more",
    ),
    Column("seq", BigInteger, comment="the message that it is in; null: in none yet"),
    Column("name", Text, nullable=False, comment="as it is shown"),
    Column("type", String(40), nullable=False, comment="by its content"),
    Column("size", BigInteger, nullable=False, comment="bytes; while it comes: as many as may"),
    Column("width", Integer, nullable=False, server_default="0", comment="0: no picture"),
    Column("height", Integer, nullable=False, server_default="0"),
    Column("sha256", LargeBinary(32), comment="of its content"),
    Column("state", String(10), nullable=False, comment="uploading, ready, attached, or gone"),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_files_state_created_at", "state", "created_at"),
    Index("ix_files_room_id_seq", "room_id", "seq"),
    comment="a row comes before its content and goes after it, so nothing lies in the storage unknown",
)

avatars = Table(
    "avatars",
    metadata,
    Column("id", String(24), primary_key=True, comment="random; also its name in the storage"),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("state", String(10), nullable=False, comment="coming, shown, or gone"),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_avatars_state_created_at", "state", "created_at"),
    comment="a row comes before its content and goes after it, as in `files`",
)

blocks = Table(
    "blocks",
    metadata,
    Column("blocker_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("blocked_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("at", BigInteger, nullable=False),
    comment="who does not want to be written to by whom, in a room of the two alone",
    sqlite_with_rowid=False,
)

links = Table(
    "links",
    metadata,
    Column(
        "key",
        String(64),
        primary_key=True,
        comment="by the address, and by the room that it was said in",
    ),
    Column("room_id", Id, ForeignKey("rooms.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("until", BigInteger, nullable=False, index=True),
    Column("page", Text, nullable=False, comment="what is shown of it: JSON; '': nothing"),
    Column("picture", LargeBinary, comment="which was re-encoded"),
    comment="what the pages behind links told, so that nobody asks for them again soon",
)

# Search: `domain/search_index.py` says how these belong together. Beside them stands `search_index`, which the two
# databases spell so differently that only the migration knows it.
search_rooms = Table(
    "search_rooms",
    metadata,
    Column("room_id", Id, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False, comment="messages up to this number have an id"),
)

search_docs = Table(
    "search_docs",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False, comment="newer ones are greater"),
    Column("room_id", Id, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    UniqueConstraint("room_id", "seq"),
)

search_stale = Table(
    "search_stale",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("room_id", Id, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("author_id", Id, comment="this and body: what the index holds, for SQLite alone"),
    Column("body", Text),
    Index("ix_search_stale_room_id_seq", "room_id", "seq"),
    comment="messages whose body changed or went since they came into the index; written by triggers",
    sqlite_autoincrement=True,
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("made_by", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("note", Text, nullable=False, comment="for whom it is, as its maker wrote it"),
    Column("is_guest", Boolean, nullable=False, comment="what new accounts become"),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("uses_most", Integer, nullable=False),
    Column("uses", Integer, nullable=False, server_default="0"),
    Column("revoked_at", BigInteger),
    CheckConstraint("uses <= uses_most", name="uses"),
    comment="links that let people in; the token itself is known to nobody but who has the link",
    sqlite_autoincrement=True,
)

invitation_rooms = Table(
    "invitation_rooms",
    metadata,
    Column("invitation_id", Id, ForeignKey("invitations.id", ondelete="CASCADE"), primary_key=True),
    Column("room_id", Id, ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True, index=True),
    sqlite_with_rowid=False,
)

recoveries = Table(
    "recoveries",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
    comment="links that give somebody a new password; gone once used",
    sqlite_with_rowid=False,
)
