"""Sends reminders, and alerts engineering, when nothing happens."""

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

# How many onboardings one sweep checks, so that reminders are spread out after a long downtime.
SWEEP_BATCH = 50
# How long to leave an onboarding alone that could not be checked because of a bug.
RETRY_AFTER = timedelta(hours=1)
# How many of the client's people are asked for a time zone.
MOST_ASKED = 3
# Nine to five.
A_WORKING_DAY = timedelta(hours=8)


class ReminderSender:
    """Checks every onboarding when its time has come, and after each change."""

    def __init__(
        self,
        *,
        database: Database,
        guides: GuideStore,
        directory: Directory,
        wake_publisher: Callable[[str], None],
        tasks: BackgroundTasks,
        clock: Callable[[], datetime],
        remind_after: timedelta,
        escalate_after: timedelta,
        timezone: str,
    ) -> None:
        """The waits are business time; `timezone` applies to clients whose own is not known."""
        self._database, self._guides, self._directory = database, guides, directory
        self._wake_publisher, self._tasks, self._clock = wake_publisher, tasks, clock
        self._remind_after, self._escalate_after = remind_after, escalate_after
        self._timezone = timezone
        self._running = False
        self._slack_is_down = False

    async def sweep(self) -> None:
        """Check what is due, in the background."""
        if self._running:
            return
        async with self._database.begin(write=False, background=True) as session:
            due = await reminders.to_look_over(session, self._clock(), SWEEP_BATCH)
        if due:
            self._running = True
            self._tasks.spawn(self._check_all(due), "remind")

    def quiet_until(self, onboarding: Onboarding, now: datetime) -> datetime:
        """Return when the next reminder comes, if nothing happens after a snooze `now`."""
        return quiet_until(now, self._remind_after, self._calendar(onboarding))

    async def _check_all(self, due: Sequence[Waiting]) -> None:
        self._slack_is_down = False
        try:
            waiting = {one.id: one for one in due}
            await for_each(waiting, lambda onboarding_id: self._check(waiting[onboarding_id]))
        except Unavailable as error:
            log.warning("cannot send reminders", extra={"reason": str(error)})
        finally:
            self._running = False

    async def _check(self, waiting: Waiting) -> None:
        try:
            onboarding = await self._with_timezone(await self._get(waiting.id))
            now = self._clock()
            due = self._due(onboarding, now)
            if due.reminder or due.escalation:
                onboarding = await self._send(onboarding, now)
                due = self._due(onboarding, now)
            kept, look_again = Waiting(waiting.id, onboarding.revision), due.look_again or NEVER
            await self._look_again(kept, look_again, onboarding.timezone)
        except Unavailable:
            raise
        except Refused:  # somebody acted, or another worker was faster: nothing is due
            await self._look_again(waiting, self._clock() + RETRY_AFTER)
        except UnreadableRow:  # it is in the log, and left out from now on
            return
        except Exception:  # a bug in one must not stop the others
            log.exception("cannot check for reminders", extra={"onboarding": waiting.id})
            await self._look_again(waiting, self._clock() + RETRY_AFTER)

    def _due(self, onboarding: Onboarding, now: datetime) -> Due:
        # Nobody would read a reminder where nobody is; engineering hears of that the sooner.
        alone = onboarding.is_alone
        patience = min(A_WORKING_DAY, self._escalate_after) if alone else self._escalate_after
        return plan(
            active_at=onboarding.active_at,
            snoozed_at=onboarding.snoozed.at if onboarding.snoozed else None,
            reminded=alone or onboarding.reminder is not None,
            escalated=onboarding.escalated_at is not None,
            now=now,
            remind_after=self._remind_after,
            escalate_after=patience,
            calendar=self._calendar(onboarding),
        )

    async def _send(self, onboarding: Onboarding, now: datetime) -> Onboarding:
        """Send what is due, and return the onboarding as stored."""
        zone = onboarding.timezone
        after = await change(
            self._database,
            self._guides,
            onboarding.id,
            lambda at: self._due_change(replace(at, timezone=at.timezone or zone), now),
        )
        self._wake_publisher(after.id)
        return after

    def _due_change(self, onboarding: Onboarding, now: datetime) -> Change:
        """Return the change for what is due, decided again on what is stored now."""
        due = self._due(onboarding, now)
        events: tuple[Event, ...] = ()
        if due.reminder:
            reminded = remind(onboarding, BOT, now)
            onboarding, events = reminded.onboarding, reminded.events
        if due.escalation:
            escalated = escalate(onboarding, now)
            onboarding, events = escalated.onboarding, (*events, *escalated.events)
        if not events:
            raise Refused("Nothing is due anymore.")
        return Change(onboarding, events)

    async def _with_timezone(self, onboarding: Onboarding) -> Onboarding:
        """Return the onboarding with the client's time zone, if Slack says."""
        if onboarding.timezone or self._slack_is_down:
            return onboarding
        try:
            timezone = await self._timezone_of(onboarding.client_people[:MOST_ASKED])
        except Unavailable as error:  # the rest of this sweep does without
            log.warning("cannot look up a time zone", extra={"reason": str(error)})
            self._slack_is_down = True
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

    async def _look_again(
        self, waiting: Waiting, until: datetime, timezone: str | None = None
    ) -> None:
        async with self._database.begin(background=True) as session:
            await reminders.look_again(session, waiting.id, waiting.revision, until, timezone)
