"""The history of one onboarding, reconstructed from its events."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.guide import Owner
from bot.onboarding import BOT, Change, Event, EventKind, Loss, Onboarding, lifecycle
from bot.onboarding.credentials import enter_credentials
from bot.onboarding.history import History, history_of
from bot.onboarding.history.durations import Replay
from bot.onboarding.history.sentences import (
    ATTEMPTS,
    LOSS_REASONS,
    OUTCOMES,
    SENTENCES,
    Words,
    words,
)
from bot.onboarding.people import Actor, ChannelRef, Role, UserRef
from bot.onboarding.permissions import Permission
from bot.onboarding.questions import ask_for_help, mark_answered
from bot.onboarding.steps import (
    choose_option,
    finish_step,
    give_back_steps,
    hand_over_steps,
    skip_step,
    undo_step,
)
from bot.onboarding.verification_report import Outcome
from bot.onboarding.verifications import finish_verification
from tests.builders import (
    ALL_FIELDS,
    GUIDE,
    NOW,
    VALUES,
    a_client_admin,
    a_new_onboarding,
    a_report,
    an_engineer,
)

HOUR = timedelta(hours=1)
ANN, ERIN = a_client_admin(), an_engineer()


class Progress:
    """An onboarding in progress; by default, each change comes an hour after the last."""

    def __init__(self) -> None:
        begun = a_new_onboarding()
        self.onboarding, self.events, self.now = begun.onboarding, list(begun.events), NOW

    def then(
        self, transition: Callable[[Onboarding, datetime], Change], hours: int = 1
    ) -> "Progress":
        self.now += hours * HOUR
        change = transition(self.onboarding, self.now)
        self.onboarding = change.onboarding
        self.events += change.events
        return self

    def finish(self, number: int, actor: Actor = ANN, hours: int = 1) -> "Progress":
        return self.then(lambda at, now: finish_step(at, number, actor, now), hours)

    def choose(self, option: str = "new") -> "Progress":
        return self.then(lambda at, now: choose_option(at, 1, option, ANN, now))

    def history(self, hours: int = 0) -> History:
        return history_of(GUIDE, self.events, self.now + hours * HOUR)


def hours_waited(history: History) -> tuple[float, float, float]:
    """The hours spent waiting on the client, on HeavySet, and on nobody (paused)."""
    client, heavyset, paused = (history.sides[side] / HOUR for side in (*Owner, None))
    return client, heavyset, paused


def sentence(kind: EventKind, step: int | None = None, **detail: Any) -> str:
    """An event in words, with plain ids where Slack would show mentions."""
    return plain_text(words(GUIDE, Event(kind, ANN, NOW, step, detail)))


def plain_text(parts: Words) -> str:
    return "".join(
        part.user_id
        if isinstance(part, UserRef)
        else part.channel
        if isinstance(part, ChannelRef)
        else str(part)
        for part in parts
    )


# --- words ---


def test_every_event_kind_has_a_sentence() -> None:
    """A new kind needs a sentence for support in bot/onboarding/history/sentences.py."""
    assert set(SENTENCES) == set(EventKind)
    assert set(ATTEMPTS) == set(Permission)
    assert set(LOSS_REASONS) == set(Loss)
    assert set(OUTCOMES) == set(Outcome)


@pytest.mark.parametrize(
    ("kind", "step", "detail", "text"),
    [
        (EventKind.STARTED, None, {}, "started the onboarding"),
        (EventKind.STEP_DONE, 3, {}, "finished step 3, Access the ServiceTitan Developer Portal"),
        (
            EventKind.ACCOUNT_CHOSEN,
            1,
            {"choice": "existing"},
            "answered step 1, Create a Developer Account for HeavySet Tech: "
            "“Use an existing admin”",
        ),
        (EventKind.CREDENTIAL_ENTERED, 18, {"field": "tenant_id"}, "entered the Tenant ID"),
        (
            EventKind.CREDENTIAL_REPLACED,
            18,
            {"field": "tenant_id", "version": 3},
            "replaced the Tenant ID (version 3)",
        ),
        (
            EventKind.CREDENTIALS_REVEALED,
            None,
            {"fields": ["tenant_id", "client_id"]},
            "viewed the Tenant ID and Client ID",
        ),
        (
            EventKind.VERIFICATION_FINISHED,
            None,
            {"number": 2, "outcome": "failed", "fields": ["client_secret"]},
            "finished check 2: failed; needs re-entry: Client Secret",
        ),
        (EventKind.HELP_ANSWERED, 3, {"questions": [1, 2]}, "answered 2 questions"),
        (
            EventKind.ASSIGNED,
            None,
            {"from": "U1", "to": "U2"},
            "reassigned the onboarding from U1 to U2",
        ),
        (
            EventKind.CHANNEL_MOVED,
            None,
            {"from": "C1", "to": "C2"},
            "switched from channel C1 to C2",
        ),
        (
            EventKind.PAUSED,
            None,
            {"loss": "archived"},
            "paused the onboarding: the channel was archived",
        ),
        (EventKind.PAUSED, None, {"reason": "holidays"}, "paused the onboarding: “holidays”"),
        (
            EventKind.STEPS_HANDED_OVER,
            7,
            {"steps": [7, 8, 9]},
            "asked HeavySet to do steps 7, 8, and 9",
        ),
        (
            EventKind.REFUSED,
            None,
            {"deed": "reveal", "reason": "NotAllowed"},
            "tried to view stored credentials: not allowed",
        ),
        (
            EventKind.REFUSED,
            None,
            {"deed": "client_step", "reason": "NotFound"},
            "tried to do the client's part: wrong channel",
        ),
    ],
)
def test_events_are_described_in_words(
    kind: EventKind, step: int | None, detail: Mapping[str, Any], text: str
) -> None:
    assert sentence(kind, step, **detail) == text


def test_a_multiline_question_is_quoted_on_one_line() -> None:
    text = sentence(EventKind.HELP_ASKED, 3, question="Where is\n\nthe menu?")

    assert text.endswith(": “Where is the menu?”")


@pytest.mark.parametrize("name", ["client_id", "client_secret"])
@pytest.mark.parametrize("kind", [EventKind.HELP_ASKED, EventKind.GUIDE_ANSWERED])
def test_a_question_that_may_contain_a_secret_is_not_quoted(kind: EventKind, name: str) -> None:
    text = sentence(kind, 3, question=f"Is {VALUES[name]} right?", passage="x")

    assert VALUES[name] not in text
    assert "(hidden: looks like a credential)" in text


def test_a_reason_that_may_contain_a_secret_is_not_quoted() -> None:
    text = sentence(EventKind.CANCELLED, reason=f"they sent {VALUES['client_secret']}")

    assert VALUES["client_secret"] not in text


def test_steps_and_fields_gone_from_the_guide_show_number_or_id() -> None:
    assert sentence(EventKind.STEP_DONE, 99) == "finished step 99"
    assert sentence(EventKind.CREDENTIAL_ENTERED, 18, field="pin") == "entered the pin"


# --- durations ---


def test_time_counts_toward_the_side_whose_step_is_open() -> None:
    progress = Progress().choose()

    assert hours_waited(progress.history(hours=5)) == (6, 0, 0)


def test_a_handed_over_step_counts_as_heavysets_time() -> None:
    progress = Progress().choose().then(lambda at, now: hand_over_steps(at, 2, ANN, now))

    progress.finish(2, ERIN, hours=3)

    assert hours_waited(progress.history(hours=4)) == (6, 3, 0)


def test_a_step_given_back_counts_as_the_clients_time_again() -> None:
    progress = Progress().choose().then(lambda at, now: hand_over_steps(at, 2, ANN, now))
    progress.then(lambda at, now: give_back_steps(at, 2, ERIN, now))

    assert hours_waited(progress.history(hours=4)) == (6, 1, 0)


def test_an_open_question_counts_as_heavysets_time_until_answered() -> None:
    progress = Progress().choose().then(lambda at, now: ask_for_help(at, 2, "How?", ANN, now))
    progress.then(lambda at, now: mark_answered(at, [1], ERIN, now), hours=7)

    assert hours_waited(progress.history(hours=1)) == (3, 7, 0)
    [question] = progress.onboarding.questions
    assert question.waited == 7 * HOUR


def test_paused_time_counts_for_neither_side() -> None:
    progress = Progress().choose().then(lambda at, now: lifecycle.pause(at, ERIN, now))
    progress.then(lambda at, now: lifecycle.resume(at, ERIN, now), hours=48)

    assert hours_waited(progress.history(hours=2)) == (4, 0, 48)


def test_time_after_a_failed_check_counts_as_the_clients() -> None:
    progress = with_all_values(Progress())
    run = progress.onboarding.verification
    assert run
    report = a_report(Outcome.FAILED, ("client_secret",))
    progress.then(lambda at, now: finish_verification(at, run, report, now))
    progress.then(
        lambda at, now: enter_credentials(at, 23, {"client_secret": "••••"}, ANN, now), hours=9
    )

    client, heavyset, _ = hours_waited(progress.history(hours=2))

    assert heavyset == 1
    assert client == 1 + 21 + 9 + 2  # step 22 is open again


def with_all_values(progress: Progress) -> Progress:
    """Finish the client's part, so that step 23 is open."""
    masks = dict.fromkeys(ALL_FIELDS, "••••")
    progress.choose().then(lambda at, now: enter_credentials(at, 2, masks, ANN, now), hours=0)
    for number in range(2, 23):
        progress.finish(number)
    return progress


