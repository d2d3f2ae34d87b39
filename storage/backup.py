"""A copy of a SQLite database while the bot runs, and what has to be known after one was put back.

PostgreSQL has its own tools for copies: pg_dump and pg_restore.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlmodel import col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage import sqlite
from storage.tables import RUNNING, EventRow, MessageRow, OnboardingRow


def copy(url: str, file: Path) -> None:
    """Copy the SQLite database at `url` to `file`, which must not exist: whole, and at one moment.

    Raises FileExistsError, and OSError or sqlite3.Error if it cannot be read or written; then
    nothing is left at `file`.
    """
    file.touch(mode=0o600, exist_ok=False)  # encrypted values are still nobody else's business
    existing = f"{sqlite.file(url).as_uri()}?mode=rw"
    try:
        with (
            closing(sqlite3.connect(existing, uri=True)) as source,
            closing(sqlite3.connect(file)) as target,
        ):
            source.backup(target)
    except BaseException:
        file.unlink(missing_ok=True)
        raise


async def mark_restored(session: AsyncSession) -> int:
    """Take note that the database is a backup that was put back; returns of how many onboardings.

    Since its last event messages may have been posted and edited that it does not know: they are
    looked for in Slack before anything is posted, and every message is brought level again.
    """
    newest = (await session.exec(select(func.max(EventRow.at)))).one()
    running = select(OnboardingRow.id).where(RUNNING)
    forgotten = update(MessageRow).where(col(MessageRow.onboarding_id).in_(running))
    await session.exec(forgotten.values(digest=None))
    row = OnboardingRow
    marked = update(row).where(RUNNING)
    again = {"look_since": newest, "published_revision": -1, "publish_after": None}
    return (await session.exec(marked.values(**again))).rowcount
