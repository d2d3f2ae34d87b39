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
from tests.machine.actions import Deed, deeds
from tests.machine.arena import Stage, a_stage
from tests.machine.model import LAST, LAST_OF_CLIENT, NONE
from tests.outages.time_lapse import logged

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

    def act(self, *waves: list[Deed], **circumstances: Any) -> None:
        self.failed = True
        self.run(self.stage.act(*waves, **circumstances))
        self.failed = False

    # --- what people do ---

    @rule(deed=deeds)
    def alone(self, deed: Deed) -> None:
        self.act([deed])

    @rule(deed=deeds, times=st.integers(2, 20))
    def the_same_many_times_at_once(self, deed: Deed, times: int) -> None:
        self.act([deed] * times)

    @rule(
        those=st.lists(deeds, min_size=2, max_size=5),
        before_it_shows=st.lists(deeds, max_size=3),
    )
    def at_once(self, those: list[Deed], before_it_shows: list[Deed]) -> None:
        self.act(those, before_it_shows)

    @rule(those=st.lists(deeds, min_size=2, max_size=3), each=st.integers(2, 6))
    def each_many_times_at_once(self, those: list[Deed], each: int) -> None:
        self.act(those * each)

    @rule(steps=st.integers(1, 3))
    def go_on(self, steps: int) -> None:
        for _ in range(steps):
            self.act([Deed("erin", self._next())])

    def _next(self) -> str:
        at = self.stage.model
        if at.current == LAST_OF_CLIENT and NONE in at.values:
            return "enter right"
        return {1: "new", LAST: "verify"}.get(self.stage.current, "done")

    # --- what happens to them ---

    @rule(times=st.integers(1, 5), meanwhile=st.lists(deeds, max_size=2))
    def slack_sends_a_request_again(self, times: int, meanwhile: list[Deed]) -> None:
        self.act(meanwhile, again=times if self.stage.carried_out else 0)

    @rule(
        those=st.lists(deeds.filter(lambda deed: "say" not in deed.what), min_size=1, max_size=4),
        seed=st.integers(0, 999),
        restart=st.booleans(),
    )
    def in_bad_weather(self, those: list[Deed], seed: int, restart: bool) -> None:
        self.act(those, weather=seed, restart=restart)

    @rule(those=st.lists(deeds, max_size=4))
    def the_bot_is_restarted(self, those: list[Deed]) -> None:
        self.act(those, restart=True)

    @rule(hours=st.integers(1, 9))
    def time_passes(self, hours: int) -> None:
        self.failed = True
        self.run(self.stage.passes(timedelta(hours=hours)))
        self.failed = False

    # --- what always holds ---

    @invariant()
    def all_is_as_it_must_be(self) -> None:
        self.run(self.stage.assert_consistent())

    @invariant()
    def versions_only_grow(self) -> None:
        before, self.versions = self.versions, self.run(self.stage.versions())
        gone = self.stage.model.status == "cancelled"
        assert gone or all(self.versions[name] >= version for name, version in before.items())

    def teardown(self) -> None:
        if not self.failed:
            self.run(self.stage.end())


def play(database: AnyDatabase, *, workers: int, examples: int, steps: int, steady: bool) -> None:
    """Run this many examples, the same ones each time if `steady`."""
    how = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=steady,
        # Shrinking takes minutes, as the examples are slow: only the long form does it.
        phases=[Phase.generate] if steady else list(Phase),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with (
        logged() as log,
        freeze_time(MONDAY, tick=True, real_asyncio=True, ignore=["hypothesis"]) as clock,
        asyncio.Runner() as runner,
    ):
        context = a_stage(database, workers, clock, log)
        stage = runner.run(context.__aenter__())

        def one() -> AnOnboarding:
            return AnOnboarding(runner.run, stage)

        try:
            # It says that it wants a class, but calls it without arguments.
            run_state_machine_as_test(one, settings=how)  # type: ignore[arg-type]
        finally:
            runner.run(context.__aexit__(None, None, None))


@ON_SQLITE
def test_concurrent_actions_match_some_serial_order(database: AnyDatabase) -> None:
    play(database, workers=1, examples=5, steps=20, steady=True)


@ON_POSTGRESQL
def test_concurrent_actions_match_some_serial_order_with_two_bots(database: AnyDatabase) -> None:
    play(database, workers=2, examples=2, steps=20, steady=True)


@pytest.mark.long
@pytest.mark.parametrize(
    ("database", "workers"), [("sqlite", 1), ("postgresql", 2)], indirect=["database"]
)
def test_concurrent_actions_match_some_serial_order_in_many_examples(
    database: AnyDatabase, workers: int
) -> None:
    play(database, workers=workers, examples=150, steps=30, steady=False)
