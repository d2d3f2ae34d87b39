"""How long each side took: the events are replayed to find who had to act in between (pure).

Histories are sealed, so what a replay finds can't be added to those of earlier releases.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.guide import Guide, Owner
from bot.onboarding import Event, EventKind, Question
from bot.onboarding.effects import questions_after


@dataclass(frozen=True, slots=True)
class Span:
    """A period in which `side` had to act; None: it was paused."""

    start: datetime
    end: datetime
    phase: int
    side: Owner | None

    @property
    def length(self) -> timedelta:
        return self.end - self.start


def spans(guide: Guide, events: Iterable[Event], now: datetime) -> Iterator[Span]:
    """Yield the periods up to the end, or to `now`; equal neighbors are joined.

    If a clock was set back, no time has passed.
    """
    replay, start, at = Replay(guide), None, datetime.min.replace(tzinfo=UTC)
    for event in events:
        before, at = replay.state, max(at, event.at)
        replay.apply(event)
        if start is None:
            start = at
        elif replay.over or replay.state != before:
            if at > start:
                yield Span(start, at, *before)
            start = at
        if replay.over:
            return
    if start and (until := max(at, now)) > start:
        yield Span(start, until, *replay.state)


class Replay:
    """The state of an onboarding after each of its events: the phase, and who had to act."""

    def __init__(self, guide: Guide) -> None:
        self._guide = guide
        self._finished: dict[int, EventKind] = {}
        self._current: int | None = None  # None: to be worked out again
        self._unnecessary: frozenset[int] = frozenset()
        self._handed_over: frozenset[int] = frozenset()
        self._to_enter_again: tuple[str, ...] = ()
        self._questions: tuple[Question, ...] = ()
        self._paused = False
        self.over = False

    @property
    def state(self) -> tuple[int, Owner | None]:
        """The phase, and who has to act: nobody during a pause."""
        phase = self._guide.phase_of(self.current).number
        return phase, None if self._paused else self._awaited(self.current)

    @property
    def current(self) -> int:
        """The number of the current step, or of the last one when all are finished."""
        if self._current is None:
            steps = self._guide.steps
            left = (step.number for step in steps if step.number not in self._finished)
            self._current = next(left, steps[-1].number)
        return self._current

    @property
    def done(self) -> frozenset[int]:
        """The steps that are done, not skipped."""
        done = EventKind.STEP_DONE
        return frozenset(number for number, kind in self._finished.items() if kind is done)

    @property
    def open_questions(self) -> int:
        return sum(question.open for question in self._questions)

    def _awaited(self, current: int) -> Owner:
        if any(question.open and question.step == current for question in self._questions):
            return Owner.HEAVYSET
        again = [self._guide.field(name).step for name in self._to_enter_again]
        owners = {self._owner(number) for number in again or [current]}
        return Owner.CLIENT if Owner.CLIENT in owners else Owner.HEAVYSET

    def _owner(self, number: int) -> Owner:
        handed_over = number in self._handed_over
        return Owner.HEAVYSET if handed_over else self._guide.phase_of(number).owner

    def apply(self, event: Event) -> None:
        self._current = None
        match event.kind:
            case EventKind.ACCOUNT_CHOSEN:
                self._choose(event.step or 0, event.detail["choice"])
            case EventKind.STEP_DONE | EventKind.STEP_SKIPPED:
                self._finished[event.step or 0] = event.kind
            case EventKind.STEP_UNDONE:
                self._undo(event.step or 0, alone=bool(event.detail.get("alone")))
            case EventKind.STEPS_HANDED_OVER:
                self._handed_over |= set(event.detail["steps"])
            case EventKind.STEPS_GIVEN_BACK:
                self._handed_over -= set(event.detail["steps"])
            case EventKind.VERIFICATION_REQUESTED:
                self._to_enter_again = ()
            case EventKind.VERIFICATION_FINISHED:
                self._to_enter_again = tuple(event.detail.get("fields", ()))
            case EventKind.PAUSED | EventKind.RESUMED:
                self._paused = event.kind is EventKind.PAUSED
            case EventKind.COMPLETED | EventKind.CANCELLED:
                self.over = True
            case _:
                self._questions = questions_after(self._questions, event)

    def _choose(self, number: int, answer: str) -> None:
        option = self._guide.step(number).option(answer)
        self._unnecessary = frozenset(option.skips if option else ())

    def _undo(self, number: int, *, alone: bool) -> None:
        """Reopen a step and, unless `alone`, those after it, except what an engineer skipped."""
        if alone:
            self._finished.pop(number, None)
            return
        self._finished = {
            one: how
            for one, how in self._finished.items()
            if one < number
            or (one > number and how is EventKind.STEP_SKIPPED and one not in self._unnecessary)
        }
        if self._guide.step(number).choice:
            self._unnecessary = frozenset()
