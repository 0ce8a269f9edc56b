"""Profiles: what people tell about themselves, their pictures, and whom they do not want to hear from.

New columns that are null or empty, and two new tables. The version before shows initials where there is a picture, lets
through what a block would stop, and leaves pictures of accounts that it deletes to `avatars.apply_settle`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("users", sa.Column("bio", sa.Text, nullable=False, server_default=""))
    op.add_column("users", sa.Column("status", sa.Text, nullable=False, server_default=""))
    op.add_column(
        "users", sa.Column("status_emoji", sa.String(20), nullable=False, server_default="")
    )
    op.add_column("users", sa.Column("status_until", sa.BigInteger))
    op.add_column("users", sa.Column("avatar", sa.String(24)))
    op.create_table(
        "avatars",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column(
            "user_id", ID, sa.ForeignKey("users.id", name="fk_avatars_user_id"), nullable=False
        ),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_avatars"),
    )
    op.create_index("ix_avatars_user_id", "avatars", ["user_id"])
    op.create_index("ix_avatars_state_created_at", "avatars", ["state", "created_at"])
    op.create_table(
        "blocks",
        sa.Column(
            "blocker_id", ID, sa.ForeignKey("users.id", name="fk_blocks_blocker_id"), nullable=False
        ),
        sa.Column(
            "blocked_id", ID, sa.ForeignKey("users.id", name="fk_blocks_blocked_id"), nullable=False
        ),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("blocker_id", "blocked_id", name="pk_blocks"),
        sqlite_with_rowid=False,
    )
