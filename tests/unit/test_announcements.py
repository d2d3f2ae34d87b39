"""Announcements in the engineering channel: for which events, in which words, with which links."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.onboarding import (
    BOT,
    Change,
    Event,
    EventKind,
    InvitationAnswer,
    Loss,
    assignment,
    lifecycle,
)
from bot.onboarding.credentials import enter_credentials, reveal_credentials
from bot.onboarding.posted_secrets import record_posted_secret
from bot.onboarding.questions import ask_for_help
from bot.onboarding.reminders import ask_engineering, escalate, remind, snooze
from bot.onboarding.retention import expire_credentials, keep_credentials
from bot.onboarding.steps import finish_step, hand_over_steps
from bot.onboarding.verification_report import Outcome
from bot.onboarding.verifications import finish_verification, request_verification
from bot.verification.findings import PASSED as PASSES
from bot.views.announcement import ANNOUNCED, announcement
from bot.views.blocks import Message
from tests.builders import (
    ALL_FIELDS,
    CHANNEL,
    CLIENT_ADMIN,
    ENGINEER,
    MINUTE,
    NOW,
    PASSED,
    ROOT_TS,
    a_client_admin,
    a_new_onboarding,
    a_report,
    an_engineer,
    an_onboarding,
    finding,
    passed,
)
from tests.unit.rendering import problems

WORKSPACE = "https://heavyset.slack.com/"
LINK = f"<{WORKSPACE}archives/{CHANNEL}/p"


def announce(change: Change, kind: EventKind, **timestamps: str) -> Message:
    """The announcement of the one event of `kind`."""
    (event,) = [event for event in change.events if event.kind is kind]
    return announcement(change.onboarding, 7, event, timestamps=timestamps, workspace_url=WORKSPACE)


def finished(outcome: Outcome) -> Change:
    onboarding = request_verification(an_onboarding(at_step=25), an_engineer(), NOW).onboarding
    run = onboarding.verifications[-1]
    return finish_verification(onboarding, run, a_report(outcome), NOW + 3 * MINUTE)


def asked(question: str) -> Change:
    return ask_for_help(an_onboarding(at_step=7), 7, question, a_client_admin(), NOW)


def handed_over() -> Change:
    onboarding = an_onboarding(at_step=22, credentials=ALL_FIELDS)
    return finish_step(onboarding, 22, a_client_admin(), NOW)


def revealed() -> Change:
    return reveal_credentials(
        an_onboarding(at_step=24), ["tenant_id", "client_secret"], an_engineer(), NOW
    )


def replaced_after_the_hand_over() -> Change:
    onboarding = an_onboarding(at_step=24)
    return enter_credentials(onboarding, 19, {"client_secret": "••••new1"}, a_client_admin(), NOW)


def paused(loss: Loss = Loss.ARCHIVED) -> Change:
    return lifecycle.lose_channel(a_new_onboarding().onboarding, loss, NOW)


def invitation(answer: InvitationAnswer, address: str = "ann@acme.example") -> Change:
    onboarding = a_new_onboarding().onboarding
    return lifecycle.answer_invitation(onboarding, answer, address, a_client_admin(), NOW)


WEEK = timedelta(days=7)
LATER = NOW + timedelta(days=30)
AGES = {"keep": timedelta(days=29), "objection": WEEK}


def unused() -> Change:
    return expire_credentials(an_onboarding(at_step=22, credentials=ALL_FIELDS), LATER, **AGES)


QUIET = ask_engineering(remind(an_onboarding(at_step=4), BOT, NOW, 4, last=True).onboarding, NOW)
CHANGES: dict[EventKind, Change] = {
    EventKind.STARTED: a_new_onboarding(),
    EventKind.HELP_ASKED: asked("Which button?"),
    EventKind.HANDED_OVER: handed_over(),
    EventKind.VERIFICATION_FINISHED: finished(Outcome.FAILED),
    EventKind.CREDENTIALS_REVEALED: revealed(),
    EventKind.COMPLETED: finished(Outcome.PASSED),
    EventKind.PLATFORM_OUTDATED: replaced_after_the_hand_over(),
    EventKind.EXPOSED: record_posted_secret(
        an_onboarding(at_step=22), ["client_secret"], a_client_admin(), NOW
    ),
    EventKind.PAUSED: paused(),
    EventKind.RESUMED: lifecycle.resume(paused().onboarding, an_engineer(), NOW),
    EventKind.CHANNEL_MOVED: lifecycle.move_channel(a_new_onboarding().onboarding, "C0NEW", NOW),
    EventKind.STEPS_HANDED_OVER: hand_over_steps(
        an_onboarding(at_step=4), 4, a_client_admin(), NOW, rest_of_phase=True
    ),
    EventKind.CANCELLED: lifecycle.cancel(
        an_onboarding(at_step=4), an_engineer(), "They <left>.", NOW
    ),
    EventKind.ASSIGNED: assignment.assign(an_onboarding(at_step=4), "U0EVE", an_engineer(), NOW),
    EventKind.ESCALATED: escalate(an_onboarding(at_step=4), NOW),
    EventKind.GONE_QUIET: QUIET,
    EventKind.ACTIVE_AGAIN: finish_step(QUIET.onboarding, 4, a_client_admin(), LATER),
    EventKind.CLIENT_JOINED: lifecycle.client_joins(
        a_new_onboarding().onboarding, a_client_admin(), NOW
    ),
    EventKind.INVITATION_ANSWERED: invitation(InvitationAnswer.DECLINED),
    EventKind.THREAD_DELETED: lifecycle.lose_thread(
        replace(an_onboarding(at_step=4), thread_ts=ROOT_TS), ROOT_TS, NOW
    ),
    EventKind.RETENTION_ASKED: unused(),
    EventKind.CREDENTIALS_KEPT: keep_credentials(
        unused().onboarding, an_engineer(), LATER, timedelta(days=30)
    ),
    EventKind.CREDENTIALS_EXPIRED: expire_credentials(unused().onboarding, LATER + WEEK, **AGES),
}


def test_every_announced_event_is_covered_here() -> None:
    assert set(CHANGES) == set(ANNOUNCED)


@pytest.mark.parametrize("kind", list(CHANGES))
def test_slack_accepts_every_announcement(kind: EventKind) -> None:
    assert problems(announce(CHANGES[kind], kind)) == []


@pytest.mark.parametrize("kind", list(CHANGES))
def test_an_announcement_names_the_client_and_its_event(kind: EventKind) -> None:
    message = announce(CHANGES[kind], kind)

    assert "Acme Plumbing" in message.text
    assert message.metadata["event_payload"]["slot"] == "announcement:7"


@pytest.mark.parametrize(
    "question",
    ["&" * 2000, "<" * 2000, "a" + "\n" * 1998 + "b", "words and words " * 125],
    ids=["ampersands", "angle brackets", "empty lines", "words"],
)
def test_slack_accepts_the_longest_question(question: str) -> None:
    assert problems(announce(asked(question), EventKind.HELP_ASKED)) == []


def test_a_long_question_is_quoted_in_full() -> None:
    question = " ".join(f"word{number}" for number in range(300))[:2000]

    text = announce(asked(question), EventKind.HELP_ASKED).text.replace("> ", "").replace("\n", "")

    assert question in text


def test_a_question_is_quoted_with_author_and_step_and_pings_the_engineer() -> None:
    text = announce(asked("Which button?\nThe green one?"), EventKind.HELP_ASKED).text

    assert f"needs help with step 7 (Submit the Application). <@{CLIENT_ADMIN}> asks:" in text
    assert "&gt; Which button?\n&gt; The green one?" in text.replace("> ", "&gt; ")
    assert f"<@{ENGINEER}>" in text


def test_a_start_names_the_engineer_only_if_somebody_else_started_it() -> None:
    own = announce(a_new_onboarding(), EventKind.STARTED).text
    event = Event(EventKind.STARTED, an_engineer("U0EVE"), NOW)
    others = announce(Change(a_new_onboarding().onboarding, (event,)), EventKind.STARTED).text

    assert "assigned to" not in own
    assert f"started by <@U0EVE>, assigned to <@{ENGINEER}>" in others


def test_the_handover_says_which_steps_are_for_heavyset() -> None:
    text = announce(handed_over(), EventKind.HANDED_OVER).text

    assert "Steps 23–25 are yours. “Reveal credentials” is on step 23." in text
    assert f"<@{ENGINEER}>" in text


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.PASSED, "check 2 passed"),
        (Outcome.FAILED, "check 2 failed"),
        (Outcome.UNKNOWN, "check 2 couldn't finish"),
    ],
)
def test_a_verification_result_is_worded_for_engineers(outcome: Outcome, words: str) -> None:
    text = announce(finished(outcome), EventKind.VERIFICATION_FINISHED).text

    assert words in text
    assert ("words for the engineer" in text) == (outcome is not Outcome.PASSED)
    assert "production · 812 ms" in text


def test_slack_accepts_a_result_with_every_check() -> None:
    details = "HTTP 200, 12 ms, trace 0123456789abcdef " * 4
    booked = finding("test_booking", "booking_dismissed", details, number="500000001")
    checks = (*(passed(name, details) for name in PASSES), booked)
    onboarding = an_onboarding(at_step=23, report=PASSED.model_copy(update={"checks": checks}))
    detail = {"number": 1, "outcome": "passed"}
    event = Event(EventKind.VERIFICATION_FINISHED, an_engineer(), NOW, None, detail)

    assert problems(announce(Change(onboarding, (event,)), event.kind)) == []


def test_a_stall_announcement_shows_open_questions_and_snoozes() -> None:
    asked_at = NOW + 10 * MINUTE
    asking = ask_for_help(an_onboarding(at_step=4), 4, "How?", a_client_admin(), asked_at)
    snoozed = snooze(
        remind(asking.onboarding, an_engineer(), NOW + 20 * MINUTE).onboarding,
        an_engineer(),
        NOW + 30 * MINUTE,
        NOW + 99 * MINUTE,
    )
    change = escalate(snoozed.onboarding, NOW + 40 * MINUTE)
    progressed = Change(
        finish_step(change.onboarding, 4, a_client_admin(), NOW + 50 * MINUTE).onboarding,
        change.events,
    )

    text = announce(change, EventKind.ESCALATED).text

    assert "has stalled at step 4" in text
    assert "Waiting on us." in text
    assert f"<@{CLIENT_ADMIN}> has been waiting for an answer since" in text
    assert f"<@{ENGINEER}> snoozed the reminder until" in text
    since = f"since <!date^{int(asked_at.timestamp())}^"
    assert since in text
    assert since in announce(progressed, EventKind.ESCALATED).text


def test_an_announcement_says_who_viewed_which_credentials() -> None:
    text = announce(revealed(), EventKind.CREDENTIALS_REVEALED).text

    assert f"<@{ENGINEER}> viewed Acme Plumbing's Tenant ID and Client Secret." in text


@pytest.mark.parametrize(
    ("days", "words"), [(0, "verified, same day."), (1, "in 1 day."), (12, "in 12 days.")]
)
def test_a_completion_says_how_long_the_onboarding_took(days: int, words: str) -> None:
    onboarding = finished(Outcome.PASSED).onboarding
    event = Event(EventKind.COMPLETED, an_engineer(), NOW + timedelta(days=days))

    assert words in announce(Change(onboarding, (event,)), EventKind.COMPLETED).text


def with_thread(change: Change) -> Change:
    return Change(replace(change.onboarding, thread_ts=ROOT_TS), change.events)


@pytest.mark.parametrize(
    ("kind", "timestamps", "ts"),
    [
        (EventKind.STARTED, {"root": "1.1"}, "11"),
        (EventKind.HELP_ASKED, {"root": "1.1", "step:7": "7.7"}, "77"),
        (EventKind.HELP_ASKED, {"root": "1.1"}, "11"),
        (EventKind.VERIFICATION_FINISHED, {"root": "1.1", "verification:2": "2.2"}, "22"),
    ],
)
def test_an_announcement_links_to_what_it_is_about(
    kind: EventKind, timestamps: dict[str, str], ts: str
) -> None:
    text = announce(with_thread(CHANGES[kind]), kind, **timestamps).text

    assert f"{LINK}{ts}?thread_ts={ROOT_TS}&cid={CHANNEL}|open in thread>" in text


def test_an_announcement_names_the_channel_if_nothing_is_posted_yet() -> None:
    assert f"<#{CHANNEL}>" in announce(a_new_onboarding(), EventKind.STARTED).text


@pytest.mark.parametrize("loss", list(Loss))
def test_a_pause_announcement_says_how_to_resume(loss: Loss) -> None:
    text = announce(paused(loss), EventKind.PAUSED).text

    assert "is paused" in text
    assert "/servicetitan resume" in text
