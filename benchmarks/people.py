"""Ten thousand accounts, their sessions, rooms and memberships, written straight into a database before the start.

Person `i` is in the room `one` if i < 1,000, in `ten-(i % 100)` if i < 1,000, in `big` if i < 5,000, and in
`idle-(i % 1000)` always. Nobody's password works but those of the first `SIGN_INS`.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert, select, text

from chatapp.database import Database
from chatapp.domain import epoch
from chatapp.migrate import migrate
from chatapp.security import Passwords, Seal, normal_password, token_hash
from chatapp.settings import Settings
from chatapp.tables import memberships, now_ms, rooms, sessions, users

PEOPLE: Final = 10_100
SIGN_INS: Final = 50
PASSWORD: Final = "correct horse battery"
SECRET: Final = hashlib.sha256(b"load").hexdigest()
YEAR_MS: Final = 365 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class People:
    """What the generator knows of a database it filled: a cookie per person, the ids of rooms by name."""

    cookies: list[str]
    rooms: dict[str, int]
    epoch: str


def layout() -> dict[str, list[int]]:
    """Rooms and who is in them."""
    found = {"one": list(range(1000)), "big": list(range(5000))}
    found |= {f"ten-{room}": list(range(room, 1000, 100)) for room in range(100)}
    found |= {f"idle-{room}": list(range(room, PEOPLE, 1000)) for room in range(1000)}
    return found


def email(person: int) -> str:
    return f"p{person}@load.example"


async def fill(url: str, folder: Path) -> People:
    """Migrates an empty database and writes everybody in."""
    settings = Settings.from_env(
        {"DATABASE_URL": url, "DATA_DIR": str(folder), "SECRET_KEY": SECRET}
    )
    database = Database(settings)
    await database.connect()
    try:
        await migrate(database)
        name = await epoch.read(database)
        passwords = Passwords(settings.password_cost)
        hashed = await passwords.hash(normal_password(PASSWORD))
        passwords.close()
        tokens = [hashlib.sha256(b"%d" % person).hexdigest() for person in range(PEOPLE)]
        async with database.transaction() as tx:
            now = int(await tx.fetch_value(select(now_ms())))
            await tx.execute(
                insert(users), [_user(person, hashed, now) for person in range(PEOPLE)]
            )
            numbers = [
                row.id for row in await tx.fetch_all(select(users.c.id).order_by(users.c.id))
            ]
            await tx.execute(
                insert(sessions),
                [_session(numbers[i], token, now) for i, token in enumerate(tokens)],
            )
            names = layout()
            await tx.execute(insert(rooms), [_room(each, numbers[0], now) for each in names])
            known = {
                row.name: row.id for row in await tx.fetch_all(select(rooms.c.name, rooms.c.id))
            }
            await tx.execute(
                insert(memberships),
                [
                    _membership(known[each], numbers[person], now)
                    for each, people in names.items()
                    for person in people
                ],
            )
            await tx.execute(text("ANALYZE"))  # as autovacuum would have by then
        seal = Seal(settings.secret_keys, "session", 365 * 24 * 3600)
        return People([f"sid={seal.seal(token)}" for token in tokens], known, name)
    finally:
        await database.disconnect()


def _user(person: int, hashed: str, now: int) -> dict[str, Any]:
    name = f"person {person}"
    return {
        "name": name,
        "name_key": name,
        "name_skeleton": name,
        "email": email(person),
        "email_key": email(person),
        "password_hash": hashed if person < SIGN_INS else None,
        "hue": person % 12,
        "is_admin": person == 0,
        "created_at": now,
    }


def _session(user_id: int, token: str, now: int) -> dict[str, Any]:
    return {
        "token_hash": token_hash(token),
        "user_id": user_id,
        "user_agent": "Firefox",
        "address": "127.0.0.1",
        "created_at": now,
        "seen_at": now,
        "expires_at": now + YEAR_MS,
    }


def _room(name: str, owner_id: int, now: int) -> dict[str, Any]:
    return {
        "name": name,
        "name_key": name,
        "topic": "",
        "topic_key": "",
        "owner_id": owner_id,
        "created_at": now,
        "last_at": now,
        "last_seq": 0,
        "changed_seq": 0,
    }


def _membership(room_id: int, user_id: int, now: int) -> dict[str, Any]:
    return {
        "room_id": room_id,
        "user_id": user_id,
        "is_active": True,
        "joined_at": now,
        "joined_seq": 0,
        "changed_seq": 0,
    }
