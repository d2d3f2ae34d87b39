"""When credentials are destroyed: a while after the end, or if unused and nobody objects."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

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
from storage.session import Session

log = logging.getLogger(__name__)

BATCH = 50
# How long engineering may object before an unfinished onboarding's credentials are deleted.
OBJECTION = timedelta(days=7)


class Retention(UseCase):
    """Destroys credentials when their time is up; asks engineering before deleting unused ones."""

    async def keep(self, request: Request, onboarding_id: str) -> str:
        """Keep the credentials for the same period again; return a line that says so."""
        kept = partial(keep_credentials, keep=self._services.retain_for)
        after = await self._change_as_engineer(request, onboarding_id, kept)
        until = f" I'll ask again {when(after.retained.until)}." if after.retained else ""
        return f"The credentials of *{escape(after.client_name)}* are kept.{until}"

    async def sweep(self) -> None:
        """Destroy what was kept long enough after the end; ask about unused credentials."""
        services, keep = self._services, self._services.retain_for
        await destroy_old_values(services.database, services.clock, keep, services.publisher.wake)
        now = services.clock()
        async with services.database.begin(write=False, background=True) as session:
            due = await onboardings.unused(session, now - keep, now, BATCH)
        await for_each(due, self._expire)

    async def _expire(self, onboarding_id: str) -> None:
        """Ask about unused credentials; delete them if nobody objected after that."""
        services = self._services
        expired = partial(
            expire_credentials,
            now=services.clock(),
            keep=services.retain_for,
            objection=OBJECTION,
        )
        with suppress(Refused):  # somebody has acted, or another worker was faster
            await change(services.database, onboarding_id, expired, _delete)
            services.publisher.wake(onboarding_id)


async def destroy_old_values(
    database: Database,
    clock: Callable[[], datetime],
    keep: timedelta,
    destroyed: Callable[[str], None],
) -> int:
    """Destroy the credentials of onboardings that ended at least `keep` ago; return how many.

    Each onboarding is one transaction, so its credentials are never half gone. `destroyed` is
    called with its id.
    """
    count = 0

    async def destroy(onboarding_id: str) -> None:
        nonlocal count
        destroying = partial(destroy_credentials, actor=BOT, now=clock())
        try:
            await change(database, onboarding_id, destroying, _delete)
        except Unavailable:
            raise
        except (Refused, UnreadableRow):  # another worker did it, or it was logged
            return
        except Exception:  # a bug with one onboarding must not keep the others' credentials
            log.exception("values could not be destroyed", extra={"onboarding": onboarding_id})
            return
        count += 1
        destroyed(onboarding_id)

    while True:
        before = count
        async with database.begin(write=False) as session:
            due = await onboardings.to_destroy(session, clock() - keep, BATCH)
        await for_each(due, destroy)
        if count - before < BATCH:
            return count


async def _delete(session: Session, onboarding: Onboarding) -> None:
    if not onboarding.credentials:
        await credentials.destroy(session, onboarding.id)
        log.info("values destroyed", extra={"onboarding": onboarding.id})
