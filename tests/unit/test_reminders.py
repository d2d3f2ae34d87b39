"""The plan for one stalled onboarding, as a table: what is due, and when to look again."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.business_time import calendar_of
from bot.reminders import Due, plan

NEW_YORK = "America/New_York"


def at(local: str) -> datetime:
    """A moment in the week of Monday 16 November 2026, in New York: `Tue 10:00`."""
    day, clock = local.split()
    number = 16 + ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].index(day)
    return datetime.fromisoformat(f"2026-11-{number} {clock}").replace(tzinfo=ZoneInfo(NEW_YORK))


# No progress since Monday at 10; a nudge after 8 hours, Tuesday at 10; engineering after 24,
# Thursday at 10.
NUDGE, ESCALATION, BOTH, NOTHING = (True, False), (False, True), (True, True), (False, False)
TABLE = [
    # the case, nudged, escalated, now, what is due, when to look again
    ("all is fresh", None, None, "Mon 10:00", NOTHING, "Tue 10:00"),
    ("not yet", None, None, "Tue 09:59", NOTHING, "Tue 10:00"),
    ("at the moment", None, None, "Tue 10:00", NUDGE, "Thu 10:00"),
    ("at night", None, None, "Tue 23:00", NUDGE, "Thu 10:00"),
    ("nudged", "Tue 10:00", None, "Tue 10:00", NOTHING, "Thu 10:00"),
    ("nudged, nearly time", "Tue 10:00", None, "Thu 09:59", NOTHING, "Thu 10:00"),
    ("nudged, time", "Tue 10:00", None, "Thu 10:00", ESCALATION, None),
    ("down for days", None, None, "Sun 10:00", BOTH, None),
    ("down, but escalated", None, "Thu 10:00", "Sun 10:00", NUDGE, None),
    ("both given", "Tue 10:00", "Thu 10:00", "Sun 10:00", NOTHING, None),
    ("nudged when it stalled", "Mon 10:00", None, "Tue 10:00", NOTHING, "Thu 10:00"),
    ("the clock jumped back", None, None, "Mon 03:00", NOTHING, "Tue 10:00"),
    ("it jumped back, nudged", "Tue 10:00", None, "Mon 03:00", NOTHING, "Thu 10:00"),
    ("it jumped back, both given", "Tue 10:00", "Thu 10:00", "Mon 03:00", NOTHING, None),
]


def planned(
    now: str,
    *,
    since: str = "Mon 10:00",
    reminded: str | None = None,
    escalated: str | None = None,
    remind_after: int = 8,
    escalate_after: int = 24,
) -> Due:
    return plan(
        since=at(since),
        reminded_at=at(reminded) if reminded else None,
        escalated_at=at(escalated) if escalated else None,
        now=at(now),
        remind_after=timedelta(hours=remind_after),
        escalate_after=timedelta(hours=escalate_after),
        calendar=calendar_of(NEW_YORK, "UTC"),
    )


@pytest.mark.parametrize(
    ("reminded", "escalated", "now", "due", "look_again"),
    [pytest.param(*row, id=f"{case}, {row[2]} -> look again {row[-1]}") for case, *row in TABLE],
)
def test_a_stall_leads_to_one_nudge_and_one_escalation(
    reminded: str | None,
    escalated: str | None,
    now: str,
    due: tuple[bool, bool],
    look_again: str | None,
) -> None:
    seen = planned(now, reminded=reminded, escalated=escalated)

    assert seen == Due(*due, look_again=at(look_again) if look_again else None)


def test_what_was_given_in_an_earlier_stall_does_not_count() -> None:
    seen = planned("Thu 10:00", since="Wed 10:00", reminded="Tue 10:00", escalated="Wed 09:59")

    assert seen == Due(nudge=True, escalation=False, look_again=at("Mon 10:00") + timedelta(days=7))


def test_engineering_may_be_told_before_the_client_is_nudged() -> None:
    first = planned("Mon 12:00", escalate_after=2)
    then = planned("Mon 12:00", escalated="Mon 12:00", escalate_after=2)

    assert first == Due(nudge=False, escalation=True, look_again=at("Tue 10:00"))
    assert then == Due(nudge=False, escalation=False, look_again=at("Tue 10:00"))


def test_the_time_to_look_again_is_in_utc() -> None:
    seen = planned("Mon 10:00").look_again

    assert seen
    assert seen.tzinfo is UTC
