"""The schema that migrations make."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from chatapp.database import Database
from chatapp.migrate import migrate
from chatapp.settings import Settings
from chatapp.tables import facts, memberships, messages, metadata, rooms, users
from tests.domain import world


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with world.opened(database_url) as database:
        yield database


async def asked(database: Database, question: Any) -> Any:
    async with database.engine.connect() as connection:
        return await connection.run_sync(question)


# Comments stand in the code alone.
LEFT_OUT = {"dialect_options", "comment"}


def is_of_search(table: str) -> bool:
    """`search_index`, and on SQLite what FTS5 keeps it in: a migration alone describes it."""
    return table.startswith("search_index")


def shape(connection: Connection) -> Any:
    """Everything about the tables that can be asked."""
    found = inspect(connection)

    def by_name(entries: Any) -> Any:
        return sorted(
            (
                {key: str(value) for key, value in entry.items() if key not in LEFT_OUT}
                for entry in entries
            ),
            key=str,
        )

    return {
        table: {
            "columns": by_name(found.get_columns(table)),
            "primary key": str(found.get_pk_constraint(table)),
            "unique": by_name(found.get_unique_constraints(table)),
            "references": by_name(found.get_foreign_keys(table)),
            "checks": by_name(found.get_check_constraints(table)),
            "indexes": by_name(found.get_indexes(table)),
        }
        for table in found.get_table_names()
        if table != "alembic_version" and not is_of_search(table)
    }


async def test_migrations_make_the_tables_that_the_code_describes(database):
    def differences(connection: Connection) -> Any:
        options = {
            "compare_type": True,
            "compare_server_default": True,
            "include_name": lambda name, kind, _: kind != "table" or not is_of_search(name),
        }
        context = MigrationContext.configure(connection, opts=options)
        found = compare_metadata(context, metadata)
        return [each for each in found if "comment" not in str(each)]

    assert await asked(database, differences) == []


async def test_migrated_and_directly_made_tables_have_one_shape(
    database, empty_postgresql_url, tmp_path
):
    """Also what Alembic does not compare: checks, names of constraints, what happens on delete."""
    url = f"sqlite:///{tmp_path}/direct.db" if database.is_sqlite else empty_postgresql_url
    async with world.opened(url) as direct:
        async with direct.engine.connect() as connection:
            await connection.run_sync(metadata.create_all)
            await connection.commit()
        wanted = await asked(direct, shape)
    found = await asked(database, shape)
    assert found.keys() == wanted.keys()
    for table, parts in wanted.items():
        for part, value in parts.items():
            assert found[table][part] == value, (table, part)


async def test_migrating_twice_changes_nothing(database):
    before = await asked(database, shape)
    epoch = await database.fetch_value(select(facts.c.value).where(facts.c.name == "epoch"))
    await migrate(database)
    assert await asked(database, shape) == before
    assert await database.fetch_value(select(facts.c.value).where(facts.c.name == "epoch")) == epoch


async def test_a_version_that_comes_back_lives_with_the_tables_of_a_later_one(database):
    """A failed update is taken back; what it has migrated stays."""
    before = await asked(database, shape)
    async with database.transaction() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    await migrate(database)
    assert await asked(database, shape) == before
    revision = await database.fetch_value(text("SELECT version_num FROM alembic_version"))
    assert revision == "later"


async def test_processes_that_start_together_on_an_empty_database_take_turns(empty_postgresql_url):
    settings = Settings.from_env({"DATABASE_URL": empty_postgresql_url})
    processes = [Database(settings) for _ in range(3)]
    try:
        await asyncio.gather(*(process.connect() for process in processes))
        await asyncio.gather(*(migrate(process) for process in processes))
        assert "messages" in await asked(processes[0], shape)
    finally:
        await asyncio.gather(*(process.disconnect() for process in processes))


async def test_servers_that_start_together_agree_on_everything(empty_postgresql_url, serve):
    servers = await asyncio.gather(
        *(serve(DATABASE_URL=empty_postgresql_url, DATABASE_POOL="2") for _ in range(3))
    )
    assert [server.status("/ready") for server in servers] == [200, 200, 200]
    async with world.opened(empty_postgresql_url) as database:
        assert len(await database.fetch_all(select(facts).where(facts.c.name == "epoch"))) == 1


# -- what the database itself refuses -----------------------------------------------


@pytest.fixture
async def lab(database: Database) -> int:
    return await world.opens(database, await world.person(database, "Ann Archer"))


async def put(database: Database, table: Any, **values: Any) -> None:
    async with database.transaction() as tx:
        await tx.execute(insert(table).values(**values))


def row(lab: int, **other: Any) -> dict[str, Any]:
    given = {"room_id": lab, "seq": 9, "changed_seq": 9, "kind": "message", "author_id": 1}
    return {**given, "key": None, "body": "hello", "at": 0, **other}


@pytest.mark.parametrize(
    ("what", "values"),
    [
        ("body_characters", {"body": "x" * 4001}),
        ("body_bytes", {"body": "\U0001f600" * 3000 + "e\u0301" * 3000}),
        ("author_id", {"author_id": 999}),
        ("room_id", {"room_id": 999}),
        ("seq", {"seq": 1}),
    ],
)
async def test_the_database_itself_refuses_a_wrong_message(database, lab, what, values):
    with pytest.raises(IntegrityError):
        await put(database, messages, **row(lab, **values))
    await put(database, messages, **row(lab, body="€" * 4000))


async def test_the_longest_message_allowed_is_taken(database, lab):
    await put(database, messages, **row(lab, body="\U0001f600" * 4000))
    stored = await database.fetch_value(select(messages.c.body).where(messages.c.seq == 9))
    assert len(stored.encode()) == 16_000


async def test_a_key_is_unique_for_room_and_author(database, lab):
    await put(database, messages, **row(lab, key="k"))
    with pytest.raises(IntegrityError):
        await put(database, messages, **row(lab, key="k", seq=10))
    await put(database, messages, **row(lab, key=None, seq=11))
    await put(database, messages, **row(lab, key=None, seq=12))


@pytest.mark.parametrize("column", ["name_key", "name_skeleton", "email_key"])
async def test_no_two_people_share_a_name_or_an_address(database, column):
    ann = await world.person(database, "Ann Archer")
    taken = await database.fetch_one(select(users).where(users.c.id == ann.id))
    values = {
        "name": "Bea",
        "name_key": "bea",
        "name_skeleton": "bea",
        "email_key": "bea@b.example",
    }
    values |= {column: getattr(taken, column)}
    with pytest.raises(IntegrityError):
        await put(database, users, hue=0, is_admin=False, created_at=0, **values)


async def test_numbers_of_a_deleted_room_are_never_given_again(database, lab):
    async with database.transaction() as tx:
        await tx.execute(rooms.delete())
    assert await database.fetch_all(select(messages)) == []
    assert await database.fetch_all(select(memberships)) == []
    ann = (await database.fetch_one(select(users))).id
    async with database.transaction() as tx:
        values = {"name": "L", "name_key": "l", "topic": "", "topic_key": "", "owner_id": ann}
        again = await tx.fetch_value(
            insert(rooms)
            .values(**values, created_at=0, last_at=0, last_seq=0, changed_seq=0)
            .returning(rooms.c.id)
        )
    assert again > lab


async def test_a_missing_value_is_refused(database):
    with pytest.raises(DBAPIError):
        await put(database, facts, name="one", value=None)
