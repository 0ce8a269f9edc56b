"""The epoch: a name for one unbroken line of numbers. A restored backup must get a new one, so that cursors of
before are not taken for numbers of after."""

from sqlalchemy import delete, insert, select

from chatapp.database import Database
from chatapp.security import new_token
from chatapp.tables import facts
from chatapp.trouble import is_conflict


async def read(database: Database) -> str:
    """The epoch of this database, made when there is none."""
    found = await database.fetch_value(select(facts.c.value).where(facts.c.name == "epoch"))
    if found is not None:
        return str(found)
    epoch = new_token()[:12]
    try:
        async with database.transaction() as tx:
            await tx.execute(insert(facts).values(name="epoch", value=epoch))
    except Exception as error:
        if is_conflict(error):  # a process that started together with us was quicker
            return await read(database)
        raise
    return epoch


async def renew(database: Database) -> str:
    """A new name for what comes now. MUST run after a backup was put back, and before anything is served from it."""
    epoch = new_token()[:12]
    async with database.transaction() as tx:
        await tx.execute(delete(facts).where(facts.c.name == "epoch"))
        await tx.execute(insert(facts).values(name="epoch", value=epoch))
    return epoch
