"""The history modal: what it shows, within Slack's limits."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.onboarding import Event, EventKind, Onboarding, Question, Status, Verification
from bot.onboarding.history import history_of, lasting
from bot.onboarding.people import Actor, Role
from bot.onboarding.verification_report import Outcome
from bot.views.forms import View
from bot.views.history import PAGE, history_modal
from bot.views.ids import FormRef
from tests.builders import GUIDE, NOW, a_client_admin, a_new_onboarding, a_report, an_engineer
from tests.unit.rendering import problems, text_objects, texts

HOUR = timedelta(hours=1)
ANN, ERIN = a_client_admin(), an_engineer()
BY_THE_BOT = Actor("", "", Role.BOT)
ONBOARDING = a_new_onboarding().onboarding
REF = FormRef("C0ACME", "U0ERIN", "T0HEAVYSET", ONBOARDING.id)
STARTED = Event(EventKind.STARTED, ERIN, NOW)


def window(
    events: Sequence[Event],
    *,
    hours: int = 0,
    onboarding: Onboarding = ONBOARDING,
    until: int | None = None,
) -> View:
    """The modal, `hours` after the start."""
    history = history_of(GUIDE, [STARTED, *events], NOW + hours * HOUR)
    url = "https://heavyset-tech.slack.com/"
    return history_modal(onboarding, history, REF, workspace_url=url, until=until)


def text(view: View) -> str:
    return "\n".join(texts(view))


def event(kind: EventKind, step: int | None = None, *, hours: int = 0, **detail: Any) -> Event:
    return Event(kind, ANN, NOW + hours * HOUR, step, detail)


def test_each_phase_has_its_time_and_a_bar() -> None:
    done = [event(EventKind.STEP_DONE, step, hours=2 * step) for step in (1, 2, 3)]

    shown = text(window(done, hours=9))

    assert "1. Account Preparation: 4 h\n🟦" in shown
    assert "2. Developer Portal Configuration: 5 h\n🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦" in shown
    assert "6. Finalize Integration: —" in shown


def test_bars_distinguish_client_time_from_heavyset_time() -> None:
    asked = event(EventKind.HELP_ASKED, 1, hours=3, question="Where?")

    shown = text(window([asked], hours=10))

    assert "1. Account Preparation: 10 h (client 3 h, HeavySet 7 h)\n🟦🟦🟦🟧🟧🟧🟧🟧🟧🟧" in shown
    assert "🟦 client 3 h · 🟧 HeavySet 7 h · ⬜ paused no time" in shown


def test_questions_checks_views_and_posted_secrets_are_counted() -> None:
    questions = (
        Question(1, 1, "Where?", ANN, NOW, answered_by=ERIN, answered_at=NOW + 2 * HOUR),
        Question(2, 1, "Where?", ANN, NOW, passage="x"),
        Question(3, 1, "Why?", ANN, NOW),
    )
    runs = (Verification(1, ANN, NOW, report=a_report(Outcome.FAILED)), Verification(2, ANN, NOW))
    happened = [
        event(EventKind.CREDENTIALS_REVEALED, fields=["tenant_id"]),
        event(EventKind.EXPOSED, fields=["client_secret"], marks=["0123abcd"]),
        event(EventKind.EXPOSED_AGAIN, number=1, fields=["client_secret"], marks=["4567abcd"]),
    ]

    onboarding = replace(ONBOARDING, questions=questions, verifications=runs)
    shown = text(window(happened, hours=5, onboarding=onboarding))

    assert "Questions: 1 answered, median 2 h, 1 answered from the guide, 1 still open" in shown
    assert "Checks: 1 failed, 1 still running" in shown
    assert f"Credential views: 1 (<@{ANN.user_id}>)" in shown
    assert "Credentials posted in the channel: 1" in shown
    assert "Reminders" not in shown
    assert "0123abcd" not in shown


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "1 still running"),
        ({"status": Status.PAUSED}, "1 on hold"),
        ({"status": Status.COMPLETED}, "1 still running"),
        ({"status": Status.COMPLETED, "destroyed_at": NOW}, "1 stopped"),
        ({"status": Status.CANCELLED, "destroyed_at": NOW}, "1 stopped"),
    ],
)
def test_a_check_without_a_result_is_running_only_while_it_can_run(
    changes: dict[str, Any], words: str
) -> None:
    onboarding = replace(ONBOARDING, verifications=(Verification(1, ANN, NOW),), **changes)

    assert f"Checks: {words}\n" in f"{text(window([], hours=5, onboarding=onboarding))}\n"


def test_actions_by_the_bot_are_attributed_to_it() -> None:
    reminded = Event(EventKind.REMINDED, BY_THE_BOT, NOW, 1, {"to": "client"})

    assert "The bot reminded the client about step 1" in text(window([reminded]))


def test_a_long_question_is_truncated_and_escaped() -> None:
    view = window([event(EventKind.HELP_ASKED, 1, question="<!channel> " * 180)])

    assert not problems(view)
    assert "<!channel>" not in text(view)
    assert "&lt;!channel&gt;" in text(view)


@pytest.mark.parametrize("name", ["<!channel>", "&" * 80, "x" * 80])
def test_a_client_name_is_shown_as_typed(name: str) -> None:
    view = window([], onboarding=replace(ONBOARDING, client_name=name, thread_ts="1.1"))

    assert not problems(view)
    assert next(text_objects(view["blocks"], "plain_text")) == name


@pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 5000])
def test_a_history_of_any_length_fits_in_one_modal(count: int) -> None:
    refused = event(EventKind.REFUSED, deed="reveal", reason="NotAllowed")

    for until in (None, 1, count // 2 + 1, count + 1, 9999):
        assert not problems(window([refused] * count, until=until))


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(), "no time"),
        (timedelta(seconds=20), "less than a minute"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(minutes=59, seconds=40), "1 h"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=3, hours=4, minutes=59), "3 days 4 h"),
        (timedelta(days=400), "400 days"),
    ],
)
def test_durations_are_formatted_in_words(time: timedelta, words: str) -> None:
    assert lasting(time) == words
