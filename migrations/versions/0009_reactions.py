"""Who reacted to which message with what, which messages of a room are pinned, and what people bookmarked.

New tables, and an index of the few rows that are pinned: the version before touches none; what it deletes with a
room goes with the room. An account that it ends leaves its bookmarks behind, which nobody can see.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "reactions",
        sa.Column("room_id", ID, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("emoji", sa.String(20), nullable=False),
        sa.Column(
            "user_id", ID, sa.ForeignKey("users.id", name="fk_reactions_user_id"), nullable=False
        ),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("room_id", "seq", "emoji", "user_id", name="pk_reactions"),
        sa.ForeignKeyConstraint(
            ["room_id", "seq"],
            ["messages.room_id", "messages.seq"],
            ondelete="CASCADE",
            name="fk_reactions_room_id_seq",
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_messages_room_id_pinned_at",
        "messages",
        ["room_id", "pinned_at"],
        postgresql_where=sa.text("pinned_at IS NOT NULL"),
        sqlite_where=sa.text("pinned_at IS NOT NULL"),
    )
    op.create_table(
        "bookmarks",
        sa.Column(
            "user_id", ID, sa.ForeignKey("users.id", name="fk_bookmarks_user_id"), nullable=False
        ),
        sa.Column("room_id", ID, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "room_id", "seq", name="pk_bookmarks"),
        sa.ForeignKeyConstraint(
            ["room_id", "seq"],
            ["messages.room_id", "messages.seq"],
            ondelete="CASCADE",
            name="fk_bookmarks_room_id_seq",
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_bookmarks_room_id_seq", "bookmarks", ["room_id", "seq"])
    op.create_index("ix_bookmarks_user_id_at", "bookmarks", ["user_id", "at"])
