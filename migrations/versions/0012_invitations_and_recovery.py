"""Links that let people in, links that give a password back, and accounts that are shut for a while.

New tables and a column without a default, which the version before does not touch: to it nobody is deactivated.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("users", sa.Column("deactivated_at", sa.BigInteger))
    op.create_table(
        "invitations",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("made_by", Id, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("is_guest", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("uses_most", sa.Integer, nullable=False),
        sa.Column("uses", sa.Integer, nullable=False, server_default="0"),
        sa.Column("revoked_at", sa.BigInteger),
        sa.CheckConstraint("uses <= uses_most", name="uses"),
        sa.ForeignKeyConstraint(["made_by"], ["users.id"], name="fk_invitations_made_by"),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("token_hash", name="uq_invitations_token_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_invitations_made_by", "invitations", ["made_by"])
    op.create_table(
        "invitation_rooms",
        sa.Column("invitation_id", Id, nullable=False),
        sa.Column("room_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["invitation_id"],
            ["invitations.id"],
            name="fk_invitation_rooms_invitation_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name="fk_invitation_rooms_room_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("invitation_id", "room_id", name="pk_invitation_rooms"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_invitation_rooms_room_id", "invitation_rooms", ["room_id"])
    op.create_table(
        "recoveries",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_recoveries_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_recoveries"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_recoveries_user_id", "recoveries", ["user_id"])
    op.create_index("ix_recoveries_expires_at", "recoveries", ["expires_at"])
