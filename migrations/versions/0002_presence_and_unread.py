"""What each member has read and wants to hear of, mentions, and browsers that take pushes.

Columns that the version before does not know have defaults, so that it goes on working beside the new one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("memberships", sa.Column("read_seq", sa.BigInteger))
    op.add_column("memberships", sa.Column("place_seq", sa.BigInteger))
    op.add_column(
        "memberships", sa.Column("notify", sa.String(10), nullable=False, server_default="all")
    )
    # Whoever was a member before there was any count begins with nothing unread.
    op.execute(
        "UPDATE memberships SET read_seq = (SELECT last_seq FROM rooms WHERE rooms.id = memberships.room_id)"
    )
    op.add_column("messages", sa.Column("marks", sa.Text))
    op.add_column(
        "users", sa.Column("is_invisible", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.add_column("users", sa.Column("quiet_from", sa.Integer))
    op.add_column("users", sa.Column("quiet_until", sa.Integer))
    op.add_column("users", sa.Column("zone", sa.String(64), nullable=False, server_default="UTC"))
    op.create_table(
        "mentions",
        sa.Column(
            "user_id", ID, sa.ForeignKey("users.id", name="fk_mentions_user_id"), nullable=False
        ),
        sa.Column("room_id", ID, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("is_cleared", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("user_id", "room_id", "seq", name="pk_mentions"),
        sa.ForeignKeyConstraint(
            ["room_id", "seq"],
            ["messages.room_id", "messages.seq"],
            ondelete="CASCADE",
            name="fk_mentions_room_id_seq",
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_mentions_room_id_seq", "mentions", ["room_id", "seq"])
    op.create_table(
        "push_subscriptions",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column(
            "session_id",
            ID,
            sa.ForeignKey(
                "sessions.id", ondelete="CASCADE", name="fk_push_subscriptions_session_id"
            ),
            nullable=False,
        ),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("p256dh", sa.String(120), nullable=False),
        sa.Column("auth", sa.String(40), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name="pk_push_subscriptions"),
        sa.UniqueConstraint("endpoint", name="uq_push_subscriptions_endpoint"),
    )
    op.create_index("ix_push_subscriptions_session_id", "push_subscriptions", ["session_id"])
