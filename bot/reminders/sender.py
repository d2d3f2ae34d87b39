"""Sends follow-ups, and alerts engineering, when nothing happens."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.background import BackgroundTasks
from bot.core.errors import Refused, Unavailable, UnreadableRow
from bot.core.loops import for_each
from bot.onboarding import BOT, Change, Onboarding
from bot.onboarding.business_time import NEVER
from bot.onboarding.reminders import ask_engineering, escalate, remind
from bot.reminders.schedule import FollowUpCalendar
from bot.slack import RateLimited
from bot.slack.directory import Directory
from bot.slack.rate_limits import UNHURRIED
from storage import onboardings, schedule
from storage.changes import change
from storage.database import Database
from storage.schedule import Waiting

log = logging.getLogger(__name__)

# How many onboardings a sweep checks, so that reminders are spread out after a long downtime.
SWEEP_BATCH = 50
# How long to leave an onboarding alone after a bug kept it from being checked, and how long to
# wait for time zones before reminders use the business's own.
RETRY_AFTER = timedelta(hours=1)
# How many of the client's people to look up for a time zone.
MOST_ASKED = 3


class ReminderSender:
    """Checks every onboarding when it is due, and after each change."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        wake_publisher: Callable[[str], None],
        tasks: BackgroundTasks,
        clock: Callable[[], datetime],
        calendar: FollowUpCalendar,
    ) -> None:
        self._database, self._directory = database, directory
        self._wake_publisher, self._tasks, self._clock = wake_publisher, tasks, clock
        self._calendar = calendar
        self._running = False
        self._slack_is_down = False
        self._no_room_since: datetime | None = None  # for looking up time zones

    async def sweep(self) -> None:
        """Check what is due, in the background."""
        if self._running:
            return
        async with self._database.begin(write=False, background=True) as session:
            due = await schedule.for_reminders(session, self._clock(), SWEEP_BATCH)
        if due:
            self._running = True
            self._tasks.spawn(self._check_all(due), "remind")

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
            due = self._calendar.due(onboarding, now)
            if due:
                onboarding = await self._send(onboarding, now)
                due = self._calendar.due(onboarding, now)
            kept, look_again = Waiting(waiting.id, onboarding.revision), due.look_again or NEVER
            await self._look_again(kept, look_again, onboarding.timezone)
        except RateLimited as limit:  # better late than in the middle of the client's night
            again = timedelta(seconds=limit.seconds)
            await self._look_again(waiting, self._clock() + again)
        except Unavailable:
            raise
        except Refused:  # somebody acted, or another worker was faster: nothing is due
            await self._look_again(waiting, self._clock() + RETRY_AFTER)
        except UnreadableRow:  # it was logged, and is skipped from now on
            return
        except Exception:  # a bug in one must not stop the others
            log.exception("cannot check for reminders", extra={"onboarding": waiting.id})
            await self._look_again(waiting, self._clock() + RETRY_AFTER)

    async def _send(self, onboarding: Onboarding, now: datetime) -> Onboarding:
        """Send what is due, and return the onboarding as stored."""
        zone = onboarding.timezone
        after = await change(
            self._database,
            onboarding.id,
            lambda at: self._due_change(replace(at, timezone=at.timezone or zone), now),
        )
        self._wake_publisher(after.id)
        return after

    def _due_change(self, onboarding: Onboarding, now: datetime) -> Change:
        """Return the change for what is due, based on the current stored state."""
        due = self._calendar.due(onboarding, now)
        sent = Change(onboarding)
        if (number := due.follow_up) is not None:
            last = self._calendar.is_last(number)
            sent = sent.then(remind, BOT, now, number, last=last)
        if due.escalation:
            sent = sent.then(escalate, now)
        if due.question:
            sent = sent.then(ask_engineering, now)
        if not sent.events:
            raise Refused("Nothing is due anymore.")
        return sent

    async def _with_timezone(self, onboarding: Onboarding) -> Onboarding:
        """Return the onboarding with the client's time zone, if Slack provides one.

        Raises RateLimited as long as waiting is likely to help.
        """
        people = onboarding.client_people[:MOST_ASKED]
        if onboarding.timezone or not people or self._slack_is_down:
            return onboarding
        try:
            timezone = await self._timezone_of(people)
            self._no_room_since = None
        except RateLimited:
            now = self._clock()
            self._no_room_since = self._no_room_since or now
            if now - self._no_room_since < RETRY_AFTER:
                raise
            return onboarding
        except Unavailable as error:  # the rest of this sweep goes without
            log.warning("cannot look up a time zone", extra={"reason": str(error)})
            self._slack_is_down = True
            return onboarding
        return replace(onboarding, timezone=timezone)

    async def _timezone_of(self, people: Sequence[str]) -> str | None:
        for user_id in people:
            if timezone := await self._directory.timezone(user_id, share=UNHURRIED):
                return timezone
        return None

    async def _get(self, onboarding_id: str) -> Onboarding:
        async with self._database.begin(write=False, background=True) as session:
            return await onboardings.get(session, onboarding_id)

    async def _look_again(
        self, waiting: Waiting, until: datetime, timezone: str | None = None
    ) -> None:
        columns = {"timezone": timezone} if timezone else {}
        async with self._database.begin(background=True) as session:
            await schedule.look_again(session, waiting, next_reminder=until, **columns)
