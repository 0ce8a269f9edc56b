"""What an error of the database means, whichever library wraps it."""

import sqlite3
from typing import Final

import asyncpg
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

# What asyncpg says of a connection that died under it, in the middle of something or between two things.
_LOST: Final = (asyncpg.InterfaceError, asyncpg.InternalClientError)
# Deadlock, serialization failure, lock not available: another try may go through.
_RETRIED_STATES: Final = frozenset({"40P01", "40001", "55P03"})
# Of SQLite's own: another writes, the disk fails or is full, the file cannot be opened.
_SQLITE_TROUBLE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)


def is_conflict(error: BaseException) -> bool:
    """Whether a statement broke a unique or foreign key or a check."""
    return isinstance(error, IntegrityError)


def is_data_error(error: BaseException) -> bool:
    """Whether a statement's values were at fault: they will never be taken, whatever else is in the transaction."""
    # asyncpg counts a value that it cannot send among the errors of its interface.
    cause = getattr(getattr(error, "orig", None), "__cause__", None)
    if isinstance(error, DBAPIError) and isinstance(cause, (asyncpg.DataError, ValueError)):
        return True
    state = _state(error)
    kinds = (IntegrityError, DataError, UnicodeError, sqlite3.IntegrityError, sqlite3.DataError)
    return isinstance(error, kinds) or state[:2] in {"22", "23"}


def is_worth_retrying(error: BaseException) -> bool:
    """Whether the same may go through at another time, unchanged: a lost line, a lock, a deadlock, a full disk."""
    if is_data_error(error):
        return False
    if isinstance(error, (OSError, TimeoutError, PoolTimeout, *_LOST)):
        return True
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode & 0xFF in _SQLITE_TROUBLE
    if isinstance(error, DBAPIError) and (
        error.connection_invalidated or isinstance(error, (InterfaceError, OperationalError))
    ):
        return True
    state = _state(error)
    # XX is PostgreSQL's own trouble: one that crashed on a full disk takes nobody in, and says so with XX000.
    return state in _RETRIED_STATES or state[:2] in {"08", "53", "57", "58", "XX"}


def is_cut_short(error: BaseException) -> bool:
    """Whether a statement was ended because its time was up."""
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
    return _state(error) == "57014"


def _state(error: BaseException) -> str:
    """PostgreSQL's five-letter code for an error, whichever library wraps it; '' when there is none."""
    for each in (error, getattr(error, "orig", None)):
        if state := getattr(each, "sqlstate", None):
            return str(state)
    return ""


def is_answer(error: Exception) -> bool:
    """Whether the server itself said that COMMIT failed, so that nothing is unknown. One that panics says why, but
    what it wrote of the commit may be on disk."""
    state = _state(error)
    cause = getattr(getattr(error, "orig", error), "__cause__", None) or error
    return (
        bool(state)
        and state[:2] not in {"08", "57"}
        and getattr(cause, "severity_en", None) != "PANIC"
    )
