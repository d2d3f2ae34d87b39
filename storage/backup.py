"""Backs up a SQLite database while the bot runs, and prepares a restored one.

PostgreSQL has its own tools: pg_dump and pg_restore.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlmodel import col, func, select, update

from storage import sqlite
from storage.session import Session
from storage.tables import RUNNING, EventRow, MessageRow, OnboardingRow


def copy(url: str, file: Path) -> None:
    """Copy a consistent snapshot of the SQLite database at `url` to `file`, which must not exist.

    Raises FileExistsError, OSError or sqlite3.Error; on an error, nothing is left at `file`.
    """
    file.touch(mode=0o600, exist_ok=False)  # the values are encrypted, but still private
    try:
        with (
            closing(sqlite3.connect(sqlite.uri(url), uri=True)) as source,
            closing(sqlite3.connect(file)) as target,
        ):
            source.backup(target)
    except BaseException:
        file.unlink(missing_ok=True)
        raise


async def mark_restored(session: Session) -> int:
    """Note that the database is a restored backup; return the number of running onboardings.

    Messages may have been posted and edited since its last event. Slack is searched for them
    before anything is posted, and every message is published again.
    """
    newest = (await session.exec(select(func.max(EventRow.at)))).one()
    running = select(OnboardingRow.id).where(RUNNING)
    messages = update(MessageRow).where(col(MessageRow.onboarding_id).in_(running))
    await session.exec(messages.values(digest=None))
    values = {"look_since": newest, "published_revision": -1, "publish_after": None}
    return (await session.exec(update(OnboardingRow).where(RUNNING).values(**values))).rowcount
