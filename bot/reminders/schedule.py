"""When a reminder or an escalation is due. Pure.

A stall begins with the last activity. In each stall there is one reminder in the thread, one more
after each snooze, and one escalation to the engineers. All are held back until the client's working
hours.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.onboarding.business_time import Calendar


@dataclass(frozen=True, slots=True)
class Due:
    """What is due now for one onboarding, and when to look again; None: never."""

    reminder: bool
    escalation: bool
    look_again: datetime | None


def plan(
    *,
    active_at: datetime,
    snoozed_at: datetime | None,
    reminded: bool,
    escalated: bool,
    now: datetime,
    remind_after: timedelta,
    escalate_after: timedelta,
    calendar: Calendar,
) -> Due:
    """Return what is due for an onboarding without activity since `active_at`.

    `snoozed_at`, `reminded` and `escalated` are about this stall alone. After a long downtime, both
    may be due at once. If the clock was set back, what is no longer due waits for its time.
    """
    since = max(active_at, snoozed_at or active_at)
    remind_at = None if reminded else quiet_until(since, remind_after, calendar)
    escalate_at = None if escalated else quiet_until(active_at, escalate_after, calendar)
    opening = calendar.open_from(now)
    reminder = remind_at is not None and remind_at <= now == opening
    escalation = escalate_at is not None and escalate_at <= now == opening
    left = [at for at, due in ((remind_at, reminder), (escalate_at, escalation)) if at and not due]
    look_again = max(opening, min(left)) if left else None
    return Due(reminder, escalation, look_again)


def quiet_until(since: datetime, wait: timedelta, calendar: Calendar) -> datetime:
    """Return when `wait` of business time has passed since then."""
    return calendar.open_from(calendar.after(since, wait))
