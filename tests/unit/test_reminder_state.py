"""Reminders, snoozes, and escalations in the state: each only once until there is progress."""

from datetime import datetime, timedelta

import pytest

from bot.core.errors import Refused
from bot.guide import Owner
from bot.onboarding import BOT, EventKind, Onboarding, lifecycle
from bot.onboarding.credentials import enter_credentials
from bot.onboarding.questions import ask_for_help, mark_answered
from bot.onboarding.reminders import escalate, remind, snooze
from bot.onboarding.steps import finish_step, hand_over_steps
from bot.onboarding.verification_report import Outcome
from bot.views.reply_texts import refusal_text
from tests.builders import (
    ALL_FIELDS,
    CLIENT_ADMIN,
    MINUTE,
    NOW,
    OTHER_ADMIN,
    a_client_admin,
    a_report,
    an_engineer,
    an_onboarding,
    kinds,
)

ANN, BEN, ERIN = a_client_admin(), a_client_admin(OTHER_ADMIN), an_engineer()
HOUR = timedelta(hours=1)
DAY = 24 * HOUR
LATER = NOW + DAY
UNTIL = LATER + DAY
EARLIER = NOW - 365 * DAY


def reminded(onboarding: Onboarding | None = None, at: datetime = LATER) -> Onboarding:
    """An onboarding with an open reminder."""
    return remind(onboarding or an_onboarding(at_step=4), BOT, at).onboarding


def snoozed() -> Onboarding:
    return snooze(reminded(), ANN, LATER, UNTIL).onboarding


def done(onboarding: Onboarding, at: datetime = LATER + MINUTE) -> Onboarding:
    """The onboarding after its current step was done."""
    assert onboarding.current
    return finish_step(onboarding, onboarding.current.number, ANN, at).onboarding


def with_question(step: int = 4) -> Onboarding:
    """An onboarding with an open question, at step 4 by default."""
    asked = ask_for_help(an_onboarding(at_step=step), step, "How?", ANN, NOW + 10 * MINUTE)
    return asked.onboarding


# --- a reminder ---


def test_a_reminder_is_recorded_with_its_step_and_whose_turn_it_is() -> None:
    onboarding = an_onboarding(at_step=4)

    change = remind(onboarding, BOT, LATER)

    (event,) = change.events
    since = onboarding.active_at.isoformat()
    assert (event.kind, event.actor, event.step) == (EventKind.REMINDED, BOT, 4)
    assert event.detail == {"to": "client", "since": since, "follow_up": 1}
    assert change.onboarding.reminder == change.onboarding.reminders[0]


def test_a_manual_reminder_that_replaces_no_follow_up_is_recorded_as_such() -> None:
    change = remind(an_onboarding(at_step=4), an_engineer(), LATER, 0)

    assert change.events[0].detail["follow_up"] == 0
    assert change.onboarding.reminders[0].follow_up == 0


def test_a_reminder_does_not_count_as_progress() -> None:
    assert reminded().active_at == an_onboarding(at_step=4).active_at


@pytest.mark.parametrize(
    "at", [LATER, LATER + 30 * DAY, EARLIER], ids=["soon", "much later", "clock set back"]
)
def test_a_second_automatic_reminder_is_refused(at: datetime) -> None:
    with pytest.raises(Refused, match="already"):
        remind(reminded(), BOT, at)


def test_a_reminder_can_be_repeated_manually_after_an_hour() -> None:
    with pytest.raises(Refused, match="already"):
        remind(reminded(), ERIN, LATER + HOUR - MINUTE)

    assert remind(reminded(), ERIN, LATER + HOUR).onboarding.reminders[-1].number == 2


def test_progress_settles_a_reminder() -> None:
    assert done(reminded()).reminder is None


def test_progress_settles_a_reminder_even_if_the_clock_was_set_back() -> None:
    after = done(reminded(), at=EARLIER)

    assert after.reminder is None
    assert after.active_at == EARLIER
    assert remind(after, BOT, EARLIER + DAY).onboarding.reminder


@pytest.mark.parametrize(
    "onboarding",
    [
        lifecycle.pause(an_onboarding(at_step=4), ERIN, NOW + 10 * MINUTE).onboarding,
        lifecycle.cancel(
            an_onboarding(at_step=4), ERIN, "They left.", NOW + 10 * MINUTE
        ).onboarding,
    ],
    ids=["paused", "cancelled"],
)
def test_paused_and_cancelled_onboardings_refuse_reminders(onboarding: Onboarding) -> None:
    with pytest.raises(Refused):
        remind(onboarding, BOT, LATER)
    with pytest.raises(Refused):
        escalate(onboarding, LATER)
    with pytest.raises(Refused):
        snooze(onboarding, ANN, LATER)


# --- who it is for ---


