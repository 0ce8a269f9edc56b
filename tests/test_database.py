"""The door to SQL: what a transaction promises, also when the database goes away under it."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import String, func, insert, literal, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from chatapp.database import CommitUnknown, Database
from chatapp.reading import READERS
from chatapp.tables import facts, sessions
from chatapp.trouble import is_answer, is_conflict, is_data_error, is_worth_retrying
from tests.domain import world
from tests.realtime.cut_line import line_to


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with world.opened(database_url, DATABASE_POOL="2") as database:
        yield database


def fact(name: str, value: str = "x") -> Any:
    return insert(facts).values(name=name, value=value)


async def known(database: Database, name: str) -> Any:
    return await database.fetch_value(select(facts.c.value).where(facts.c.name == name))


async def put(database: Database, name: str, value: str = "x") -> None:
    async with database.transaction() as tx:
        await tx.execute(fact(name, value))


# A COMMIT of a fact called `late…` sleeps, one called `never…` is refused: both by a deferred trigger.
SLOW_COMMIT = (
    """CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF new.name LIKE 'late%' THEN PERFORM pg_sleep(5); END IF;
    IF new.name LIKE 'never%' THEN RAISE EXCEPTION 'no' USING ERRCODE = '23514'; END IF;
    RETURN new; END $$""",
    """CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON facts DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION at_commit()""",
)


async def with_slow_commits(database: Database) -> None:
    async with database.transaction() as tx:
        for statement in SLOW_COMMIT:
            await tx.execute(text(statement))


async def committing(database: Database) -> None:
    """Returns when a COMMIT is under way."""
    query = text("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'COMMIT%' AND state = 'active'")
    async with asyncio.timeout(5):
        while not await database.fetch_all(query):
            await asyncio.sleep(0.01)


# -- what a transaction promises ----------------------------------------------


async def test_what_a_block_did_is_stored_when_it_ends(database):
    async with database.transaction() as tx:
        await tx.execute(fact("one"))
        assert await known(database, "one") is None, "nobody else sees it yet"
    assert await known(database, "one") == "x"


async def test_nothing_is_stored_when_a_block_raises(database):
    async def fail() -> None:
        async with database.transaction() as tx:
            await tx.execute(fact("one"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await known(database, "one") is None


async def test_nothing_is_stored_when_a_statement_fails(database):
    await put(database, "two")

    async def both() -> None:
        async with database.transaction() as tx:
            await tx.execute(fact("one"))
            await tx.execute(fact("two"))

    with pytest.raises(IntegrityError) as failure:
        await both()
    assert is_conflict(failure.value)
    assert is_data_error(failure.value)
    assert not is_worth_retrying(failure.value)
    assert await known(database, "one") is None


async def test_a_missing_row_is_referred_to_by_nothing(database):
    """Foreign keys are checked: SQLite does so only when told."""
    with pytest.raises(IntegrityError):
        async with database.transaction() as tx:
            await tx.execute(
                insert(sessions).values(
                    token_hash="t",
                    user_id=999,
                    user_agent="",
                    address="",
                    created_at=0,
                    seen_at=0,
                    expires_at=0,
                )
            )


async def test_a_value_that_cannot_be_sent_is_the_values_fault(database):
    with pytest.raises((DBAPIError, UnicodeError)) as failure:
        async with database.transaction() as tx:
            await tx.execute(fact("half", "\ud800"))
    assert is_data_error(failure.value)
    assert not is_worth_retrying(failure.value)


async def test_connections_come_back_however_their_transactions_end(database):
    """The pool holds two (one on SQLite); one kept for good would stop the second round."""
    started = asyncio.Event()

    async def hold() -> None:
        async with database.transaction() as tx:
            await tx.execute(fact("held"))
            started.set()
            await asyncio.Event().wait()

    for n in range(4):
        with pytest.raises(ZeroDivisionError):
            async with database.transaction():
                raise ZeroDivisionError
        with pytest.raises(DBAPIError):
            async with database.transaction() as tx:
                await tx.execute(text("SELECT nothing FROM nowhere"))
        started.clear()
        task = asyncio.ensure_future(hold())
        await asyncio.wait_for(started.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await put(database, f"round {n}")
    assert database.engine.pool.checkedout() == 0
    assert await known(database, "held") is None


async def test_a_statement_may_be_cancelled_while_it_runs(database):
    slow = (
        text(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)"
            " SELECT max(i) FROM n"
        )
        if database.is_sqlite
        else text("SELECT pg_sleep(10)")
    )

    async def work(tx_open: asyncio.Event) -> None:
        async with database.transaction() as tx:
            await tx.execute(fact("one"))
            tx_open.set()
            await tx.execute(slow)

    for _ in range(3):
        opened = asyncio.Event()
        task = asyncio.ensure_future(work(opened))
        await asyncio.wait_for(opened.wait(), 2)
        await asyncio.sleep(0.02)  # it is under way, and takes far longer
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with asyncio.timeout(2):
        await put(database, "after")
    assert await known(database, "one") is None


async def test_a_transaction_that_is_cancelled_as_it_begins_keeps_nobody_from_writing(sqlite_url):
    """Another writer of the file holds it up; what was asked of SQLite then happens after nobody waits for it."""
    async with world.opened(sqlite_url) as database:
        await put(database, "first")
        with contextlib.closing(
            sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
        ) as other:
            for _ in range(3):
                other.execute("BEGIN IMMEDIATE")
                task = asyncio.create_task(put(database, "cancelled"))
                await asyncio.sleep(0.1)  # BEGIN waits in its thread: nothing tells of it
                task.cancel()
                await asyncio.sleep(0)
                other.execute("COMMIT")
                with pytest.raises(asyncio.CancelledError):
                    await task
        await put(database, "second")
        assert await known(database, "second") == "x"
        assert await known(database, "cancelled") is None


async def test_twenty_who_read_and_then_write_all_get_their_turn(database):
    """With a deferred BEGIN, SQLite would tell most of them 'database is locked' at once."""
    await put(database, "count", "0")
    mine = facts.c.name == "count"

    async def add_one() -> None:
        async with database.transaction() as tx:
            value = int(await tx.fetch_value(select(facts.c.value).where(mine).with_for_update()))
            await asyncio.sleep(0)
            await tx.execute(update(facts).where(mine).values(value=str(value + 1)))

    await asyncio.gather(*(add_one() for _ in range(20)))
    assert await known(database, "count") == "20"


async def test_an_exhausted_pool_is_worth_another_try(postgresql_url, monkeypatch):
    monkeypatch.setattr("chatapp.database.STATEMENT_SECONDS", 0.1)
    async with world.opened(postgresql_url, DATABASE_POOL="1") as database:
        async with database.transaction():
            with pytest.raises(Exception, match="QueuePool") as failure:
                async with database.transaction():
                    pass
        assert is_worth_retrying(failure.value)
        assert not is_data_error(failure.value)
        await put(database, "after")


# -- reading --------------------------------------------------------------------


async def test_reads_give_all_one_or_a_value(database):
    await put(database, "one", "1")
    await put(database, "two", "2")
    query = select(facts.c.name, facts.c.value).where(facts.c.name.in_(["one", "two"]))
    rows = await database.fetch_all(query.order_by(facts.c.name))
    assert [(row.name, row.value) for row in rows] == [("one", "1"), ("two", "2")]
    nobody = select(facts.c.value).where(facts.c.name == "nobody")
    assert await database.fetch_one(nobody) is None
    assert await database.fetch_value(nobody) is None
    assert await database.fetch_all(nobody) == []


async def test_a_query_may_hold_per_cent_signs(database):
    await put(database, "100% sure", "%s %d %%")
    query = select(facts.c.value, literal("50%", String).label("half")).where(
        facts.c.name.contains("0% s", autoescape=True), facts.c.value.like("%\\%\\%", escape="\\")
    )
    row = await database.fetch_one(query)
    assert (row.value, row.half) == ("%s %d %%", "50%")


async def test_columns_without_a_name_can_be_read(database):
    assert await database.fetch_value(select(func.count()).select_from(facts)) >= 1
    assert list(await database.fetch_one(select(literal(1), literal(2)))) == [1, 2]


async def test_a_snapshot_sees_one_moment(database):
    await put(database, "one", "before")
    query = select(facts.c.value).where(facts.c.name == "one")
    async with database.snapshot() as moment:
        assert await moment.fetch_value(query) == "before"
        async with database.transaction() as tx:
            await tx.execute(update(facts).where(facts.c.name == "one").values(value="after"))
        assert await moment.fetch_value(query) == "before"
        assert [row.value for row in await moment.fetch_all(query)] == ["before"]
        assert (await moment.fetch_one(query)).value == "before"
        elsewhere = asyncio.ensure_future(known(database, "one"))
        assert await elsewhere == "after", "another task sees the present"
    assert await known(database, "one") == "after"


async def test_a_snapshot_that_is_cancelled_leaves_no_old_moment_behind(database):
    """Whoever gets the connection next must see the present."""
    await put(database, "one", "before")

    async def look() -> None:
        async with database.snapshot() as moment:
            await moment.fetch_all(select(facts))
            await asyncio.sleep(0)

    for loops in range(12):  # at every step of the way
        tasks = [asyncio.ensure_future(look()) for _ in range(READERS)]
        for _ in range(loops):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with database.transaction() as tx:
        await tx.execute(update(facts).where(facts.c.name == "one").values(value="after"))
    values = await asyncio.gather(*(known(database, "one") for _ in range(2 * READERS)))
    assert set(values) == {"after"}
    async with database.snapshot() as moment:
        assert len(await moment.fetch_all(select(facts))) >= 1


async def test_a_database_that_is_there_answers(database):
    assert await database.answers()


# -- PostgreSQL going away ----------------------------------------------------------


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_line_lost_during_commit_is_unknown(postgresql_url, cut):
    async with line_to(postgresql_url) as line, world.opened(line.url) as database:
        line.arm(cut)
        with pytest.raises(CommitUnknown):
            await put(database, "one")
        assert await known(database, "one") == ("x" if cut == "after" else None)
        await put(database, "two")
        assert await known(database, "two") == "x"


async def test_cancelled_during_commit_is_unknown(postgresql_url):
    async with line_to(postgresql_url) as line, world.opened(line.url) as database:
        line.arm("held")
        task = asyncio.ensure_future(put(database, "one"))
        await asyncio.wait_for(line.commits.wait(), 5)
        task.cancel()
        with pytest.raises(CommitUnknown):
            await task
        line.released.set()
        assert await known(database, "one") == "x"
        await put(database, "two")


async def test_a_commit_that_the_server_refuses_is_no_riddle(postgresql_url):
    async with world.opened(postgresql_url) as database:
        await with_slow_commits(database)
        with pytest.raises(IntegrityError):
            await put(database, "never")
        assert await known(database, "never") is None
        await put(database, "one")


@pytest.mark.parametrize(
    ("severity", "answer"), [("ERROR", True), ("FATAL", True), ("PANIC", False)]
)
def test_a_server_that_panics_has_not_said_what_became_of_the_commit(
    severity: str, answer: bool
) -> None:
    """What it wrote of it may be on disk, and hold after the restart."""
    said = asyncpg.PostgresError.new({"S": severity, "V": severity, "C": "53100", "M": "full"})
    wrapped = DBAPIError("COMMIT", None, _caused_by(said))
    assert is_answer(wrapped) is answer


class _Wrapped(RuntimeError):
    sqlstate = "53100"


def _caused_by(cause: BaseException) -> Exception:
    """As SQLAlchemy's dialect has it: an error of its own with the code of the driver's."""
    error = _Wrapped()
    error.__cause__ = cause
    return error


async def test_a_connection_ended_by_the_server_during_commit_is_unknown(postgresql_url):
    async with world.opened(postgresql_url) as database:
        await with_slow_commits(database)
        task = asyncio.ensure_future(put(database, "late"))
        await committing(database)
        await database.fetch_all(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COMMIT%'"
                " AND datname = current_database()"
            )
        )
        with pytest.raises(CommitUnknown):
            await task
        assert await known(database, "late") is None
        await put(database, "one")


@pytest.mark.parametrize(
    ("state", "again"), [("XX000", True), ("XX001", True), ("57P03", True), ("42601", False)]
)
async def test_what_is_the_databases_own_trouble_is_worth_another_try(
    postgresql_url: str, state: str, again: bool
) -> None:
    """XX000 is what a database says that crashed on a full disk and takes nobody in; 42601 is our own mistake."""
    trouble = text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$")
    async with world.opened(postgresql_url) as database:
        with pytest.raises(DBAPIError) as written:
            async with database.transaction() as tx:
                await tx.execute(trouble)
        with pytest.raises(asyncpg.PostgresError) as read:
            await database.fetch_all(trouble)
        for failure in (written, read):
            assert is_worth_retrying(failure.value) is again
            assert not is_data_error(failure.value)


async def test_postgresql_may_die_at_any_moment_and_come_back(own_postgres):
    """Under an open transaction, in the middle of COMMIT, and with the whole pool of connections idle. With
    `databases` a failed COMMIT kept its connection for good: its task never could write again."""
    from chatapp.migrate import migrate

    url = own_postgres.url()
    async with world.opened(url, DATABASE_POOL="2") as database:
        await migrate(database)
        await with_slow_commits(database)

        async def restart() -> None:
            await asyncio.to_thread(own_postgres.kill)
            assert not await database.answers()
            with pytest.raises(Exception, match=r"\w") as failure:
                await put(database, "away")
            assert is_worth_retrying(failure.value)
            await asyncio.to_thread(own_postgres.start)

        async def open_while_it_dies() -> None:
            async with database.transaction() as tx:
                await tx.execute(fact("open"))
                await restart()
                await tx.execute(fact("open too"))

        with pytest.raises(Exception, match=r"\w") as failure:
            await open_while_it_dies()
        assert is_worth_retrying(failure.value)

        late = asyncio.ensure_future(put(database, "late"))
        await committing(database)
        await restart()
        with pytest.raises(CommitUnknown):
            await late

        for n in range(4):  # this very task, and more often than there are connections
            await put(database, f"after {n}")
        names = {row.name for row in await database.fetch_all(select(facts.c.name))}
        assert names == {f"after {n}" for n in range(4)}
        assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        assert await database.answers()
