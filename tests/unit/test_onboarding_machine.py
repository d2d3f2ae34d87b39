"""Whatever people press, in whatever order, the state and its history stay sound."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.errors import Refused
from bot.onboarding import Change, Event, EventKind, Onboarding, Status, StepState
from bot.people import Actor
from bot.report import Outcome, Report
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


class AnOnboarding(RuleBasedStateMachine):
    """One onboarding, and everybody pressing everything."""

    def __init__(self) -> None:
        super().__init__()
        begun = a_new_onboarding()
        self.onboarding = begun.onboarding
        self.events: list[Event] = list(begun.events)
        self.minutes = 0

    @property
    def now(self) -> datetime:
        return NOW + self.minutes * MINUTE

    def attempt(self, transition: Transition) -> None:
        """Make a transition, or see that its refusal changes nothing."""
        self.minutes += 1
        before, written = self.onboarding, repr(self.onboarding)
        elsewhere = replace(before, revision=before.revision + 7)
        try:
            change = transition(before)
        except Refused:
            assert self.refuses(transition, elsewhere)
        else:
            assert all(event.at == self.now for event in change.events)
            there = transition(elsewhere)
            assert replace(there.onboarding, revision=before.revision) == change.onboarding
            assert there.events == change.events
            self.onboarding = change.onboarding
            self.events += change.events
        assert repr(before) == written

    def refuses(self, transition: Transition, onboarding: Onboarding) -> bool:
        try:
            transition(onboarding)
        except Refused:
            return True
        return False

    # --- what people do ---

    @rule(number=st.sampled_from([1, 1, 1, 2]), option=st.sampled_from(["new", "existing", "?"]))
    def choose(self, number: int, option: str) -> None:
        self.attempt(lambda at: at.choose(number, option, a_client_admin(), self.now))

    @rule(number=numbers, actor=actors)
    def finish_any_step(self, number: int, actor: Actor) -> None:
        self.attempt(lambda at: at.finish_step(number, actor, self.now))

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
        self.attempt(lambda at: at.undo_step(number, a_client_admin(), self.now))

    @rule(fields=st.sets(st.sampled_from(ALL_FIELDS), min_size=1))
    def enter(self, fields: set[str]) -> None:
        masks = dict.fromkeys(sorted(fields), "••••")
        self.attempt(lambda at: at.enter_credentials(18, masks, a_client_admin(), self.now))

    @rule()
    def enter_all(self) -> None:
        self.enter(set(ALL_FIELDS))

    @rule()
    def verify(self) -> None:
        self.attempt(lambda at: at.request_verification(an_engineer(), self.now))

    @precondition(lambda self: self.onboarding.verification)
    @rule(report=reports)
    def hear_from_servicetitan(self, report: Report) -> None:
        run = self.onboarding.verification
        assert run
        self.attempt(
            lambda at: at.finish_verification(run.number, run.requested_at, report, self.now)
        )

    @precondition(lambda self: self.onboarding.verification)
    @rule(report=reports)
    def hear_of_an_older_run(self, report: Report) -> None:
        before = self.onboarding
        self.attempt(lambda at: at.finish_verification(0, NOW, report, self.now))
        assert self.onboarding is before

    @rule(number=numbers)
    def ask(self, number: int) -> None:
        self.attempt(lambda at: at.ask_for_help(number, "How?", a_client_admin(), self.now))

    @rule(fields=st.sets(st.sampled_from(ALL_FIELDS), min_size=1))
    def reveal(self, fields: set[str]) -> None:
        self.attempt(lambda at: at.reveal(sorted(fields), an_engineer(), self.now))

    # --- what always holds ---

    @invariant()
    def steps_stand_in_the_order_of_the_guide(self) -> None:
        assert [one.number for one in self.onboarding.steps] == [s.number for s in GUIDE.steps]

    @invariant()
    def finished_steps_come_before_the_current_one_and_that_before_waiting_ones(self) -> None:
        assert re.fullmatch("[ds]*c?w*", states(self.onboarding))

    @invariant()
    def one_step_is_current_while_it_is_active_and_none_afterwards(self) -> None:
        current = states(self.onboarding).count("c")
        assert current == (1 if self.onboarding.status is Status.ACTIVE else 0)

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
                finished = {n: state for n, state in finished.items() if n < number}
        replayed = "".join(finished.get(step.number, "w") for step in GUIDE.steps)
        assert states(self.onboarding) == replayed.replace("w", "c", 1)

    @invariant()
    def who_and_when_stand_on_finished_steps_alone(self) -> None:
        for one in self.onboarding.steps:
            assert (one.by is not None) == (one.at is not None) == one.finished

    @invariant()
    def step_2_is_skipped_only_for_an_existing_admin(self) -> None:
        first, second = self.onboarding.steps[:2]
        assert (self.onboarding.account is not None) == first.finished
        if second.state is StepState.SKIPPED:
            assert self.onboarding.account == "existing"

    @invariant()
    def steps_23_and_later_are_reached_with_all_values(self) -> None:
        current = self.onboarding.current
        if current is None or current.number > 22:
            assert not self.onboarding.missing

    @invariant()
    def verifications_are_numbered_and_only_the_last_is_awaited(self) -> None:
        runs = self.onboarding.verifications
        assert [run.number for run in runs] == list(range(1, len(runs) + 1))
        assert not any(run.due_at for run in runs[:-1])

    @invariant()
    def the_history_is_json(self) -> None:
        assert json.dumps([dict(event.detail) for event in self.events])


TestAnOnboarding = AnOnboarding.TestCase
TestAnOnboarding.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
