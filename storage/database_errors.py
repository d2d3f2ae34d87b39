"""Turns database errors into words that contain no secret.

A driver's own message is used only for errors of the connection or the server, which name host,
user and database but never the password. Errors about data could quote a value.
"""

import sqlite3

from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeoutError

# https://www.sqlite.org/rescode.html, by the primary code.
SQLITE = {
    sqlite3.SQLITE_BUSY: "another process keeps it locked",
    sqlite3.SQLITE_LOCKED: "another process keeps it locked",
    sqlite3.SQLITE_CANTOPEN: (
        "the file can't be opened; check that its folder exists and that this user may write there"
    ),
    sqlite3.SQLITE_CORRUPT: "the file is damaged; put a backup back",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk can't be read or written",
    sqlite3.SQLITE_NOTADB: "the file isn't a SQLite database",
    sqlite3.SQLITE_PERM: "this user may not open the file",
    sqlite3.SQLITE_READONLY: "this user may only read the file or its folder",
}
NO_TABLES = "its tables are missing or old; run “onboarding db upgrade”"
# https://www.postgresql.org/docs/current/errcodes-appendix.html
UNDEFINED_OBJECT = {"42P01", "42703"}  # table, column


def reason(error: BaseException) -> str:
    """Return the reason in one line."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    match cause:
        case sqlite3.Error():
            return _sqlite(cause)
        case PoolTimeoutError():
            return "all connections are in use"
        case TimeoutError():
            return "no answer in time"
        case OSError():
            return cause.strerror or type(cause).__name__
        case _:
            return _postgresql(cause)


def first_line(error: BaseException) -> str:
    """Return the first line of a driver's message."""
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__


def _postgresql(error: BaseException | None) -> str:
    import psycopg  # not needed on SQLite, and slow to import

    match error:
        case psycopg.Error(sqlstate=str() as state) if state in UNDEFINED_OBJECT:
            return NO_TABLES
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return first_line(error)
        case psycopg.Error():
            return f"{type(error).__name__} ({error.sqlstate})"
        case _:
            return type(error).__name__


def _sqlite(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", None)  # None for the module's own errors
    if code is not None and (words := SQLITE.get(code & 0xFF)):
        return words
    if str(error).startswith(("no such table", "no such column")):
        return NO_TABLES
    if isinstance(error, sqlite3.OperationalError):  # about statements, never about values
        return first_line(error)
    return getattr(error, "sqlite_errorname", None) or type(error).__name__
