"""Removes replaced and deleted ciphertexts from the database's files.

A database only marks a row as deleted: SQLite keeps old pages in its `-wal`, and PostgreSQL the old
row in its table until VACUUM, which frees the space without overwriting it. So the small table of
credentials is rewritten in the background right after a value was replaced or destroyed. What this
can't reach (PostgreSQL's WAL, replicas, backups, the disk itself) is listed in docs/security.md.
"""

import asyncio
import logging
import re
import sqlite3
from contextlib import closing, suppress

from sqlalchemy import text

from bot.core.errors import Unavailable
from storage import sqlite
from storage.database import Database, is_sqlite
from storage.database_errors import reason

log = logging.getLogger(__name__)

# Combines several changes into one rewrite, and leaves time for other work between rewrites.
DEBOUNCE_SECONDS = 0.2
REST_SECONDS = 2.0
# Rewriting takes 5 µs per value and blocks other writers: for 2% of the time at most.
REST_PER_SECOND = 50
# Pauses after failures grow from the first to the maximum; a pause of WARN_FROM_SECONDS is worth a
# warning.
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, WARN_FROM_SECONDS = 0.5, 300.0, 8.0
LOCK_TIMEOUT_SECONDS = 0.1  # others queue behind us while we wait for the lock


class CiphertextCleaner:
    """Clears the files whenever a transaction has replaced or deleted values."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._problem: str | None = None

    def warning(self) -> str | None:
        """Return why old ciphertexts are still there, if that has been so for a while."""
        return self._problem

    async def work(self) -> None:
        """Clear the files in a loop, starting with what an earlier process may have left."""
        pause = FIRST_PAUSE_SECONDS
        self._database.has_residue.set()
        while True:
            await self._database.has_residue.wait()
            await asyncio.sleep(DEBOUNCE_SECONDS)
            self._database.has_residue.clear()
            began = asyncio.get_running_loop().time()
            try:
                problem = await clear(self._database)
            except asyncio.CancelledError:  # the process stops during a rewrite
                self._database.has_residue.set()
                raise
            except Exception as error:  # a bug must not end the loop
                log.exception("old ciphertexts could not be removed")
                problem = type(error).__name__
            if problem is None:
                self._problem, pause = None, FIRST_PAUSE_SECONDS
                took = asyncio.get_running_loop().time() - began
                await asyncio.sleep(max(REST_SECONDS, took * REST_PER_SECOND))
                continue
            self._database.has_residue.set()
            if pause >= WARN_FROM_SECONDS:
                self._problem = f"old ciphertexts are still in the database's files: {problem}"
                log.warning(self._problem)
            await asyncio.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)

    async def finish(self, seconds: float) -> None:
        """Clear once more, at shutdown, if something was replaced or deleted a moment ago.

        What can't be cleared within `seconds` is left to the next start.
        """
        if self._database.has_residue.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await clear(self._database)


async def clear(database: Database) -> str | None:
    """Remove old ciphertexts; return why that was not possible, or None."""
    try:
        if not is_sqlite(database.url):
            return await _clear_postgresql(database)
        async with database.pause_sqlite_writers():
            return await asyncio.to_thread(_clear_sqlite, database.url)
    except Unavailable as error:
        return str(error)
    except sqlite3.Error as error:
        return reason(error)


def _clear_sqlite(url: str) -> str | None:
    """Rewrite the table, which zeroes its old pages, then truncate the `-wal`.

    `secure_delete` alone sometimes leaves a copy where SQLite moved a row between pages.
    """
    connection = sqlite3.connect(
        sqlite.uri(url), timeout=LOCK_TIMEOUT_SECONDS, isolation_level=None, uri=True
    )
    with closing(connection):
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM main.credential")
        connection.execute("DELETE FROM main.credential")
        connection.execute("INSERT INTO main.credential SELECT * FROM temp.kept")
        connection.execute("COMMIT")
        # https://www.sqlite.org/pragma.html#pragma_wal_checkpoint
        [(busy, *_frames)] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return "another transaction still reads an older state" if busy else None


async def _clear_postgresql(database: Database) -> str | None:
    """Write the table, its TOAST and its indexes into new files; the old ones are truncated.

    Unlike VACUUM FULL, CLUSTER works in a transaction, so it has a timeout behind PgBouncer too.
    Dead rows that an older transaction may still see are copied, and counted.
    """
    from psycopg import AsyncConnection, errors  # not needed on SQLite, and slow to import

    still_there = 0

    def count(notice: errors.Diagnostic) -> None:
        nonlocal still_there  # “1 dead row versions cannot be removed yet.”, in any language
        if found := re.match(r"\D*(\d+)", notice.message_detail or ""):
            still_there = int(found[1])

    async with database.begin(background=True) as session:
        await session.exec(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"))  # type: ignore[call-overload]
        connection = await session.connection()
        driver = (await connection.get_raw_connection()).driver_connection
        assert isinstance(driver, AsyncConnection)  # noqa: S101
        driver.add_notice_handler(count)
        try:
            await connection.execute(text("CLUSTER VERBOSE credential USING credential_pkey"))
        finally:
            driver.remove_notice_handler(count)
    return "an older transaction may still look at them" if still_there else None
