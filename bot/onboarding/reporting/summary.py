"""What a report needs of one history, apart from the time. The counting rules: docs/report.md."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache

from pydantic import TypeAdapter, ValidationError

from bot.guide import Guide, Owner
from bot.onboarding.events import Event, EventKind
from bot.onboarding.history.durations import Replay
from bot.onboarding.verification_report import Outcome

# Increment it when the same history gives a different summary: stored ones are then recomputed.
VERSION = 1
SIDES = (*Owner, None)  # None: paused
# The events that a summary depends on.
COUNTED = (
    EventKind.STARTED,
    EventKind.ACCOUNT_CHOSEN,
    EventKind.STEP_DONE,
    EventKind.STEP_SKIPPED,
    EventKind.STEP_UNDONE,
    EventKind.STEPS_HANDED_OVER,
    EventKind.STEPS_GIVEN_BACK,
    EventKind.VERIFICATION_REQUESTED,
    EventKind.VERIFICATION_FINISHED,
    EventKind.HELP_ASKED,
    EventKind.HELP_ANSWERED,
    EventKind.GUIDE_ANSWERED,
    EventKind.ESCALATED,
    EventKind.GONE_QUIET,
    EventKind.PAUSED,
    EventKind.RESUMED,
    EventKind.COMPLETED,
    EventKind.CANCELLED,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """How long a question waited for the person who answered it."""

    by: str
    waited: timedelta


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of one history, up to its end or its last event.

    `sides` is how long each of SIDES had to act, and `turn` who has to since `until`, at the
    `current_step`. `took` is how long each step was current, pauses left out; the other steps say
    where something happened. `first_check` is the outcome of the first check that came to a
    verdict, and `failed_checks` are the titles of what failed in it.
    """

    started_at: datetime
    until: datetime
    over: bool
    turn: Owner | None
    current_step: int
    open_questions: int
    sides: tuple[timedelta, ...]
    took: dict[int, timedelta]
    done: frozenset[int]
    stuck: tuple[int, ...]
    undone: tuple[int, ...]
    asked: tuple[int, ...]
    handed_over: tuple[int, ...]
    first_check: Outcome | None
    failed_checks: tuple[str, ...]
    checks: int
    answers: tuple[Answer, ...]

    def up_to(self, now: datetime) -> "Summary":
        """Return this summary; while the onboarding runs, the time since its last event counts."""
        since = now - self.until
        if self.over or since <= timedelta():
            return self
        side = SIDES.index(self.turn)
        sides = (*self.sides[:side], self.sides[side] + since, *self.sides[side + 1 :])
        took = self.took
        if self.turn is not None:
            before = took.get(self.current_step, timedelta())
            took = {**took, self.current_step: before + since}
        return replace(self, until=now, sides=sides, took=took)

    def dump(self) -> str:
        return _adapter().dump_json(self).decode()

    @classmethod
    def parse(cls, stored: str) -> "Summary | None":
        """Read what `dump` returned; None for anything else."""
        try:
            return _adapter().validate_json(stored)
        except ValidationError:
            return None


@cache
def _adapter() -> TypeAdapter[Summary]:
    return TypeAdapter(Summary)


@dataclass(slots=True)
class _Tally:
    """What is counted while the events are replayed."""

    sides: dict[Owner | None, timedelta] = field(default_factory=lambda: defaultdict(timedelta))
    took: dict[int, timedelta] = field(default_factory=lambda: defaultdict(timedelta))
    stuck: set[int] = field(default_factory=set)
    undone: set[int] = field(default_factory=set)
    asked: set[int] = field(default_factory=set)
    handed_over: set[int] = field(default_factory=set)
    verdicts: list[Event] = field(default_factory=list)
    questions: dict[int, datetime] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)

    def count(self, event: Event, current: int) -> None:
        step = event.step or current
        match event.kind:
            case EventKind.STEP_UNDONE:
                self.undone.add(step)
            case EventKind.ESCALATED | EventKind.GONE_QUIET:
                self.stuck.add(step)
            case EventKind.STEPS_HANDED_OVER:
                self.handed_over.update(event.detail["steps"])
            case EventKind.VERIFICATION_FINISHED if event.detail["outcome"] != Outcome.UNKNOWN:
                self.verdicts.append(event)
            case EventKind.HELP_ASKED | EventKind.GUIDE_ANSWERED:
                self.asked.add(step)
                self.questions[len(self.questions) + 1] = event.at
            case EventKind.HELP_ANSWERED:
                for number in event.detail["questions"]:
                    waited = max(event.at - self.questions[number], timedelta())
                    self.answers.append(Answer(event.actor.user_id, waited))


def summary_of(guide: Guide, events: Iterable[Event]) -> Summary:
    """Return the summary of these events, oldest first; the first one is the start.

    If a clock was set back, no time has passed.
    """
    replay, tally = Replay(guide), _Tally()
    events = iter(events)
    started_at = at = next(events).at
    for event in events:
        if event.at > at:
            side = replay.state[1]
            tally.sides[side] += event.at - at
            if side is not None:
                tally.took[replay.current] += event.at - at
            at = event.at
        tally.count(event, replay.current)
        replay.apply(event)
        if replay.over:
            break
    first = tally.verdicts[0] if tally.verdicts else None
    return Summary(
        started_at=started_at,
        until=at,
        over=replay.over,
        turn=replay.state[1],
        current_step=replay.current,
        open_questions=replay.open_questions,
        sides=tuple(tally.sides[side] for side in SIDES),
        took=dict(tally.took),
        done=replay.done,
        stuck=tuple(sorted(tally.stuck)),
        undone=tuple(sorted(tally.undone)),
        asked=tuple(sorted(tally.asked)),
        handed_over=tuple(sorted(tally.handed_over)),
        first_check=Outcome(first.detail["outcome"]) if first else None,
        failed_checks=tuple(first.detail.get("why", ())) if first else (),
        checks=len(tally.verdicts),
        answers=tuple(tally.answers),
    )