def test_time_is_totaled_by_phase() -> None:
    progress = with_all_values(Progress())

    history = progress.history(hours=3)

    per_phase = {
        number: sum(times.values(), timedelta()) for number, times in history.phases.items()
    }
    sizes = {phase.number: len(phase.steps) for phase in GUIDE.phases}
    assert per_phase == {**{n: size * HOUR for n, size in sizes.items()}, 6: 3 * HOUR}


def test_a_step_unskipped_by_a_changed_answer_has_its_time_counted() -> None:
    progress = (
        Progress().choose("existing").then(lambda at, now: undo_step(at, 1, ANN, now)).choose("new")
    )

    history = progress.history(hours=5)

    assert progress.onboarding.current is GUIDE.step(2)
    assert history.phases[1][Owner.CLIENT] == 7 * HOUR
    assert history.phases[2][Owner.CLIENT] == HOUR


def test_a_reopened_skipped_step_has_its_time_counted() -> None:
    progress = Progress().choose().then(lambda at, now: skip_step(at, 2, ERIN, now))
    progress.then(lambda at, now: undo_step(at, 2, ERIN, now))

    assert progress.history(hours=5).phases[1][Owner.CLIENT] == 7 * HOUR


def test_reopening_an_earlier_step_leaves_skipped_steps_skipped() -> None:
    progress = Progress().choose().finish(2).then(lambda at, now: skip_step(at, 4, ERIN, now))
    for number in (3, 5):
        progress.finish(number)
    progress.then(lambda at, now: undo_step(at, 3, ANN, now)).finish(3)
    replay = Replay(GUIDE)
    for event in progress.events:
        replay.apply(event)

    assert replay.current == 5


