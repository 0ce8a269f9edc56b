"""Search on PostgreSQL by threes of signs besides pairs: of what a pair names, too much is something else.

What is in the index stays and is found as before, and is done again in the background (`version` 0). The version before
writes rows of the old kind, without knowing; they are done again too. SQLite reads so much faster what the index names
that it gets along with pairs.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    op.execute("ALTER TABLE search_index ADD COLUMN version SMALLINT NOT NULL DEFAULT 0")
    op.execute("CREATE INDEX ix_search_index_old ON search_index (id) WHERE version = 0")
