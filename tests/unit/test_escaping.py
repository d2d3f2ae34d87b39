"""What people type is shown exactly as typed, and can't mention anyone."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.onboarding import (
    BOT,
    Change,
    EventKind,
    InvitationAnswer,
    Loss,
    Onboarding,
    assignment,
    lifecycle,
)
from bot.onboarding.credentials import enter_credentials, reveal_credentials
from bot.onboarding.posted_secrets import record_posted_secret
from bot.onboarding.questions import ask_for_help
from bot.onboarding.reminders import ask_engineering, escalate, hear, remind
from bot.onboarding.retention import expire_credentials, keep_credentials
from bot.onboarding.steps import finish_step, hand_over_steps
from bot.onboarding.verification_report import Outcome
from bot.onboarding.verifications import finish_verification, request_verification
from bot.views.announcement import ANNOUNCED, announcement
from bot.views.blocks import Message
from bot.views.modals import help_modal
from bot.views.start import start_modal
from tests.builders import (
    ALL_FIELDS,
    NOW,
    PASSED,
    ROOT_TS,
    a_check,
    a_client_admin,
    a_new_onboarding,
    a_report,
    an_engineer,
    an_onboarding,
)
from tests.unit.rendering import (
    a_form_ref,
    credentials_modal_at,
    every_message,
    problems,
    text_objects,
)

EVIL = "<!channel> <@U1> <https://evil.example|Slack> & *x* <!here>"
NAMES = [
    EVIL,
    "&" * 80,
    "<" * 80,
    "x" * 80,
    "*bold* _it_ ~no~ `code`",
    "> quote",
    "Ärger & Söhne 🔧",
]
MARKUP = ("<!channel", "<!here", "<@U1>", "<https://evil.example")

A_WEEK, A_MONTH = timedelta(days=7), timedelta(days=30)
MUCH_LATER = NOW + 2 * A_MONTH

every_name = pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))


def asked_about(onboarding: Onboarding, name: str) -> Onboarding:
    return ask_for_help(onboarding, 1, name, a_client_admin(), NOW).onboarding


def changes(name: str) -> Iterator[Change]:
    """Yield changes covering every announced event kind, with `name` as all user-typed text."""
    new = a_new_onboarding(client_name=name)
    last = an_onboarding(client_name=name, at_step=22, credentials=ALL_FIELDS)
    final = an_onboarding(client_name=name, at_step=25)
    asked = request_verification(final, an_engineer(), NOW).onboarding
    yield new
    yield ask_for_help(new.onboarding, 1, f"{name}\n{name}", a_client_admin(), NOW)
    yield finish_step(last, 22, a_client_admin(), NOW)
    yield enter_credentials(final, 19, {"client_secret": "••••new1"}, a_client_admin(), NOW)
    yield record_posted_secret(final, ["client_secret"], a_client_admin(), NOW)
    yield reveal_credentials(final, ALL_FIELDS, an_engineer(), NOW)
    yield finish_verification(asked, asked.verifications[-1], PASSED, NOW)
    yield lifecycle.move_channel(new.onboarding, "C0NEW", NOW)
    yield lifecycle.client_joins(new.onboarding, a_client_admin(), NOW)
    for answer in InvitationAnswer:
        yield lifecycle.answer_invitation(
            new.onboarding, answer, f"{name}@x.y", a_client_admin(), NOW
        )
    yield lifecycle.lose_thread(replace(new.onboarding, thread_ts=ROOT_TS), ROOT_TS, NOW)
    yield hand_over_steps(new.onboarding, 1, a_client_admin(), NOW)
    yield lifecycle.cancel(new.onboarding, an_engineer(), f"{name}\n{name}", NOW)
    yield assignment.assign(new.onboarding, "U0EVE", an_engineer(), NOW)
    yield escalate(new.onboarding, NOW)
    quiet = ask_engineering(remind(new.onboarding, BOT, NOW, 4, last=True).onboarding, NOW)
    yield quiet
    yield hear(quiet.onboarding, a_client_admin(), MUCH_LATER, MUCH_LATER + A_WEEK)
    yield remind(new.onboarding, an_engineer(), NOW)
    yield remind(an_onboarding(client_name=name, client_admins=()), an_engineer(), NOW)
    yield remind(asked_about(new.onboarding, name), an_engineer(), NOW)
    yield remind(an_onboarding(client_name=name, at_step=23), an_engineer(), NOW)
    yield lifecycle.pause(new.onboarding, an_engineer(), NOW, name)
    unused = expire_credentials(last, MUCH_LATER, keep=A_MONTH, objection=A_WEEK)
    yield unused
    yield keep_credentials(unused.onboarding, an_engineer(), MUCH_LATER, timedelta(days=30))
    yield expire_credentials(unused.onboarding, MUCH_LATER + A_WEEK, keep=A_MONTH, objection=A_WEEK)
    paused = lifecycle.lose_channel(new.onboarding, Loss.ARCHIVED, NOW)
    yield paused
    yield lifecycle.resume(paused.onboarding, an_engineer(), NOW)


def announcements(name: str) -> Iterator[tuple[EventKind, Message]]:
    for change in changes(name):
        for event in change.events:
            if event.kind in ANNOUNCED:
                yield (
                    event.kind,
                    announcement(
                        change.onboarding, 1, event, timestamps={}, workspace_url="https://x/"
                    ),
                )


def onboardings(name: str) -> Iterator[Onboarding]:
    for step in (1, 11, 23):
        yield an_onboarding(at_step=step, client_name=name)
    for change in changes(name):
        yield change.onboarding


def messages(name: str) -> Iterator[Message]:
    for onboarding in onboardings(name):
        yield from every_message(onboarding).values()
    yield from (message for _, message in announcements(name))


def test_the_sample_changes_cover_every_announced_event_kind() -> None:
    assert {kind for kind, _ in announcements("Acme")} == set(ANNOUNCED)


@every_name
def test_slack_accepts_every_message_for_any_client_name(name: str) -> None:
    assert [found for message in messages(name) for found in problems(message)] == []


def test_client_names_and_questions_cannot_mention_anyone() -> None:
    for message in messages(EVIL):
        formatted = [message.text, *text_objects(message.blocks, "mrkdwn")]
        assert not [mark for mark in MARKUP if any(mark in text for text in formatted)]


def test_a_name_is_shown_as_it_was_written() -> None:
    root = every_message(an_onboarding(client_name=EVIL))["root"]

    assert next(text_objects(root.blocks, "plain_text")).endswith(f": {EVIL}")
    assert "&lt;!channel&gt; &lt;@U1&gt;" in root.text


def test_a_name_is_escaped_once() -> None:
    root = every_message(an_onboarding(client_name="Smith & Sons"))["root"]

    assert "Smith &amp; Sons" in root.text
    assert "&amp;amp;" not in json.dumps(root.blocks) + root.text


def test_every_line_of_a_question_is_quoted() -> None:
    asked = ask_for_help(a_new_onboarding().onboarding, 1, "one\n<!here>", a_client_admin(), NOW)
    message = announcement(
        asked.onboarding, 1, asked.events[0], timestamps={}, workspace_url="https://x/"
    )

    assert "> one\n> &lt;!here&gt;" in list(text_objects(message.blocks, "mrkdwn"))


@every_name
def test_slack_accepts_the_modals_for_any_client_name(name: str) -> None:
    onboarding = an_onboarding(at_step=18, client_name=name)
    views = [
        start_modal(a_form_ref(onboarding, 0), name),
        credentials_modal_at(onboarding, 18),
        help_modal(onboarding, a_form_ref(onboarding, 18)),
    ]

    assert [found for view in views for found in problems(view)] == []


def test_text_from_servicetitan_is_escaped_too() -> None:
    check = a_check(Outcome.FAILED, title="<!channel>")
    report = a_report().model_copy(update={"checks": (check,), "environment": "<!here>"})
    onboarding = an_onboarding(at_step=23, report=report)

    for message in every_message(onboarding).values():
        formatted = [message.text, *text_objects(message.blocks, "mrkdwn")]
        assert not [text for text in formatted if "<!channel" in text or "<!here" in text]
