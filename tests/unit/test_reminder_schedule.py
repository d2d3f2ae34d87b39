"""The plan for one stalled onboarding, as a table: what is due, and when to look again."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.onboarding.business_time import calendar_of
from bot.reminders.schedule import Due, plan, quiet_until

NEW_YORK = "America/New_York"


def at(local: str) -> datetime:
    """A moment in the week of Monday 16 November 2026, in New York: `Tue 10:00`."""
    day, clock = local.split()
    number = 16 + ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Mon!"].index(day)
    return datetime.fromisoformat(f"2026-11-{number} {clock}").replace(tzinfo=ZoneInfo(NEW_YORK))


# No progress since Monday at 10; a reminder after 8 hours, Tuesday at 10; engineering after 24,
# Thursday at 10. `Mon!` is the Monday after.
REMINDER, ESCALATION, BOTH, NOTHING = (True, False), (False, True), (True, True), (False, False)
TABLE = [
    # the case, snoozed, reminded, escalated, now, what is due, when to look again
    ("all is fresh", None, False, False, "Mon 10:00", NOTHING, "Tue 10:00"),
    ("not yet", None, False, False, "Tue 09:59", NOTHING, "Tue 10:00"),
    ("at the moment", None, False, False, "Tue 10:00", REMINDER, "Thu 10:00"),
    ("just before closing time", None, False, False, "Tue 16:59", REMINDER, "Thu 10:00"),
    ("at closing time", None, False, False, "Tue 17:00", NOTHING, "Wed 09:00"),
    ("at night", None, False, False, "Tue 23:00", NOTHING, "Wed 09:00"),
    ("the morning after", None, False, False, "Wed 09:00", REMINDER, "Thu 10:00"),
    ("reminded", None, True, False, "Tue 10:00", NOTHING, "Thu 10:00"),
    ("reminded, nearly time", None, True, False, "Thu 09:59", NOTHING, "Thu 10:00"),
    ("reminded, time", None, True, False, "Thu 10:00", ESCALATION, None),
    ("reminded, at night", None, True, False, "Thu 20:00", NOTHING, "Fri 09:00"),
    ("down for days, back at the weekend", None, False, False, "Sun 10:00", NOTHING, "Mon! 09:00"),
    ("down for days", None, False, False, "Mon! 09:00", BOTH, None),
    ("down, but escalated", None, False, True, "Mon! 09:00", REMINDER, None),
    ("both given", None, True, True, "Mon! 09:00", NOTHING, None),
    ("snoozed", "Tue 11:00", False, False, "Tue 11:00", NOTHING, "Wed 11:00"),
    ("the snooze is over", "Tue 11:00", False, False, "Wed 11:00", REMINDER, "Thu 10:00"),
    ("a snooze is no progress", "Wed 16:00", False, False, "Thu 10:00", ESCALATION, "Thu 16:00"),
    ("snoozed until the weekend", "Thu 17:00", False, True, "Fri 17:00", NOTHING, "Mon! 09:00"),
    ("the clock jumped back", None, False, False, "Mon 03:00", NOTHING, "Tue 10:00"),
    ("it jumped back, reminded", None, True, False, "Mon 03:00", NOTHING, "Thu 10:00"),
    ("it jumped back, both given", None, True, True, "Mon 03:00", NOTHING, None),
]


def planned(
    now: str,
    *,
    snoozed: str | None = None,
    reminded: bool = False,
    escalated: bool = False,
    escalate_after: int = 24,
) -> Due:
    return plan(
        active_at=at("Mon 10:00"),
        snoozed_at=at(snoozed) if snoozed else None,
        reminded=reminded,
        escalated=escalated,
        now=at(now),
        remind_after=timedelta(hours=8),
        escalate_after=timedelta(hours=escalate_after),
        calendar=calendar_of(NEW_YORK, "UTC"),
    )


@pytest.mark.parametrize(
    ("snoozed", "reminded", "escalated", "now", "due", "look_again"),
    [pytest.param(*row, id=f"{case}, {row[3]} -> look again {row[-1]}") for case, *row in TABLE],
)
def test_a_stall_leads_to_one_reminder_and_one_escalation(
    snoozed: str | None,
    reminded: bool,
    escalated: bool,
    now: str,
    due: tuple[bool, bool],
    look_again: str | None,
) -> None:
    seen = planned(now, snoozed=snoozed, reminded=reminded, escalated=escalated)

    assert seen == Due(*due, look_again=at(look_again) if look_again else None)


def test_engineering_may_be_told_before_the_client_is_reminded() -> None:
    first = planned("Mon 12:00", escalate_after=2)
    then = planned("Mon 12:00", escalated=True, escalate_after=2)

    assert first == Due(reminder=False, escalation=True, look_again=at("Tue 10:00"))
    assert then == Due(reminder=False, escalation=False, look_again=at("Tue 10:00"))


def test_the_time_to_look_again_is_in_utc() -> None:
    seen = planned("Mon 10:00").look_again

    assert seen
    assert seen.tzinfo is UTC


@pytest.mark.parametrize(
    ("since", "until"),
    [("Mon 10:00", "Tue 10:00"), ("Mon 08:00", "Tue 09:00"), ("Fri 20:00", "Mon! 17:00")],
)
def test_quiet_ends_in_working_hours(since: str, until: str) -> None:
    hours = timedelta(hours=8)

    seen = quiet_until(at(since), hours, calendar_of(NEW_YORK, "UTC"))

    assert seen == (at(until) if until != "Mon! 17:00" else at("Mon! 09:00") + timedelta(days=1))


LONDON = "Europe/London"
# No progress since then: when the client is reminded, and when engineering is told.
STRETCHES = [
    ("working days", NEW_YORK, "2026-11-16 10:00", "2026-11-17 10:00", "2026-11-19 10:00"),
    ("over a weekend", NEW_YORK, "2026-11-20 10:00", "2026-11-23 10:00", "2026-11-25 10:00"),
    ("begun on a Sunday", NEW_YORK, "2026-11-15 12:00", "2026-11-17 09:00", "2026-11-19 09:00"),
    ("over Thanksgiving", NEW_YORK, "2026-11-25 16:00", "2026-11-27 16:00", "2026-12-01 16:00"),
    ("over Christmas", LONDON, "2026-12-24 16:00", "2026-12-29 16:00", "2026-12-31 16:00"),
    ("DST begins", NEW_YORK, "2026-03-06 10:00", "2026-03-09 10:00", "2026-03-11 10:00"),
    ("DST ends", NEW_YORK, "2026-10-30 10:00", "2026-11-02 10:00", "2026-11-04 10:00"),
    ("a leap day", NEW_YORK, "2028-02-28 10:00", "2028-02-29 10:00", "2028-03-02 10:00"),
    ("no leap day", NEW_YORK, "2027-02-26 10:00", "2027-03-01 10:00", "2027-03-03 10:00"),
    ("due at closing time", NEW_YORK, "2026-11-16 06:00", "2026-11-17 09:00", "2026-11-19 09:00"),
]


@pytest.mark.parametrize(
    ("zone", "start", "reminded", "escalated"),
    [pytest.param(*row, id=case) for case, *row in STRETCHES],
)
def test_hours_pass_as_people_count_them(
    zone: str, start: str, reminded: str, escalated: str
) -> None:
    local = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone))
    told: dict[str, str] = {}
    for minutes in range(0, 9 * 24 * 60, 30):
        now = local.astimezone(UTC) + timedelta(minutes=minutes)
        seen = plan(
            active_at=local,
            snoozed_at=None,
            reminded="reminder" in told,
            escalated="escalation" in told,
            now=now,
            remind_after=timedelta(hours=8),
            escalate_after=timedelta(hours=24),
            calendar=calendar_of(zone, "UTC"),
        )
        for kind in ("reminder", "escalation"):
            if getattr(seen, kind):
                told[kind] = f"{now.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"

    assert told == {"reminder": reminded, "escalation": escalated}
