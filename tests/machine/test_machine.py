"""Whatever people do concurrently, over the public endpoints: some serial order explains it all.

This is a state machine rather than a list of actions, so that Hypothesis can drop whole rules as it
varies and shrinks, check the invariants between them, and print what is left as a program. Actions
are plain data, drawn before anything happens, so that they shrink like lists and numbers.

The examples are the same each time, but how the bot's responses interleave is not. So a failure may
not reproduce: then Hypothesis calls it flaky, but still prints what was done.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from freezegun import freeze_time
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.databases import ON_POSTGRESQL, ON_SQLITE, AnyDatabase
from tests.machine.actions import RelativeAction, any_action
from tests.machine.arena import Stage, running_stage
from tests.machine.model import LAST, LAST_CLIENT_STEP, NONE
from tests.outages.time_lapse import captured_log

Run = Callable[[Coroutine[Any, Any, Any]], Any]
MONDAY = "2026-03-02 14:00"


class AnOnboarding(RuleBasedStateMachine):
    """One onboarding, and everyone working on it."""

    def __init__(self, run: Run, stage: Stage) -> None:
        super().__init__()
        self.run, self.stage = run, stage
        self.versions: dict[str, int] = {}
        self.failed = True

    @initialize(step=st.sampled_from([1, 4, 11, 18, 22, 25]))
    def begin(self, step: int) -> None:
        self.run(self.stage.begin(step))
        self.failed = False

    def act(self, *waves: list[RelativeAction], **circumstances: Any) -> None:
        self.failed = True
        self.run(self.stage.act(*waves, **circumstances))
        self.failed = False

    # --- actions ---

    @rule(action=any_action)
    def alone(self, action: RelativeAction) -> None:
        self.act([action])

    @rule(action=any_action, times=st.integers(2, 20))
    def the_same_many_times_at_once(self, action: RelativeAction, times: int) -> None:
        self.act([action] * times)

    @rule(
        actions=st.lists(any_action, min_size=2, max_size=5),
        before_it_shows=st.lists(any_action, max_size=3),
    )
    def at_once(self, actions: list[RelativeAction], before_it_shows: list[RelativeAction]) -> None:
        self.act(actions, before_it_shows)

    @rule(actions=st.lists(any_action, min_size=2, max_size=3), each=st.integers(2, 6))
    def each_many_times_at_once(self, actions: list[RelativeAction], each: int) -> None:
        self.act(actions * each)

    @rule(steps=st.integers(1, 3))
    def go_on(self, steps: int) -> None:
        for _ in range(steps):
            self.act([RelativeAction("erin", self._next())])

    def _next(self) -> str:
        at = self.stage.model
        if at.current == LAST_CLIENT_STEP and NONE in at.values:
            return "enter right"
        return {1: "new", LAST: "verify"}.get(self.stage.current, "done")

    # --- disruptions ---

    @rule(times=st.integers(1, 5), meanwhile=st.lists(any_action, max_size=2))
    def slack_sends_a_request_again(self, times: int, meanwhile: list[RelativeAction]) -> None:
        self.act(meanwhile, resends=times if self.stage.successful_requests else 0)

    @rule(
        actions=st.lists(
            any_action.filter(lambda action: "say" not in action.what), min_size=1, max_size=4
        ),
        seed=st.integers(0, 999),
        restart=st.booleans(),
    )
    def in_an_outage(self, actions: list[RelativeAction], seed: int, restart: bool) -> None:
        self.act(actions, outage_seed=seed, restart=restart)

    @rule(actions=st.lists(any_action, max_size=4))
    def the_bot_is_restarted(self, actions: list[RelativeAction]) -> None:
        self.act(actions, restart=True)

    @rule(hours=st.integers(1, 9))
    def time_passes(self, hours: int) -> None:
        self.failed = True
        self.run(self.stage.advance(timedelta(hours=hours)))
        self.failed = False

    # --- invariants ---

    @invariant()
    def everything_is_consistent(self) -> None:
        self.run(self.stage.assert_consistent())

    @invariant()
    def versions_only_grow(self) -> None:
        before, self.versions = self.versions, self.run(self.stage.versions())
        gone = self.stage.model.status == "cancelled"
        assert gone or all(self.versions[name] >= version for name, version in before.items())

    def teardown(self) -> None:
        if not self.failed:
            self.run(self.stage.end())


def run_machine(
    database: AnyDatabase, *, workers: int, examples: int, steps: int, repeatable: bool
) -> None:
    """Run this many examples, the same ones each time if `repeatable`."""
    machine_settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=repeatable,
        # Shrinking takes minutes, as the examples are slow: only the long form does it.
        phases=[Phase.generate] if repeatable else list(Phase),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with (
        captured_log() as log,
        freeze_time(MONDAY, tick=True, real_asyncio=True, ignore=["hypothesis"]) as clock,
        asyncio.Runner() as runner,
    ):
        context = running_stage(database, workers, clock, log)
        stage = runner.run(context.__aenter__())

        def new_machine() -> AnOnboarding:
            return AnOnboarding(runner.run, stage)

        try:
            # Annotated as a class, but any callable without arguments works.
            run_state_machine_as_test(new_machine, settings=machine_settings)  # type: ignore[arg-type]
        finally:
            runner.run(context.__aexit__(None, None, None))


@ON_SQLITE
def test_concurrent_actions_match_some_serial_order(database: AnyDatabase) -> None:
    run_machine(database, workers=1, examples=5, steps=20, repeatable=True)


@ON_POSTGRESQL
def test_concurrent_actions_match_some_serial_order_with_two_bots(database: AnyDatabase) -> None:
    run_machine(database, workers=2, examples=2, steps=20, repeatable=True)


@pytest.mark.long
@pytest.mark.parametrize(
    ("database", "workers"), [("sqlite", 1), ("postgresql", 2)], indirect=["database"]
)
def test_concurrent_actions_match_some_serial_order_in_many_examples(
    database: AnyDatabase, workers: int
) -> None:
    run_machine(database, workers=workers, examples=150, steps=30, repeatable=False)
