"""When a follow-up is due, and when engineering is alerted or asked. Pure.

A stall begins with the last activity. In each stall there are follow-ups in the thread, on the
business days in FOLLOW_UPS, one more after each snooze, and one alert to the engineers. With the
last follow-up, they are asked what to do; if they put that off, there is one more of both. After
downtime, only the newest one is due. All of them wait for the client's business hours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.onboarding import Change, Onboarding
from bot.onboarding.business_time import BUSINESS_DAY, OPENS, Calendar, calendar_of
from bot.onboarding.days import named_day
from bot.onboarding.people import Actor
from bot.onboarding.reminders import (
    hear,
    held_until,
    put_off,
    remind,
    reminders_of_stall,
    snooze,
)

TWO_WEEKS = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Pace:
    """How much business time passes before each follow-up, before an alert, and in a snooze."""

    follow_ups: Sequence[timedelta]
    snooze: timedelta
    escalation: timedelta

    @property
    def interval(self) -> timedelta:
        """The minimum time between a reminder and the next follow-up."""
        return min([BUSINESS_DAY, *self.follow_ups[:1]])


@dataclass(frozen=True, slots=True)
class Silence:
    """What has happened since the last activity.

    `sent` is how many follow-ups were sent, `reminded_at` when the last reminder of any kind was.
    `snoozed_until`, `held_until` and `again_at` are set if it was snoozed, the client named a day,
    or engineering chose when to ask again. `alone`: nobody is there to be reminded.
    """

    since: datetime
    sent: int = 0
    reminded_at: datetime | None = None
    snoozed_until: datetime | None = None
    held_until: datetime | None = None
    again_at: datetime | None = None
    escalated: bool = False
    asked: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """What is due now for one onboarding, and when to look again; None: never.

    `follow_up` is its number, from 1.
    """

    follow_up: int | None
    escalation: bool
    question: bool
    look_again: datetime | None

    def __bool__(self) -> bool:
        return self.follow_up is not None or self.escalation or self.question


def plan(silence: Silence, pace: Pace, calendar: Calendar, now: datetime) -> Due:
    """Return what is due in a silence. If the clock was set back, what isn't due anymore waits."""
    times = follow_up_times(silence, pace, calendar)
    remind_at = None if silence.alone else _next_reminder(silence, pace, calendar, times)
    ask_at = _next_question(silence, pace, calendar, times, remind_at)
    known = silence.escalated or silence.asked
    patience = min(BUSINESS_DAY, pace.escalation) if silence.alone else pace.escalation
    escalate_at = None if known else quiet_until(silence.since, patience, calendar)
    opening = calendar.open_from(now)

    def due(at: datetime | None) -> bool:
        return at is not None and at <= now == opening

    number = max(silence.sent, sum(at <= now for at in times), min(1, len(times)))
    question = due(ask_at)
    left = [at for at in (remind_at, ask_at, escalate_at) if at and not due(at)]
    return Due(
        follow_up=number if due(remind_at) else None,
        escalation=due(escalate_at) and not question,
        question=question,
        look_again=max(opening, min(left)) if left else None,
    )


def follow_up_times(silence: Silence, pace: Pace, calendar: Calendar) -> Sequence[datetime]:
    """Return when each follow-up in a stall is due; a named day puts all of them off."""
    times = [quiet_until(silence.since, wait, calendar) for wait in pace.follow_ups]
    if not times or not silence.held_until or silence.held_until <= times[0]:
        return times
    first, held = pace.follow_ups[0], calendar.open_from(silence.held_until)
    return [quiet_until(held, wait - first, calendar) for wait in pace.follow_ups]


def by_hand(silence: Silence, pace: Pace, calendar: Calendar, now: datetime) -> int:
    """Return the number that a manual reminder has as a follow-up: it replaces one that is near."""
    near = calendar.after(now, pace.interval)
    return max(silence.sent, sum(at <= near for at in follow_up_times(silence, pace, calendar)))


def quiet_until(since: datetime, wait: timedelta, calendar: Calendar) -> datetime:
    """Return when `wait` of business time has passed since then."""
    return calendar.open_from(calendar.after(since, wait))


def _next_reminder(
    silence: Silence, pace: Pace, calendar: Calendar, times: Sequence[datetime]
) -> datetime | None:
    if silence.snoozed_until:
        return silence.snoozed_until
    at = times[silence.sent] if silence.sent < len(times) else silence.again_at
    if at is None or silence.reminded_at is None:
        return at
    return max(at, quiet_until(silence.reminded_at, pace.interval, calendar))


def _next_question(
    silence: Silence,
    pace: Pace,
    calendar: Calendar,
    times: Sequence[datetime],
    remind_at: datetime | None,
) -> datetime | None:
    """Return when engineering is asked: with the last follow-up, not before they are alerted."""
    if not times or (silence.asked and not silence.again_at):
        return None
    if silence.again_at:
        return max(silence.again_at, remind_at or silence.again_at)
    at = max(times[-1], quiet_until(silence.since, pace.escalation, calendar))
    if silence.sent < len(times) and remind_at and remind_at > at:
        return remind_at
    return at


class FollowUpCalendar:
    def __init__(self, pace: Pace, timezone: str) -> None:
        """`timezone` applies to clients whose own is not known."""
        self._pace, self._timezone = pace, timezone

    def due(self, onboarding: Onboarding, now: datetime) -> Due:
        return plan(self._silence(onboarding), self._pace, self._of(onboarding), now)

    def is_last(self, follow_up: int) -> bool:
        """Whether this is the last automatic follow-up."""
        return follow_up >= len(self._pace.follow_ups) > 0

    # --- transitions that need the calendar ---

    def remind_by_hand(self, onboarding: Onboarding, actor: Actor, now: datetime) -> Change:
        """Remind the side that has to act; counts as the next follow-up if that is near."""
        calendar = self._of(onboarding)
        number = by_hand(self._silence(onboarding), self._pace, calendar, now)
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
