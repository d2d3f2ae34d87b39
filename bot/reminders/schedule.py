"""Who is due a nudge, and when. Pure: it decides; others post.

A stall begins with the last activity. In each stall the thread is nudged once, and once more after
each snooze; the engineers are told once. Both are held back until the client's working hours.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.onboarding.business_time import Calendar


@dataclass(frozen=True, slots=True)
class Due:
    """What is due now for one onboarding, and when to look again: never, if nothing is left."""

    nudge: bool
    escalation: bool
    look_again: datetime | None


def plan(
    *,
    active_at: datetime,
    snoozed_at: datetime | None,
    nudged: bool,
    escalated: bool,
    now: datetime,
    remind_after: timedelta,
    escalate_after: timedelta,
    calendar: Calendar,
) -> Due:
    """Return what is due for an onboarding without progress since `active_at`.

    `snoozed_at`, `nudged` and `escalated` are about this stall alone. Both may be due at once,
    after the bot was down for long. Where the clock went back, what is not due any more waits for
    its moment.
    """
    since = max(active_at, snoozed_at or active_at)
    nudge_at = None if nudged else quiet_until(since, remind_after, calendar)
    escalate_at = None if escalated else quiet_until(active_at, escalate_after, calendar)
    opening = calendar.open_from(now)
    nudge = nudge_at is not None and nudge_at <= now == opening
    escalation = escalate_at is not None and escalate_at <= now == opening
    left = [at for at, due in ((nudge_at, nudge), (escalate_at, escalation)) if at and not due]
    look_again = max(opening, min(left)) if left else None
    return Due(nudge, escalation, look_again)


def quiet_until(since: datetime, patience: timedelta, calendar: Calendar) -> datetime:
    """Return when nothing has happened for as long as `patience`, in business time."""
    return calendar.open_from(calendar.after(since, patience))
