"""Who follows which thread, and how far they have read it.

A table that the version before does not touch, and two indexes that hold answers only, of which it writes none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ANSWERS = sa.text("thread_seq IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "thread_follows",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("room_id", ID, nullable=False),
        sa.Column("thread_seq", sa.BigInteger, nullable=False),
        sa.Column("is_following", sa.Boolean, nullable=False),
        sa.Column("read_seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "room_id", "thread_seq", name="pk_thread_follows"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_thread_follows_user_id"),
        sa.ForeignKeyConstraint(
            ["room_id", "thread_seq"],
            ["messages.room_id", "messages.seq"],
            ondelete="CASCADE",
            name="fk_thread_follows_room_id_thread_seq",
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_thread_follows_room_id_thread_seq", "thread_follows", ["room_id", "thread_seq"]
    )
    for name, columns in (
        ("ix_messages_threads", ["room_id", "thread_seq", "seq"]),
        ("ix_messages_answers", ["room_id", "seq"]),
    ):
        op.create_index(name, "messages", columns, postgresql_where=ANSWERS, sqlite_where=ANSWERS)
