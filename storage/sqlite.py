"""SQLite as the bot uses it: in WAL mode, durable, and without a thread between it and us."""

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

# For what is locked for a moment only, such as a new file. Nobody else is served meanwhile.
MOMENT_MS = 100


class Inline(aiosqlite.Connection):
    """Carries out each call where it is awaited, not on a thread of its own.

    On a local file a statement takes microseconds; handing it, its cursor and its rows over to a
    thread and back takes many times that (docs/decisions.md). What may take long, waiting for
    others who write, is left to `begin`.
    """

    async def _execute(self, fn: Callable[..., Answer], *args: Any, **kwargs: Any) -> Answer:
        return fn(*args, **kwargs)


def file(url: str) -> Path:
    """Return the absolute path of the file that a SQLite URL names."""
    return Path(make_url(url).database or "").absolute()


def engine(url: str) -> AsyncEngine:
    """Return an engine on the file of a `sqlite+aiosqlite:///…` URL; it makes none."""
    existing = f"{file(url).as_uri()}?mode=rw"

    async def connect() -> aiosqlite.Connection:
        return await Inline(
            lambda: sqlite3.connect(existing, uri=True, check_same_thread=False), 64
        )

    # Parameters never reach a log or an exception's text: some are ciphertexts and names.
    made = create_async_engine(url, hide_parameters=True, async_creator=connect)
    event.listen(made.sync_engine, "connect", _prepare)
    event.listen(made.sync_engine, "begin", _begin)
    return made


async def begin(session: AsyncSession, *, write: bool, patience: float) -> None:
    """Begin a transaction; as long as another process writes, try again for `patience` seconds."""
    retrying = AsyncRetrying(
        retry=retry_if_exception(_is_locked),
        stop=stop_after_delay(patience),
        wait=wait_random(0.005, 0.02),
        reraise=True,
    )
    await retrying(session.connection, execution_options={"sqlite_write": write})


@contextmanager
def alone(path: str) -> Iterator[bool]:
    """Whether no other process runs on this file, for as long as the block does.

    The system takes the lock back when a process ends, however that happens. Where it cannot be
    had (some network drives), nobody is alone.
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
    connection.isolation_level = None  # we say BEGIN ourselves, below
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {MOMENT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # what was acknowledged survives a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")  # see residue.py
    cursor.execute("PRAGMA temp_store = MEMORY")  # no row goes to a file elsewhere
    cursor.close()


def _begin(connection: Connection) -> None:
    # A deferred transaction that turns into a write fails at once when another one wrote
    # meanwhile; an immediate one waits for its turn.
    write = connection.get_execution_options().get("sqlite_write", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _is_locked(error: BaseException) -> bool:
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return isinstance(error, OperationalError) and code == sqlite3.SQLITE_BUSY
