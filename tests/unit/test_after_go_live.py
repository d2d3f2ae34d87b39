"""When live clients are checked again: weekly, in business hours, spread over the week."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.onboarding import Onboarding, Status
from bot.onboarding.after_go_live import SHORTEST_GAP, WEEK, next_check
from bot.onboarding.business_time import calendar_of
from bot.verification.rechecks import clients_at_a_time, lasts
from tests.builders import an_onboarding

CALENDAR = calendar_of(None, "America/New_York")
ACME = an_onboarding()
LIVE_SINCE = datetime(2026, 9, 15, 15, tzinfo=UTC)  # a Tuesday, in a fall without holidays


def live(number: int) -> Onboarding:
    return replace(
        ACME, id=f"{number:016x}", status=Status.COMPLETED, finished_at=LIVE_SINCE, verifications=()
    )


def test_every_client_is_checked_within_a_week_in_business_hours() -> None:
    for number in range(100):
        at = next_check(live(number), CALENDAR)
        assert LIVE_SINCE + SHORTEST_GAP <= at <= LIVE_SINCE + WEEK
        assert CALENDAR.is_open(at)


def test_clients_who_went_live_together_are_spread_over_the_week() -> None:
    days = Counter(next_check(live(number), CALENDAR).date() for number in range(200))
    assert len(days) == 5
    assert max(days.values()) < 80


def test_a_round_takes_ten_minutes_at_most() -> None:
    assert (clients_at_a_time(40), lasts(40)) == (1, timedelta(seconds=200))
    assert clients_at_a_time(1000) == 9
    assert lasts(1000) <= timedelta(minutes=10)
