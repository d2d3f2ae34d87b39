"""Requests checks of live clients: each one weekly, and all of them for `check all`."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from math import ceil

from bot.core.errors import NotFound, OnboardingError, Refused, Unavailable, UnreadableRow
from bot.onboarding import BOT
from bot.onboarding.after_go_live import is_live, next_check, recheck
from bot.onboarding.business_time import NEVER, calendar_of
from bot.onboarding.people import Actor, Role
from storage import onboardings, rechecks, schedule
from storage.changes import change
from storage.database import Database
from storage.rechecks import Round

log = logging.getLogger(__name__)

BATCH = 50
# A round asks one client after the other, or a few at a time if it would take longer than this.
EVERY, LONGEST_ROUND = timedelta(seconds=5), timedelta(minutes=10)


class Rechecks:
    """Requests a few checks at most in each sweep, so that there is no burst after downtime."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Callable[[], datetime],
        timezone: str,
        check: Callable[[str], None],
    ) -> None:
        """`timezone` is the one for business hours; `check` runs the check of an onboarding."""
        self._database, self._clock = database, clock
        self._timezone, self._check = timezone, check

    async def sweep(self) -> None:
        async with self._database.begin(write=False, background=True) as session:
            running = await rechecks.running_round(session)
        if running:
            await self._go_on(running)
        else:
            await self._weekly()

    async def _go_on(self, running: Round) -> None:
        """Ask for the next clients of a round."""
        now = self._clock()
        following = running.clients[running.position :][: clients_at_a_time(len(running.clients))]
        if not following or now < running.next_at:
            return
        actor = Actor(running.by_user, running.by_team, Role.ENGINEER)
        for onboarding_id in following:
            await self._request(onboarding_id, actor, since=running.started_at)
        async with self._database.begin(background=True) as session:
            position = running.position + len(following)
            await rechecks.advance(session, running, position, now + EVERY)

    async def _weekly(self) -> None:
        """Check one client that is due; note when the others will be."""
        now = self._clock()
        async with self._database.begin(write=False, background=True) as session:
            due = await schedule.for_checks(session, now, BATCH)
        later = []
        for waiting in due:
            at = await self._next(waiting.id, now)
            if at <= now:
                await self._request(waiting.id, BOT, since=now - timedelta(hours=1))
                break
            later.append((waiting, at))
        if later:
            async with self._database.begin(background=True) as session:
                for waiting, at in later:
                    await schedule.look_again(session, waiting, next_check=at)

    async def _next(self, onboarding_id: str, now: datetime) -> datetime:
        """Return when to check a client; if that has passed, now, or when business opens."""
        calendar = calendar_of(None, self._timezone)
        async with self._database.begin(write=False, background=True) as session:
            try:
                onboarding = await onboardings.get(session, onboarding_id)
            except (NotFound, UnreadableRow):  # it is in the log
                return NEVER
        if not is_live(onboarding):
            return NEVER
        return max(next_check(onboarding, calendar), calendar.open_from(now))

    async def _request(self, onboarding_id: str, actor: Actor, since: datetime) -> None:
        transition = partial(recheck, actor=actor, now=self._clock(), since=since)
        try:
            await change(self._database, onboarding_id, transition)
        except Unavailable:
            raise
        except Refused as refused:  # another worker was faster, or the credentials were deleted
            log.info("not checked", extra={"onboarding": onboarding_id, "reason": str(refused)})
        except OnboardingError as error:
            log.warning("not checked", extra={"onboarding": onboarding_id, "reason": str(error)})
        else:
            self._check(onboarding_id)


def clients_at_a_time(clients: int) -> int:
    """Return how many of a round's clients are asked at a time."""
    return ceil(clients / (LONGEST_ROUND / EVERY))


def lasts(clients: int) -> timedelta:
    """Return about how long a round takes."""
    return ceil(clients / clients_at_a_time(clients)) * EVERY if clients else timedelta()
