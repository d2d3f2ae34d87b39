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
# So long engineering may object before the values of an unfinished onboarding are deleted.
OBJECTION = timedelta(days=7)


class Retention(UseCase):
    """Engineering's answer to the question of `age_unused_values`."""

    async def keep(self, request: Request, onboarding_id: str) -> str:
        """Keep the credentials for as long again; return what was done."""
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
    """Destroy the values of what was finished longer than `keep` ago; returns of how many.

    Each onboarding is one transaction, so its values are never half gone. `destroyed` is called
    with its id.
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
    """Ask about the values of what stands still for longer than `keep`; delete those not kept.

    `changed` is called with the id of each onboarding that was asked about, or whose values went.
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
    """Destroy the values of one onboarding; False if that failed, or somebody was faster."""
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
    except (Refused, UnreadableRow):  # another worker was faster; or it is named in the log
        return False
    except Exception:  # a bug about one must not keep the others' values alive
        log.exception("values could not be destroyed", extra={"onboarding": onboarding_id})
        return False
    log.info("values destroyed", extra={"onboarding": onboarding_id})
    return True


async def _delete(session: AsyncSession, onboarding: Onboarding) -> None:
    await credentials.destroy(session, onboarding.id)
