"""Who may make an account without an invitation. A fact of the site, changed by its administrators."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
from sqlalchemy import insert, select, update

from chatapp.database import Transaction
from chatapp.domain.emails import domain_of, email_address
from chatapp.errors import Forbidden, Invalid
from chatapp.tables import facts

OPEN: Final = "open"
BY_INVITATION: Final = "invitation"
BY_DOMAIN: Final = "domain"
WAYS: Final = (OPEN, BY_INVITATION, BY_DOMAIN)
DOMAINS_MOST: Final = 50
_FACT: Final = "sign_up"


class Reader(Protocol):
    """The database, or a transaction."""

    def fetch_value(self, query: Any, /) -> Awaitable[Any]: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """`way` is one of `WAYS`; `domains` are those whose addresses may sign up where it is by domain."""

    way: str = OPEN
    domains: tuple[str, ...] = ()

    def check_way(self) -> None:
        """Raises `Forbidden` when nobody may sign up without an invitation."""
        if self.way == BY_INVITATION:
            raise Forbidden("sign_up_closed")

    def check(self, email_key: str) -> None:
        """Raises `Forbidden` or `Invalid` when this address may not sign up by itself."""
        self.check_way()
        if self.way == BY_DOMAIN and domain_of(email_key) not in self.domains:
            raise Invalid({"email": "email_domain"})


def typed(way: str, domains: str) -> Entry:
    """What an administrator chose. Raises `Invalid`."""
    if way not in WAYS:
        raise Invalid({"way": "entry_unknown"})
    names = domains.replace(",", " ").split()
    if len(names) > DOMAINS_MOST:
        raise Invalid({"domains": "domains_many"}, most=DOMAINS_MOST)
    try:
        found = {domain_of(email_address(f"x@{name.removeprefix('@')}")[1]) for name in names}
    except Invalid:
        raise Invalid({"domains": "domain_invalid"}) from None
    if way == BY_DOMAIN and not found:
        raise Invalid({"domains": "domains_none"})
    return Entry(way, tuple(sorted(found)))


async def read(reader: Reader) -> Entry:
    found = await reader.fetch_value(select(facts.c.value).where(facts.c.name == _FACT))
    return Entry() if found is None else msgspec.json.decode(found, type=Entry)


async def save(tx: Transaction, entry: Entry) -> None:
    """MUST have the site locked."""
    value = msgspec.json.encode(entry).decode()
    done = await tx.execute(update(facts).where(facts.c.name == _FACT).values(value=value))
    if not done.rowcount:
        await tx.execute(insert(facts).values(name=_FACT, value=value))
