"""The plan for one stalled onboarding, as tables: what is due when, and when to look again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.onboarding.business_time import calendar_of
from bot.reminders.schedule import Due, Pace, Silence, by_hand, plan, quiet_until

NEW_YORK, LONDON = "America/New_York", "Europe/London"
HOUR = timedelta(hours=1)
DAY = 8 * HOUR  # of business
DEFAULT = Pace([DAY, 3 * DAY, 7 * DAY, 14 * DAY], snooze=DAY, escalation=3 * DAY)
NO_FOLLOW_UPS = replace(DEFAULT, follow_ups=())


def at(local: str) -> datetime:
    """A moment in the week of Monday 16 November 2026, in New York: `Tue 10:00`."""
    day, clock = local.split()
    number = 16 + ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Mon!"].index(day)
    return datetime.fromisoformat(f"2026-11-{number} {clock}").replace(tzinfo=ZoneInfo(NEW_YORK))


# No progress since Monday at 10. A business day later is Tuesday at 10, three are Thursday at 10,
# when engineering is alerted too. `Mon!` is the following Monday.
FRESH = Silence(at("Mon 10:00"))
SENT = replace(FRESH, sent=1, reminded_at=at("Tue 10:00"))
SNOOZED = replace(SENT, snoozed_until=at("Wed 11:00"))
ESCALATED = replace(SENT, escalated=True)
LATER = None  # later than this table covers
TABLE = [
    # case, what happened, now, which follow-up, whether engineering is alerted, the next check
    ("no time has passed", FRESH, "Mon 10:00", None, False, "Tue 10:00"),
    ("just before it's due", FRESH, "Tue 09:59", None, False, "Tue 10:00"),
    ("exactly when it's due", FRESH, "Tue 10:00", 1, False, "Thu 10:00"),
    ("just before closing time", FRESH, "Tue 16:59", 1, False, "Thu 10:00"),
    ("at closing time", FRESH, "Tue 17:00", None, False, "Wed 09:00"),
    ("at night", FRESH, "Tue 23:00", None, False, "Wed 09:00"),
    ("the morning after", FRESH, "Wed 09:00", 1, False, "Thu 10:00"),
    ("reminded", SENT, "Tue 10:00", None, False, "Thu 10:00"),
    ("reminded, just before the next is due", SENT, "Thu 09:59", None, False, "Thu 10:00"),
    ("reminded, the next is due", SENT, "Thu 10:00", 2, True, LATER),
    ("reminded, at night", SENT, "Thu 20:00", None, False, "Fri 09:00"),
    ("the bot was down until the weekend", FRESH, "Sun 10:00", None, False, "Mon! 09:00"),
    ("the bot was down: only the latest reminder", FRESH, "Mon! 09:00", 2, True, LATER),
    ("the bot was down, engineering already alerted", ESCALATED, "Mon! 09:00", 2, False, LATER),
    ("snoozed", SNOOZED, "Tue 11:00", None, False, "Wed 11:00"),
    ("the snooze is over", SNOOZED, "Wed 11:00", 1, False, "Thu 10:00"),
    ("the clock jumped back", FRESH, "Mon 03:00", None, False, "Tue 10:00"),
    ("the clock jumped back after a reminder", SENT, "Mon 03:00", None, False, "Thu 10:00"),
    (
        "a snooze doesn't delay the alert to engineering",
        replace(SNOOZED, snoozed_until=at("Fri 16:00")),
        *("Thu 10:00", None, True, "Fri 16:00"),
    ),
    (
        "snoozed until the weekend",
        replace(ESCALATED, snoozed_until=at("Mon! 09:00")),
        *("Fri 17:00", None, False, "Mon! 09:00"),
    ),
    (
        "reminded late, so the next is a day later",
        replace(ESCALATED, reminded_at=at("Thu 09:00")),
        *("Thu 16:59", None, False, "Fri 09:00"),
    ),
    (
        "nobody has joined: only engineering is alerted, after a day",
        replace(FRESH, alone=True),
        *("Tue 10:00", None, True, LATER),
    ),
]


@pytest.mark.parametrize(
    ("silence", "now", "number", "alerted", "look_again"),
    [pytest.param(*row, id=f"{case}, {row[1]} -> look again {row[-1]}") for case, *row in TABLE],
)
def test_the_plan_says_what_is_due_and_when_to_look_again(
    silence: Silence, now: str, number: int | None, alerted: bool, look_again: str | None
) -> None:
    due = plan(silence, DEFAULT, calendar_of(NEW_YORK, "UTC"), at(now))

    assert (due.follow_up, due.escalation, due.question) == (number, alerted, False)
    assert due.look_again
    if look_again:
        assert due.look_again == at(look_again)
    else:
        assert due.look_again > at("Mon! 17:00")


def test_engineering_can_be_alerted_before_the_client_is_reminded() -> None:
    pace, calendar = replace(DEFAULT, escalation=2 * HOUR), calendar_of(NEW_YORK, "UTC")

    first = plan(FRESH, pace, calendar, at("Mon 12:00"))
    then = plan(replace(FRESH, escalated=True), pace, calendar, at("Mon 12:00"))

    assert first == Due(None, escalation=True, question=False, look_again=at("Tue 10:00"))
    assert then == Due(None, escalation=False, question=False, look_again=at("Tue 10:00"))


@pytest.mark.parametrize(
    ("since", "until"),
    [("Mon 10:00", "Tue 10:00"), ("Mon 08:00", "Tue 09:00"), ("Fri 20:00", "Mon! 17:00")],
)
def test_a_quiet_period_ends_during_business_hours(since: str, until: str) -> None:
    ends_at = quiet_until(at(since), DAY, calendar_of(NEW_YORK, "UTC"))

    assert ends_at == (at(until) if until != "Mon! 17:00" else at("Mon! 09:00") + timedelta(days=1))


# --- entire stalls: everything that is sent automatically, check by check ---


def messages_sent(
    silence: Silence, pace: Pace = DEFAULT, zone: str = NEW_YORK, until: str = "2027-03-01"
) -> list[str]:
    """Everything that is sent if a stall never ends, in local time: `11-17 10:00 1`."""
    calendar, now, seen = calendar_of(zone, "UTC"), silence.since.astimezone(UTC), []
    while now < datetime.fromisoformat(until).replace(tzinfo=UTC):
        due = plan(silence, pace, calendar, now)
        parts = [str(due.follow_up)] if due.follow_up is not None else []
        parts += ["engineering"] if due.escalation else []
        parts += ["what now?"] if due.question else []
        if parts:
            seen.append(f"{now.astimezone(ZoneInfo(zone)):%m-%d %H:%M} {', '.join(parts)}")
        if due.follow_up is not None:
            sent = max(silence.sent, due.follow_up)
            silence = replace(silence, sent=sent, reminded_at=now, snoozed_until=None)
        if due.escalation or due.question:
            silence = replace(silence, escalated=True, asked=silence.asked or due.question)
        if due.question:
            silence = replace(silence, again_at=None)
        if (look_again := plan(silence, pace, calendar, now).look_again) is None:
            return seen
        now = look_again
    return seen


def since(local: str, zone: str = NEW_YORK) -> Silence:
    return Silence(datetime.fromisoformat(f"2026-{local}").replace(tzinfo=ZoneInfo(zone)))


DEFAULT_SCHEDULE = [
    "11-17 10:00 1",
    "11-19 10:00 2, engineering",
    "11-25 10:00 3",
    "12-07 10:00 4, what now?",
]
DAY_NAMED = replace(since("11-16 14:18"), held_until=at("Thu 09:00"))
STALLS: list[tuple[str, list[str], list[str]]] = [
    # the last one is after Thanksgiving
    ("the default schedule", messages_sent(since("11-16 10:00")), DEFAULT_SCHEDULE),
    (
        "snoozed after the first",
        messages_sent(replace(SNOOZED, snoozed_until=at("Wed 12:00"))),
        ["11-18 12:00 1", "11-19 10:00 engineering", "11-19 12:00 2", *DEFAULT_SCHEDULE[2:]],
    ),
    (
        "a named day shifts all reminders",
        messages_sent(DAY_NAMED),
        [
            *("11-19 09:00 1", "11-19 14:18 engineering", "11-23 09:00 2"),
            *("11-30 09:00 3", "12-09 09:00 4, what now?"),
        ],
    ),
    (
        "a named day before the first reminder changes nothing",
        messages_sent(replace(since("11-16 10:00"), held_until=at("Tue 09:00"))),
        DEFAULT_SCHEDULE,
    ),
    (
        "asked again in two weeks",
        messages_sent(
            replace(
                since("11-16 10:00"),
                sent=4,
                reminded_at=at("Mon! 10:00"),
                escalated=True,
                asked=True,
                again_at=datetime(2026, 12, 21, 15, tzinfo=UTC),
            )
        ),
        ["12-21 10:00 4, what now?"],
    ),
    (
        "reminders off",
        messages_sent(since("11-16 10:00"), NO_FOLLOW_UPS),
        ["11-19 10:00 engineering"],
    ),
    (
        "one follow-up: engineering is asked instead of alerted",
        messages_sent(since("11-16 10:00"), replace(DEFAULT, follow_ups=[DAY])),
        ["11-17 10:00 1", "11-19 10:00 what now?"],
    ),
    (
        "nobody has joined",
        messages_sent(replace(since("11-16 10:00"), alone=True)),
        ["11-17 10:00 engineering", "12-07 10:00 what now?"],
    ),
    (
        "over Christmas, in London",
        messages_sent(since("12-24 16:00", LONDON), zone=LONDON)[:2],
        ["12-29 16:00 1", "12-31 16:00 2, engineering"],
    ),
    ("started on a Sunday", messages_sent(since("11-15 12:00"))[:1], ["11-17 09:00 1"]),
    ("over Thanksgiving", messages_sent(since("11-25 16:00"))[:1], ["11-27 16:00 1"]),
    ("DST begins", messages_sent(since("03-06 10:00"), until="2026-03-12")[:1], ["03-09 10:00 1"]),
    ("DST ends", messages_sent(since("10-30 10:00"))[:1], ["11-02 10:00 1"]),
]


@pytest.mark.parametrize(
    ("sent", "expected"), [pytest.param(*row[1:], id=row[0]) for row in STALLS]
)
def test_an_entire_stall_follows_the_schedule(sent: Sequence[str], expected: Sequence[str]) -> None:
    assert sent == expected


@pytest.mark.parametrize(
    ("silence", "now", "number"),
    [
        pytest.param(FRESH, "Mon 10:00", 1, id="in place of the first, a day later"),
        pytest.param(SENT, "Tue 12:00", 1, id="too soon for the second"),
        pytest.param(SENT, "Wed 11:00", 2, id="in place of the second"),
        pytest.param(replace(SENT, sent=2), "Wed 12:00", 2, id="the second, repeated"),
    ],
)
def test_a_manual_reminder_replaces_a_scheduled_one_that_is_due_soon(
    silence: Silence, now: str, number: int
) -> None:
    assert by_hand(silence, DEFAULT, calendar_of(NEW_YORK, "UTC"), at(now)) == number
