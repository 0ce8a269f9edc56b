"""`python -m chatapp.renew_epoch`: to be called after a backup was put back and before chatapp is started.

Browsers remember up to which number they have read a room. After a backup those numbers are given out again, to other
messages; the new epoch makes every browser load its page afresh instead. `deploy/restore.sh` calls this.
"""

import asyncio
import os
import sys

from chatapp.database import Database
from chatapp.domain import epoch
from chatapp.settings import SettingError, Settings
from chatapp.sqlite_file import AlreadyOpen


async def _renew(settings: Settings) -> str:
    database = Database(settings)
    await database.connect()
    try:
        return await epoch.renew(database)
    finally:
        await database.disconnect()


def main() -> int:
    try:
        name = asyncio.run(_renew(Settings.from_env(os.environ)))
    except (SettingError, AlreadyOpen) as error:
        sys.stderr.write(f"The epoch is as before. {error}\n")
        return 2
    sys.stderr.write(f"The epoch is {name} now.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
