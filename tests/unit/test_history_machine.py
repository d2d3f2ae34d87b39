"""Whatever people press, in whatever order, the history knows whose turn it was, and adds up."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant

from bot.onboarding import EventKind, Status
from bot.onboarding.history import History, history_of
from bot.onboarding.history.durations import Replay, Span
from tests.builders import GUIDE, NOW
from tests.unit.test_onboarding_machine import AnOnboarding

OVER = (Status.COMPLETED, Status.CANCELLED)
ENDS = (EventKind.COMPLETED, EventKind.CANCELLED)


class AHistory(AnOnboarding):
    """The same onboarding and people, with the history replayed after each action."""

    @invariant()
    def it_knows_whose_turn_it_was(self) -> None:
        replay, onboarding = Replay(GUIDE), self.onboarding
        for event in self.events:
            replay.apply(event)
        assert replay.over is (onboarding.status in OVER)
        if not replay.over:
            paused = onboarding.status is Status.PAUSED
            assert onboarding.current
            assert onboarding.phase
            assert replay.current == onboarding.current.number
            assert replay.state == (
                onboarding.phase.number,
                None if paused else onboarding.awaited,
            )

    @invariant()
    def its_parts_agree(self) -> None:
        history = history_of(GUIDE, self.events, self.now)
        all_times_add_up(history)
        spans_are_consecutive(history.spans)
        assert history.took == self.until - NOW
        assert all(map(history.words, history.events))
        assert len(history.events) == len(self.events)

    @property
    def until(self) -> datetime:
        """The end, or now; setting the clock back doesn't subtract time."""
        ends = [n for n, event in enumerate(self.events, start=1) if event.kind in ENDS]
        if ends:
            return max(event.at for event in self.events[: ends[0]])
        return max(self.now, *(event.at for event in self.events))


def all_times_add_up(history: History) -> None:
    sides = sum(history.sides.values(), timedelta())
    phases = [time for phase in history.phases.values() for time in phase.values()]
    assert sides == sum(phases, timedelta()) == history.took


def spans_are_consecutive(spans: Sequence[Span]) -> None:
    assert all(span.length > timedelta() for span in spans)
    for span, following in pairwise(spans):
        assert span.end == following.start
        assert (span.phase, span.side) != (following.phase, following.side)


TestAHistory = AHistory.TestCase
TestAHistory.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