@pytest.mark.parametrize(
    ("onboarding", "to"),
    [
        (an_onboarding(at_step=4), Owner.CLIENT),
        (an_onboarding(at_step=23), Owner.HEAVYSET),
        (hand_over_steps(an_onboarding(at_step=4), 4, ANN, NOW).onboarding, Owner.HEAVYSET),
        (with_question(), Owner.HEAVYSET),
        (done(with_question()), Owner.CLIENT),
        (mark_answered(with_question(), [1], ERIN, NOW + HOUR).onboarding, Owner.CLIENT),
        (
            an_onboarding(at_step=23, report=a_report(Outcome.FAILED, ("client_secret",))),
            Owner.CLIENT,
        ),
    ],
    ids=[
        "the client's step",
        "HeavySet's step",
        "a handed-over step",
        "an open question about the current step",
        "an open question about an earlier step",
        "an answered question",
        "a rejected value",
    ],
)
def test_a_reminder_is_addressed_to_whoever_has_to_act(onboarding: Onboarding, to: Owner) -> None:
    reminded, escalated = remind(onboarding, BOT, LATER), escalate(onboarding, LATER)

    assert reminded.onboarding.reminders[-1].to is to
    assert escalated.events[0].detail["turn"] == to.value


def test_client_people_are_the_named_admins() -> None:
    assert an_onboarding(at_step=4).client_people == (CLIENT_ADMIN,)


def test_without_named_admins_client_people_are_the_latest_to_act() -> None:
    onboarding = an_onboarding(at_step=4, client_admins=())
    by_ben = finish_step(onboarding, 4, BEN, LATER).onboarding
    by_erin = finish_step(by_ben, 5, ERIN, LATER + MINUTE).onboarding
    entered = enter_credentials(
        by_erin, 6, {ALL_FIELDS[0]: "••••1234"}, a_client_admin("U0CYD"), LATER + 2 * MINUTE
    )

    assert entered.onboarding.client_people == ("U0CYD", OTHER_ADMIN, CLIENT_ADMIN)


def test_client_people_are_empty_at_first_without_named_admins() -> None:
    assert an_onboarding(client_admins=()).client_people == ()


# --- a snooze ---


def test_a_snooze_clears_the_reminder_and_records_when_it_ends() -> None:
    change = snooze(reminded(), ANN, LATER, UNTIL)

    (event,) = change.events
    assert (event.kind, event.actor) == (EventKind.SNOOZED, ANN)
    assert event.detail == {"until": UNTIL.isoformat()}
    assert change.onboarding.reminder is None
    assert change.onboarding.snoozed
    assert change.onboarding.snoozed.at == LATER


def test_a_second_snooze_is_refused_naming_who_snoozed_first() -> None:
    with pytest.raises(Refused) as refused:
        snooze(snoozed(), BEN, LATER + MINUTE, UNTIL)

    text = refusal_text(refused.value)
    assert text.startswith(f"<@{CLIENT_ADMIN}> already snoozed it until <!date^")


@pytest.mark.parametrize(
    "onboarding", [an_onboarding(at_step=4), done(reminded()), done(snoozed())]
)
def test_without_a_reminder_there_is_nothing_to_snooze(onboarding: Onboarding) -> None:
    with pytest.raises(Refused, match="Nothing to snooze"):
        snooze(onboarding, ANN, LATER, UNTIL)


def test_a_new_reminder_can_be_sent_after_a_snooze() -> None:
    again = remind(snoozed(), BOT, UNTIL).onboarding

    assert again.reminder == again.reminders[1]
    assert again.reminders[0].snooze


def test_progress_ends_a_snooze() -> None:
    assert done(snoozed(), at=EARLIER).snoozed is None


# --- engineering ---


def test_engineering_is_alerted_only_once_per_stall() -> None:
    escalated_once = escalate(reminded(), LATER).onboarding

    for at in (LATER, LATER + 30 * DAY, EARLIER):
        with pytest.raises(Refused, match="told already"):
            escalate(escalated_once, at)


def test_a_snooze_does_not_alert_engineering_again() -> None:
    escalated_once = escalate(snoozed(), LATER + MINUTE).onboarding
    again = snooze(
        remind(escalated_once, BOT, UNTIL).onboarding, ANN, UNTIL, UNTIL + DAY
    ).onboarding

    with pytest.raises(Refused, match="told already"):
        escalate(again, UNTIL + DAY)


@pytest.mark.parametrize("at", [LATER + MINUTE, EARLIER], ids=["later", "the clock was set back"])
def test_engineering_can_be_alerted_again_after_progress(at: datetime) -> None:
    again = done(escalate(an_onboarding(at_step=4), LATER).onboarding, at)

    assert not again.is_escalated
    assert kinds(escalate(again, at + DAY)) == [EventKind.ESCALATED]