def test_no_time_is_counted_after_an_onboarding_ends() -> None:
    progress = (
        Progress()
        .choose()
        .then(lambda at, now: lifecycle.cancel(at, ERIN, "another provider", now))
    )
    refused = Event(EventKind.REFUSED, ANN, progress.now + 50 * HOUR, None, REFUSAL)
    progress.events.append(refused)

    history = progress.history(hours=100)

    assert history.over
    assert history.took == 2 * HOUR
    assert len(history.events) == len(progress.events)


REFUSAL = {"deed": "client_step", "reason": "NotAllowed"}


def test_a_clock_set_back_never_subtracts_time() -> None:
    progress = Progress().choose()
    progress.events.append(Event(EventKind.REFUSED, ANN, NOW - HOUR, None, REFUSAL))

    assert hours_waited(progress.history(hours=1)) == (2, 0, 0)


def test_a_history_that_has_just_begun_has_taken_no_time() -> None:
    history = Progress().history()

    assert (history.took, history.spans, hours_waited(history)) == (timedelta(), (), (0, 0, 0))


def test_an_event_says_who_and_when() -> None:
    [event] = Progress().history().events

    assert (event.actor, event.at, event.actor.role) == (ERIN, NOW, Role.ENGINEER)
    assert event.actor != BOT
