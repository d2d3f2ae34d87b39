"""How long credentials are kept: destroyed after the end, and when nobody keeps unused ones."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import Refused, Unavailable, UnreadableRow
from bot.core.loops import for_each
from bot.core.mrkdwn import escape, when
from bot.onboarding import BOT, Onboarding
from bot.onboarding.credentials import destroy_credentials
from bot.onboarding.retention import expire_credentials, keep_credentials
from bot.use_cases.services import Request
from bot.use_cases.use_case import UseCase
from storage import credentials, onboardings
from storage.changes import change
from storage.database import Database
from storage.guides import GuideStore

log = logging.getLogger(__name__)

BATCH = 50
# How long engineering may object before the credentials of an unfinished onboarding are deleted.
OBJECTION = timedelta(days=7)


class Retention(UseCase):
    """Engineering's answer to the question of `age_unused_values`."""

    async def keep(self, request: Request, onboarding_id: str) -> str:
        """Keep the credentials for the same time again; return what was done."""
        actor, keep = await self._engineer(request.person), self._services.retain_for
        after = await self._change(
            request, onboarding_id, lambda at, now: keep_credentials(at, actor, now, now + keep)
        )
        until = f" I'll ask again {when(after.retained.until)}." if after.retained else ""
        return f"The credentials of *{escape(after.client_name)}* are kept.{until}"


async def destroy_old_values(
    database: Database,
    guides: GuideStore,
    clock: Callable[[], datetime],
    keep: timedelta,
    destroyed: Callable[[str], None],
) -> int:
    """Destroy the credentials of onboardings that ended `keep` ago; return how many.

    Each onboarding is one transaction, so its credentials are never half gone. `destroyed` is
    called with its id.
    """
    count = 0

    async def destroy(onboarding_id: str) -> None:
        nonlocal count
        if await _destroy(database, guides, onboarding_id, clock):
            count += 1
            destroyed(onboarding_id)

    while True:
        before = count
        async with database.begin(write=False) as session:
            due = await onboardings.to_destroy(session, clock() - keep, BATCH)
        await for_each(due, destroy)
        if count - before < BATCH:
            return count


async def age_unused_values(
    database: Database,
    guides: GuideStore,
    clock: Callable[[], datetime],
    keep: timedelta,
    changed: Callable[[str], None],
) -> None:
    """Ask about credentials without activity for `keep`; delete those that nobody kept.

    `changed` is called with the id of each onboarding that this was about.
    """

    async def age(onboarding_id: str) -> None:
        with suppress(Refused):  # somebody has acted, or another worker was faster
            await change(
                database,
                guides,
                onboarding_id,
                lambda at: expire_credentials(at, clock(), keep=keep, objection=OBJECTION),
                _delete_expired,
            )
            changed(onboarding_id)

    now = clock()
    async with database.begin(write=False, background=True) as session:
        due = await onboardings.unused(session, now - keep, now, BATCH)
    await for_each(due, age)


async def _delete_expired(session: AsyncSession, onboarding: Onboarding) -> None:
    if not onboarding.credentials:
        await credentials.destroy(session, onboarding.id)
        log.info("unused values destroyed", extra={"onboarding": onboarding.id})


async def _destroy(
    database: Database, guides: GuideStore, onboarding_id: str, clock: Callable[[], datetime]
) -> bool:
    """Destroy the credentials of one onboarding; False if that failed or was done already."""
    try:
        await change(
            database,
            guides,
            onboarding_id,
            lambda onboarding: destroy_credentials(onboarding, BOT, clock()),
            _delete,
        )
    except Unavailable:
        raise
    except (Refused, UnreadableRow):  # another worker did it, or it is named in the log
        return False
    except Exception:  # a bug with one onboarding must not keep the others' credentials
        log.exception("values could not be destroyed", extra={"onboarding": onboarding_id})
        return False
    log.info("values destroyed", extra={"onboarding": onboarding_id})
    return True


async def _delete(session: AsyncSession, onboarding: Onboarding) -> None:
    await credentials.destroy(session, onboarding.id)
