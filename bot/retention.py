"""Destroys the values of onboardings that were finished long enough ago."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.errors import Refused, Unavailable, UnreadableRow
from bot.loops import each
from bot.onboarding import BOT, Onboarding
from storage import credentials, onboardings
from storage.changes import change
from storage.database import Database
from storage.guides import GuideShelf

log = logging.getLogger(__name__)

BATCH = 50


async def destroy_old_values(
    database: Database,
    shelf: GuideShelf,
    clock: Callable[[], datetime],
    keep: timedelta,
    destroyed: Callable[[str], None],
) -> int:
    """Destroy the values of what was finished longer than `keep` ago; returns of how many.

    Each onboarding is one transaction, so its values are never half gone. `destroyed` is called
    with its id.
    """
    count = 0

    async def destroy(onboarding_id: str) -> None:
        nonlocal count
        if await _destroy(database, shelf, onboarding_id, clock):
            count += 1
            destroyed(onboarding_id)

    while True:
        before = count
        async with database.begin(write=False) as session:
            due = await onboardings.to_destroy(session, clock() - keep, BATCH)
        await each(due, destroy)
        if count - before < BATCH:
            return count


async def _destroy(
    database: Database, shelf: GuideShelf, onboarding_id: str, clock: Callable[[], datetime]
) -> bool:
    """Destroy the values of one onboarding; False if that failed, or somebody was faster."""
    try:
        await change(
            database,
            shelf,
            onboarding_id,
            lambda onboarding: onboarding.destroy_credentials(BOT, clock()),
            _delete,
        )
    except Unavailable:
        raise
    except (Refused, UnreadableRow):  # another worker was faster; or it is named in the log
        return False
    except Exception:  # a bug about one must not keep the others' values alive
        log.exception("values could not be destroyed", extra={"onboarding": onboarding_id})
        return False
    log.info("values destroyed", extra={"onboarding": onboarding_id})
    return True


async def _delete(session: AsyncSession, onboarding: Onboarding) -> None:
    await credentials.destroy(session, onboarding.id)
