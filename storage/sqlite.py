"""SQLite in WAL mode, durable, and called without a thread in between."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random

Answer = TypeVar("Answer")

# For short locks, such as on a new file; the event loop is blocked meanwhile.
BUSY_TIMEOUT_MS = 100


class InlineConnection(aiosqlite.Connection):
    """Runs each call where it is awaited instead of on a thread.

    On a local file a statement takes microseconds; handing it, its cursor and its rows to a thread
    and back takes many times that (docs/decisions.md). Waiting for other writers is up to `begin`.
    Overrides a private method, so pyproject.toml has an upper bound on aiosqlite's version.
    """

    async def _execute(self, fn: Callable[..., Answer], *args: Any, **kwargs: Any) -> Answer:
        return fn(*args, **kwargs)


def file(url: str) -> Path:
    """Return the absolute path of the file that a SQLite URL names."""
    return Path(make_url(url).database or "").absolute()


def engine(url: str) -> AsyncEngine:
    """Return an engine for a `sqlite+aiosqlite:///…` URL, whose file must exist."""
    existing = f"{file(url).as_uri()}?mode=rw"

    async def connect() -> aiosqlite.Connection:
        return await InlineConnection(
            lambda: sqlite3.connect(existing, uri=True, check_same_thread=False), 64
        )

    # Parameters must not reach a log or an exception's text: some are ciphertexts and names.
    made = create_async_engine(url, hide_parameters=True, async_creator=connect)
    event.listen(made.sync_engine, "connect", _prepare)
    event.listen(made.sync_engine, "begin", _begin)
    return made


async def begin(session: AsyncSession, *, write: bool, patience: float) -> None:
    """Begin a transaction; retry for `patience` seconds while another process writes."""
    retrying = AsyncRetrying(
        retry=retry_if_exception(_is_locked),
        stop=stop_after_delay(patience),
        wait=wait_random(0.005, 0.02),
        reraise=True,
    )
    await retrying(session.connection, execution_options={"sqlite_write": write})


@contextmanager
def alone(path: str) -> Iterator[bool]:
    """Yield whether no other process uses this file, and lock it while the block runs.

    The system releases the lock when a process ends, however that happens. Where locks do not work
    (some network drives), this is False.
    """
    file = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(file)


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # `_begin` does it
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # survive a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")  # see secure_delete.py
    cursor.execute("PRAGMA temp_store = MEMORY")  # no rows in temporary files
    cursor.close()


def _begin(connection: Connection) -> None:
    # A deferred transaction that starts to write fails at once if another one has written since; an
    # immediate one waits.
    write = connection.get_execution_options().get("sqlite_write", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _is_locked(error: BaseException) -> bool:
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return isinstance(error, OperationalError) and code == sqlite3.SQLITE_BUSY
