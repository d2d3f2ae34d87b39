"""Reminds whoever's turn it is, and tells engineering, when nothing goes on."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.background import BackgroundTasks
from bot.core.errors import Refused, Unavailable, UnreadableRow
from bot.core.loops import for_each
from bot.onboarding import BOT, Change, Event, Onboarding
from bot.onboarding.business_time import NEVER, Calendar, calendar_of
from bot.onboarding.reminders import escalate, remind
from bot.reminders.schedule import Due, plan, quiet_until
from bot.slack.directory import Directory
from storage import onboardings, reminders
from storage.changes import change
from storage.database import Database
from storage.guides import GuideStore
from storage.reminders import Waiting

log = logging.getLogger(__name__)

# As many as one sweep looks over: after a long downtime, nudges come by and by.
SWEEP_BATCH = 50
# What could not be looked over, for a bug, waits for so long.
LATER = timedelta(hours=1)
# Of how many of the client's people the time zone is asked for.
MOST_ASKED = 3


class ReminderSender:
    """Looks over every onboarding when its time has come, and after each change."""

    def __init__(
        self,
        database: Database,
        guides: GuideStore,
        directory: Directory,
        wake_publisher: Callable[[str], None],
        tasks: BackgroundTasks,
        clock: Callable[[], datetime],
        *,
        remind_after: timedelta,
        escalate_after: timedelta,
        timezone: str,
    ) -> None:
        """Take what it works with, and how much business time may pass; `tasks` own its work.

        `timezone` counts for clients whose own is not known.
        """
        self._database, self._guides, self._directory = database, guides, directory
        self._wake_publisher, self._tasks, self._clock = wake_publisher, tasks, clock
        self._remind_after, self._escalate_after = remind_after, escalate_after
        self._timezone = timezone
        self._busy = False
        self._slack_is_away = False

    async def sweep(self) -> None:
        """Look over what is due, in the background: nothing else need wait for it."""
        if self._busy:
            return
        async with self._database.begin(write=False, background=True) as session:
            due = await reminders.to_look_over(session, self._clock(), SWEEP_BATCH)
        if due:
            self._busy = True
            self._tasks.spawn(self._look_over_all(due), "remind")

    def quiet_until(self, onboarding: Onboarding, now: datetime) -> datetime:
        """Return when the next nudge comes, if nothing happens after a snooze `now`."""
        return quiet_until(now, self._remind_after, self._calendar(onboarding))

    async def _look_over_all(self, due: Sequence[Waiting]) -> None:
        self._slack_is_away = False
        try:
            waiting = {one.id: one for one in due}
            await for_each(waiting, lambda onboarding_id: self._look_over(waiting[onboarding_id]))
        except Unavailable as error:
            log.warning("nobody could be reminded", extra={"reason": str(error)})
        finally:
            self._busy = False

    async def _look_over(self, waiting: Waiting) -> None:
        try:
            onboarding = await self._located(await self._get(waiting.id))
            now = self._clock()
            due = self._due(onboarding, now)
            if due.nudge or due.escalation:
                onboarding = await self._tell(onboarding, now)
                due = self._due(onboarding, now)
            kept, look_again = Waiting(waiting.id, onboarding.revision), due.look_again or NEVER
            await self._leave(kept, look_again, onboarding.timezone)
        except Unavailable:
            raise
        except Refused:  # somebody has acted, or another worker was faster: nothing is due
            await self._leave(waiting, self._clock() + LATER)
        except UnreadableRow:  # named in the log, and left out from now on
            return
        except Exception:  # a bug about one must not keep the others from their nudges
            log.exception("cannot be looked over", extra={"onboarding": waiting.id})
            await self._leave(waiting, self._clock() + LATER)

    def _due(self, onboarding: Onboarding, now: datetime) -> Due:
        return plan(
            active_at=onboarding.active_at,
            snoozed_at=onboarding.snoozed.at if onboarding.snoozed else None,
            nudged=onboarding.reminder is not None,
            escalated=onboarding.escalated_at is not None,
            now=now,
            remind_after=self._remind_after,
            escalate_after=self._escalate_after,
            calendar=self._calendar(onboarding),
        )

    async def _tell(self, onboarding: Onboarding, now: datetime) -> Onboarding:
        """Tell what is due, and return the onboarding as it is kept then."""
        zone = onboarding.timezone
        after = await change(
            self._database,
            self._guides,
            onboarding.id,
            lambda at: self._told(replace(at, timezone=at.timezone or zone), now),
        )
        self._wake_publisher(after.id)
        return after

    def _told(self, onboarding: Onboarding, now: datetime) -> Change:
        """Return the onboarding with what is due; decided afresh, on what is in the database."""
        due = self._due(onboarding, now)
        events: tuple[Event, ...] = ()
        if due.nudge:
            nudged = remind(onboarding, BOT, now)
            onboarding, events = nudged.onboarding, nudged.events
        if due.escalation:
            escalated = escalate(onboarding, now)
            onboarding, events = escalated.onboarding, (*events, *escalated.events)
        if not events:
            raise Refused("Nothing is due any more.")
        return Change(onboarding, events)

    async def _located(self, onboarding: Onboarding) -> Onboarding:
        """Return the onboarding with the client's time zone, if Slack tells one."""
        if onboarding.timezone or self._slack_is_away:
            return onboarding
        try:
            timezone = await self._timezone_of(onboarding.client_people[:MOST_ASKED])
        except Unavailable as error:  # the others of this sweep do without it, too
            log.warning("no time zone could be asked for", extra={"reason": str(error)})
            self._slack_is_away = True
            return onboarding
        return replace(onboarding, timezone=timezone)

    async def _timezone_of(self, people: Sequence[str]) -> str | None:
        for user_id in people:
            if timezone := await self._directory.timezone(user_id):
                return timezone
        return None

    def _calendar(self, onboarding: Onboarding) -> Calendar:
        return calendar_of(onboarding.timezone, self._timezone)

    async def _get(self, onboarding_id: str) -> Onboarding:
        async with self._database.begin(write=False, background=True) as session:
            return await onboardings.get(session, self._guides, onboarding_id)

    async def _leave(self, waiting: Waiting, until: datetime, timezone: str | None = None) -> None:
        async with self._database.begin(background=True) as session:
            await reminders.look_again(session, waiting.id, waiting.revision, until, timezone)
