"""The index of messages for search. Each message gets its place, in the order of their times; what it is found by is
filled in afterwards, in the background, the newest first.

Posting costs nothing more: triggers stand only where a body changes or a message goes. The version before edits and
deletes without knowing of the index, and the triggers note it for whoever keeps the index.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

POSTGRESQL = (
    # The numbers of each message: `domain/grams.py` says which.
    "CREATE TABLE search_index (id BIGINT PRIMARY KEY, grams INTEGER[] NOT NULL)",
    # Straight into the index: what waits beside it is read from end to end by every search (measured: 30 ms, not 1).
    "CREATE INDEX ix_search_index_grams ON search_index USING gin (grams) WITH (fastupdate = off)",
    """
    CREATE FUNCTION search_edited() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO search_stale (room_id, seq) VALUES (OLD.room_id, OLD.seq);
        RETURN NULL;
    END $$""",
    """
    CREATE FUNCTION search_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO search_stale (room_id, seq)
        SELECT room_id, seq FROM gone WHERE kind = 'message';
        RETURN NULL;
    END $$""",
    """
    CREATE TRIGGER search_edited AFTER UPDATE OF body ON messages FOR EACH ROW
    WHEN (OLD.kind = 'message' AND OLD.body IS DISTINCT FROM NEW.body)
    EXECUTE FUNCTION search_edited()""",
    """
    CREATE TRIGGER search_deleted AFTER DELETE ON messages REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION search_deleted()""",
)
# Only what the index holds, so what stands in OLD the first time. Nobody else writes meanwhile.
_INDEXED = """
    OLD.kind = 'message'
    AND OLD.seq <= coalesce((SELECT seq FROM search_rooms WHERE room_id = OLD.room_id), 0)
    AND NOT EXISTS (SELECT 1 FROM search_stale WHERE room_id = OLD.room_id AND seq = OLD.seq)"""
_NOTE = """
    INSERT INTO search_stale (room_id, seq, author_id, body)
    VALUES (OLD.room_id, OLD.seq, OLD.author_id, OLD.body);"""
SQLITE = (
    # The same numbers, as words that nobody reads. What is taken out must be said as it was put in.
    """
    CREATE VIRTUAL TABLE search_index USING fts5
    (grams, content='', detail='none', columnsize=0, tokenize='ascii')""",
    f"""
    CREATE TRIGGER search_edited AFTER UPDATE OF body ON messages
    WHEN OLD.body IS NOT NEW.body AND {_INDEXED}
    BEGIN {_NOTE} END""",
    f"""
    CREATE TRIGGER search_deleted AFTER DELETE ON messages WHEN {_INDEXED}
    BEGIN {_NOTE} END""",
)


def upgrade() -> None:
    op.create_table(
        "search_rooms",
        sa.Column("room_id", ID, autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("room_id", name="pk_search_rooms"),
    )
    op.create_table(
        "search_docs",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("room_id", ID, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search_docs"),
        sa.UniqueConstraint("room_id", "seq", name="uq_search_docs_room_id_seq"),
    )
    # What comes meanwhile has greater numbers.
    op.execute("INSERT INTO search_rooms (room_id, seq) SELECT id, last_seq FROM rooms")
    op.execute(
        """
        INSERT INTO search_docs (id, room_id, seq, at)
        SELECT row_number() OVER (ORDER BY messages.at, messages.room_id, messages.seq),
            messages.room_id, messages.seq, messages.at
        FROM messages JOIN search_rooms ON search_rooms.room_id = messages.room_id
            AND messages.seq <= search_rooms.seq
        WHERE messages.kind = 'message'"""
    )
    op.create_index("ix_search_docs_at", "search_docs", ["at"])
    op.execute(
        "INSERT INTO facts (name, value) "
        "SELECT 'search_backlog', CAST(max(id) + 1 AS TEXT) FROM search_docs HAVING max(id) > 0"
    )
    op.create_table(
        "search_stale",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("room_id", ID, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("author_id", ID),
        sa.Column("body", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_search_stale"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_search_stale_room_id_seq", "search_stale", ["room_id", "seq"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE if is_sqlite else POSTGRESQL:
        op.execute(sa.text(statement.replace(":", r"\:")))
