"""When an onboarding's follow-ups are due, in its client's business hours. Pure."""

from datetime import datetime, timedelta

from bot.onboarding import Change, Onboarding
from bot.onboarding.business_time import OPENS, Calendar, calendar_of
from bot.onboarding.days import named_day
from bot.onboarding.follow_ups import (
    hear,
    held_until,
    put_off,
    reminders_of_stall,
)
from bot.onboarding.people import Actor
from bot.onboarding.reminders import remind, snooze
from bot.reminders import schedule
from bot.reminders.schedule import Due, Pace, Silence, quiet_until

TWO_WEEKS = timedelta(days=14)


class FollowUpCalendar:
    def __init__(self, pace: Pace, timezone: str) -> None:
        """`timezone` applies to clients whose own is not known."""
        self._pace, self._timezone = pace, timezone

    def due(self, onboarding: Onboarding, now: datetime) -> Due:
        return schedule.plan(self._silence(onboarding), self._pace, self._of(onboarding), now)

    def is_last(self, follow_up: int) -> bool:
        """Whether this is the last automatic follow-up."""
        return follow_up >= len(self._pace.follow_ups) > 0

    # --- transitions that need the calendar ---

    def remind_by_hand(self, onboarding: Onboarding, actor: Actor, now: datetime) -> Change:
        """Remind the side that has to act; counts as the next follow-up if that is near."""
        calendar = self._of(onboarding)
        number = schedule.by_hand(self._silence(onboarding), self._pace, calendar, now)
        return remind(onboarding, actor, now, number, last=self.is_last(number))

    def snooze(self, onboarding: Onboarding, actor: Actor, now: datetime) -> Change:
        return snooze(onboarding, actor, now, self._snoozed_until(onboarding, now))

    def put_off(self, onboarding: Onboarding, number: int, actor: Actor, now: datetime) -> Change:
        """Ask once more in two weeks, instead of the other options that engineering had."""
        until = self._of(onboarding).open_from(now + TWO_WEEKS)
        return put_off(onboarding, number, actor, now, until)

    def hear(self, onboarding: Onboarding, text: str, actor: Actor, now: datetime) -> Change:
        """Record that someone wrote in the thread; if they name a day, follow-ups wait for it."""
        calendar = self._of(onboarding)
        day = named_day(text, now.astimezone(calendar.zone).date())
        morning = datetime.combine(day, OPENS, calendar.zone) if day else None
        return hear(onboarding, actor, now, calendar.open_from(morning) if morning else None)

    def _silence(self, onboarding: Onboarding) -> Silence:
        sent, offer = reminders_of_stall(onboarding), onboarding.current_offer
        snoozed = onboarding.snoozed
        until = snoozed.until or self._snoozed_until(onboarding, snoozed.at) if snoozed else None
        return Silence(
            # Someone who was just greeted isn't reminded right away.
            since=max([onboarding.active_at, *(one.at for one in onboarding.joined[:1])]),
            sent=max((one.follow_up for one in sent), default=0),
            reminded_at=sent[-1].at if sent else None,
            snoozed_until=until,
            held_until=held_until(onboarding),
            again_at=offer.again_at if offer else None,
            escalated=onboarding.is_escalated,
            asked=offer is not None,
            # If nobody is there, nobody reads reminders; engineering is alerted sooner instead.
            alone=onboarding.is_alone,
        )

    def _snoozed_until(self, onboarding: Onboarding, now: datetime) -> datetime:
        return quiet_until(now, self._pace.snooze, self._of(onboarding))

    def _of(self, onboarding: Onboarding) -> Calendar:
        return calendar_of(onboarding.timezone, self._timezone)
