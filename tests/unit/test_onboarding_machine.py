"""Whatever people press, in whatever order, the state and its history stay sound."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.core.errors import Refused
from bot.onboarding import (
    BOT,
    Change,
    Event,
    EventKind,
    Onboarding,
    Status,
    StepState,
    assignment,
    lifecycle,
)
from bot.onboarding.assignment import Absence
from bot.onboarding.credentials import enter_credentials, reveal_credentials
from bot.onboarding.effects import apply
from bot.onboarding.people import Actor
from bot.onboarding.posted_secrets import record_posted_secret
from bot.onboarding.questions import ask_for_help, mark_answered
from bot.onboarding.reminders import escalate, remind, snooze
from bot.onboarding.steps import (
    choose_option,
    finish_step,
    give_back_steps,
    hand_over_steps,
    skip_step,
    undo_step,
)
from bot.onboarding.verification_report import Outcome, Report
from bot.onboarding.verifications import (
    finish_verification,
    record_booking_sent,
    request_verification,
)
from tests.builders import (
    ALL_FIELDS,
    GUIDE,
    MINUTE,
    NOW,
    a_client_admin,
    a_new_onboarding,
    a_report,
    an_engineer,
    states,
)

actors = st.sampled_from([a_client_admin(), a_client_admin("U0BEN"), an_engineer()])
numbers = st.integers(1, 25)
reports = st.sampled_from(
    [
        a_report(),
        a_report(Outcome.FAILED, ("client_secret",)),
        a_report(Outcome.UNKNOWN),
        a_report(Outcome.UNKNOWN, retry=True),
    ]
)
Transition = Callable[[Onboarding], Change]
# The fields that only events hold.
OF_EVENTS = ("engineer_email", "escalated_since", "posted_secrets", "questions", "reminders")


class AnOnboarding(RuleBasedStateMachine):
    """One onboarding, and everybody pressing everything."""

    def __init__(self) -> None:
        super().__init__()
        begun = a_new_onboarding()
        self.onboarding = begun.onboarding
        self.events: list[Event] = list(begun.events)
        self.minutes = self.attempts = 0
        self.sent: list[str | None] = []  # the test bookings

    @property
    def now(self) -> datetime:
        """The time: it may jump, but never repeats."""
        return NOW + self.minutes * MINUTE + timedelta(microseconds=self.attempts)

    def attempt(self, transition: Transition) -> None:
        """Make a transition, or assert that its refusal changes nothing."""
        self.minutes += 1
        self.attempts += 1
        before, written = self.onboarding, repr(self.onboarding)
        other_revision = replace(before, revision=before.revision + 7)
        try:
            change = transition(before)
        except Refused:
            assert self.refuses(transition, other_revision)
        else:
            assert all(event.at == self.now for event in change.events)
            same_change = transition(other_revision)
            assert replace(same_change.onboarding, revision=before.revision) == change.onboarding
            assert same_change.events == change.events
            self.onboarding = change.onboarding
            self.events += change.events
        assert repr(before) == written

    def was_chosen(self, until: Event, option: str) -> bool:
        """Whether `option` was the last answer before an event."""
        answers = [
            event.detail["choice"]
            for event in self.events[: self.events.index(until)]
            if event.kind is EventKind.ACCOUNT_CHOSEN
        ]
        return bool(answers) and answers[-1] == option

    def refuses(self, transition: Transition, onboarding: Onboarding) -> bool:
        try:
            transition(onboarding)
        except Refused:
            return True
        return False

    # --- actions ---

    @rule(number=st.sampled_from([1, 1, 1, 2]), option=st.sampled_from(["new", "existing", "?"]))
    def choose(self, number: int, option: str) -> None:
        self.attempt(lambda at: choose_option(at, number, option, a_client_admin(), self.now))

    @rule(number=numbers, actor=actors)
    def finish_any_step(self, number: int, actor: Actor) -> None:
        self.attempt(lambda at: finish_step(at, number, actor, self.now))

    @rule(steps=st.integers(1, 12), option=st.sampled_from(["new", "existing"]))
    def go_on(self, steps: int, option: str) -> None:
        for _ in range(steps):
            step = self.onboarding.current
            if step and step.choice:
                self.choose(step.number, option)
            elif step:
                self.finish_any_step(step.number, an_engineer())

    @rule(number=numbers)
    def undo(self, number: int) -> None:
        self.attempt(lambda at: undo_step(at, number, a_client_admin(), self.now))

    @rule(fields=st.sets(st.sampled_from(ALL_FIELDS), min_size=1))
    def enter(self, fields: set[str]) -> None:
        masks = dict.fromkeys(sorted(fields), "••••")
        self.attempt(lambda at: enter_credentials(at, 18, masks, a_client_admin(), self.now))

    @rule()
    def enter_all(self) -> None:
        self.enter(set(ALL_FIELDS))

    @rule()
    def verify(self) -> None:
        self.attempt(lambda at: request_verification(at, an_engineer(), self.now))

    @rule()
    def verify_with_a_test_booking(self) -> None:
        name = f"test-{len(self.onboarding.verifications) + 1}"
        self.attempt(lambda at: request_verification(at, an_engineer(), self.now, name))

    @precondition(lambda self: self.onboarding.verification)
    @rule()
    def send_the_test_booking(self) -> None:
        run, before = self.onboarding.verification, self.onboarding
        assert run
        self.attempt(lambda at: record_booking_sent(at, run, self.now))
        if self.onboarding is not before:
            assert run.booking not in self.sent
            self.sent.append(run.booking)

    @precondition(lambda self: self.onboarding.verification)
    @rule(report=reports)
    def hear_from_servicetitan(self, report: Report) -> None:
        run = self.onboarding.verification
        assert run
        self.attempt(lambda at: finish_verification(at, run, report, self.now))

    @precondition(lambda self: self.onboarding.verification)
    @rule(report=reports)
    def hear_of_an_older_run(self, report: Report) -> None:
        run, before = self.onboarding.verification, self.onboarding
        assert run
        older = replace(run, number=0)
        self.attempt(lambda at: finish_verification(at, older, report, self.now))
        assert self.onboarding is before

    @rule(number=numbers)
    def ask(self, number: int) -> None:
        self.attempt(lambda at: ask_for_help(at, number, "How?", a_client_admin(), self.now))

    @rule(fields=st.sets(st.sampled_from(ALL_FIELDS), min_size=1))
    def reveal(self, fields: set[str]) -> None:
        self.attempt(lambda at: reveal_credentials(at, sorted(fields), an_engineer(), self.now))

    @rule(number=numbers)
    def skip(self, number: int) -> None:
        self.attempt(lambda at: skip_step(at, number, an_engineer(), self.now))

    @rule(number=numbers)
    def reopen(self, number: int) -> None:
        self.attempt(lambda at: undo_step(at, number, an_engineer(), self.now))

    @rule(number=numbers, rest=st.booleans(), back=st.booleans())
    def hand_over(self, number: int, rest: bool, back: bool) -> None:
        current = self.onboarding.current
        number = current.number if current and number % 2 else number
        if back:
            self.attempt(lambda at: give_back_steps(at, number, a_client_admin(), self.now))
        else:
            self.attempt(
                lambda at: hand_over_steps(
                    at, number, a_client_admin(), self.now, rest_of_phase=rest
                )
            )

    @rule()
    def pause(self) -> None:
        self.attempt(lambda at: lifecycle.pause(at, an_engineer(), self.now, "They move house."))

    @rule()
    def resume(self) -> None:
        self.attempt(lambda at: lifecycle.resume(at, an_engineer(), self.now))

    @precondition(lambda self: self.minutes % 7 == 0)
    @rule()
    def cancel(self) -> None:
        self.attempt(lambda at: lifecycle.cancel(at, an_engineer(), "They left.", self.now))

    @rule(engineer=st.sampled_from(["U0ERIN", "U0EVE"]))
    def assign(self, engineer: str) -> None:
        self.attempt(lambda at: assignment.assign(at, engineer, an_engineer(), self.now))

    @rule(away=st.sampled_from(["U0ERIN", "U0EVE"]))
    def cover(self, away: str) -> None:
        absence = Absence(away, "U0LEE", self.now, self.now + timedelta(days=1))
        self.attempt(lambda at: assignment.cover(at, {away: absence}, self.now))

    @rule(stays=st.booleans())
    def hand_back(self, stays: bool) -> None:  # drawn by Hypothesis
        self.attempt(lambda at: assignment.hand_back(at, self.now, stays=stays))

    @rule(actor=st.sampled_from([BOT, an_engineer()]), minutes=st.integers(0, 90))
    def remind(self, actor: Actor, minutes: int) -> None:
        self.minutes += minutes
        self.attempt(lambda at: remind(at, actor, self.now))

    @rule()
    def snooze(self) -> None:
        self.attempt(lambda at: snooze(at, a_client_admin(), self.now, self.now))

    @rule()
    def escalate(self) -> None:
        self.attempt(lambda at: escalate(at, self.now))

    @rule()
    def answer(self) -> None:
        self.attempt(lambda at: mark_answered(at, [len(at.questions)], an_engineer(), self.now))

    @rule(fields=st.sets(st.sampled_from(ALL_FIELDS), min_size=1))
    def expose(self, fields: set[str]) -> None:
        self.attempt(
            lambda at: record_posted_secret(at, sorted(fields), a_client_admin(), self.now)
        )

    @rule(minutes=st.sampled_from([-1000, 1000]))
    def the_clock_jumps(self, minutes: int) -> None:
        self.minutes += minutes

    # --- invariants ---

    @invariant()
    def steps_are_in_guide_order(self) -> None:
        assert [step.number for step in self.onboarding.steps] == [s.number for s in GUIDE.steps]

    @invariant()
    def finished_steps_come_before_the_current_one_and_that_before_waiting_ones(self) -> None:
        # An engineer may skip a step before its turn comes.
        assert re.fullmatch("[ds]*c?[ws]*", states(self.onboarding))

    @invariant()
    def one_step_is_current_while_it_is_active_and_none_afterwards(self) -> None:
        current = states(self.onboarding).count("c")
        assert current == (0 if self.onboarding.status is Status.COMPLETED else 1)

    @invariant()
    def it_is_completed_only_by_a_verification_that_passed(self) -> None:
        if self.onboarding.status is Status.COMPLETED:
            run = self.onboarding.verification
            assert run
            assert run.report
            assert run.report.outcome is Outcome.PASSED
            assert not self.onboarding.missing

    @invariant()
    def completion_is_recorded_once(self) -> None:
        completed = sum(event.kind is EventKind.COMPLETED for event in self.events)
        assert completed == (self.onboarding.status is Status.COMPLETED)

    @invariant()
    def the_history_leads_to_the_same_steps(self) -> None:
        finished: dict[int, str] = {}
        for event in self.events:
            number = event.step or 0
            if event.kind is EventKind.STEP_DONE:
                finished[number] = "d"
            elif event.kind is EventKind.STEP_SKIPPED:
                finished[number] = "s"
            elif event.kind is EventKind.STEP_UNDONE:
                needless = {2} if self.was_chosen(event, "existing") else set()
                finished = {
                    n: state
                    for n, state in finished.items()
                    if n < number or (n > number and state == "s" and n not in needless)
                }
        replayed = "".join(finished.get(step.number, "w") for step in GUIDE.steps)
        assert states(self.onboarding) == replayed.replace("w", "c", 1)

    @invariant()
    def only_finished_steps_have_an_author_and_a_time(self) -> None:
        for step in self.onboarding.steps:
            assert (step.by is not None) == (step.at is not None) == step.finished

    @invariant()
    def step_2_is_skipped_only_for_an_existing_admin(self) -> None:
        first, second = self.onboarding.steps[:2]
        assert (self.onboarding.account is not None) == first.finished
        if second.state is StepState.SKIPPED and self.onboarding.account != "existing":
            assert second.by == an_engineer()

    @invariant()
    def steps_23_and_later_are_reached_with_all_values(self) -> None:
        current, skipped = self.onboarding.current, self.onboarding.step(22).state
        if skipped is StepState.DONE and (current is None or current.number > 22):
            assert not self.onboarding.missing or self.onboarding.destroyed_at

    @invariant()
    def verifications_are_numbered_and_only_the_last_is_awaited(self) -> None:
        runs = self.onboarding.verifications
        assert [run.number for run in runs] == list(range(1, len(runs) + 1))
        assert not any(run.due_at for run in runs[:-1])

    @invariant()
    def every_turn_begins_with_an_event(self) -> None:
        assert self.onboarding.turn_at in {event.at for event in self.events}

    @invariant()
    def a_cancelled_onboarding_keeps_no_values(self) -> None:
        if self.onboarding.status is Status.CANCELLED:
            assert not self.onboarding.credentials
            assert self.onboarding.destroyed_at == self.onboarding.finished_at

    @invariant()
    def only_clients_steps_are_handed_over(self) -> None:
        assert all(step.number < 23 for step in self.onboarding.steps if step.handed_over)

    @invariant()
    def questions_are_numbered_and_answered_once(self) -> None:
        questions = self.onboarding.questions
        assert [question.number for question in questions] == list(range(1, len(questions) + 1))
        answered = [
            number
            for event in self.events
            if event.kind is EventKind.HELP_ANSWERED
            for number in event.detail["questions"]
        ]
        assert len(answered) == len(set(answered))
        assert set(answered) == {question.number for question in questions if not question.open}

    @invariant()
    def the_bot_reminds_once_per_stall_and_snooze(self) -> None:
        reminders = self.onboarding.reminders
        for earlier, later in pairwise(reminders):
            if later.by == BOT:
                assert earlier.snooze or earlier.since != later.since

    @invariant()
    def engineering_is_alerted_once_per_stall(self) -> None:
        stalls = [
            event.detail["since"] for event in self.events if event.kind is EventKind.ESCALATED
        ]
        assert len(stalls) == len(set(stalls))

    @invariant()
    def the_stored_history_has_the_same_effects(self) -> None:
        stored = [
            replace(event, detail=json.loads(json.dumps(dict(event.detail))))
            for event in self.events
        ]
        after = apply(a_new_onboarding().onboarding, *stored)
        for name in OF_EVENTS:
            assert getattr(after, name) == getattr(self.onboarding, name)


# Few, as AHistory and AReport follow the same rules and check all of this too.
TestAnOnboarding = AnOnboarding.TestCase
TestAnOnboarding.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
