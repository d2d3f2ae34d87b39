"""Who is due a nudge, and when. Pure: it decides; others post.

A stall begins with the last activity, or with the snooze after it. In each stall the client is
nudged once, and the engineers are told once, each after its own business time without progress.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.business_time import Calendar


@dataclass(frozen=True, slots=True)
class Due:
    """What is due now for one onboarding, and when to look again: never, if nothing is left."""

    nudge: bool
    escalation: bool
    look_again: datetime | None


def plan(
    *,
    since: datetime,
    reminded_at: datetime | None,
    escalated_at: datetime | None,
    now: datetime,
    remind_after: timedelta,
    escalate_after: timedelta,
    calendar: Calendar,
) -> Due:
    """Return what is due for an onboarding without progress since `since`.

    A nudge and an escalation from before `since` belong to an earlier stall, and do not count.
    Both may be due at once, after the bot was down for long. Where the clock went back, what is
    not due any more waits for its moment.
    """
    nudge_at = None if _given(reminded_at, since) else calendar.after(since, remind_after)
    escalate_at = None if _given(escalated_at, since) else calendar.after(since, escalate_after)
    return Due(
        nudge=nudge_at is not None and nudge_at <= now,
        escalation=escalate_at is not None and escalate_at <= now,
        look_again=min((at for at in (nudge_at, escalate_at) if at and at > now), default=None),
    )


def _given(at: datetime | None, since: datetime) -> bool:
    return at is not None and at >= since
