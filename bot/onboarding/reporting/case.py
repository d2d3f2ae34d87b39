"""What the history of one onboarding tells. The counting rules are in docs/report.md."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.guide import Guide, Owner
from bot.onboarding.events import Event, EventKind
from bot.onboarding.history.durations import Replay
from bot.onboarding.model import Status
from bot.onboarding.report import Outcome

# The events that a case depends on.
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


@dataclass(slots=True)
class StepCase:
    """One step of one onboarding: how long it was current, pauses left out, and what happened."""

    took: timedelta = timedelta()
    done: bool = False
    stuck: bool = False
    undone: bool = False
    asked: bool = False
    handed_over: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """How long a question waited for the person who answered it."""

    by: str
    waited: timedelta


@dataclass(frozen=True, slots=True)
class Case:
    """One onboarding. `sides` is how long each side had to act; None: how long it was paused.

    `first_check` is the outcome of the first check that came to a verdict, and `failed_checks` are
    the titles of what failed in it.
    """

    id: str
    client: str
    engineer: str
    guide: Guide
    status: Status
    started_at: datetime
    ended_at: datetime | None
    turn: Owner | None
    current_step: int | None
    open_questions: int
    sides: Mapping[Owner | None, timedelta]
    steps: Mapping[int, StepCase]
    first_check: Outcome | None
    failed_checks: Sequence[str]
    checks: int
    answers: Sequence[Answer]

    @property
    def running(self) -> bool:
        return self.status in (Status.ACTIVE, Status.PAUSED)

    @property
    def is_live(self) -> bool:
        return self.status is Status.COMPLETED

    @property
    def took(self) -> timedelta | None:
        """The time from start to end by the calendar, None while it runs."""
        return self.ended_at - self.started_at if self.ended_at else None

    @property
    def waits_for_us(self) -> bool:
        """Whether HeavySet has to act: it is our turn, or a question is open."""
        ours = self.turn is Owner.HEAVYSET or self.open_questions > 0
        return self.status is Status.ACTIVE and ours


@dataclass(slots=True)
class _Tally:
    """What is counted while the events are replayed."""

    steps: dict[int, StepCase] = field(default_factory=lambda: defaultdict(StepCase))
    sides: dict[Owner | None, timedelta] = field(default_factory=lambda: defaultdict(timedelta))
    verdicts: list[Event] = field(default_factory=list)
    asked: dict[int, datetime] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)

    def count(self, event: Event, current: int) -> None:
        step = self.steps[event.step or current]
        match event.kind:
            case EventKind.STEP_UNDONE:
                step.undone = True
            case EventKind.ESCALATED | EventKind.GONE_QUIET:
                step.stuck = True
            case EventKind.STEPS_HANDED_OVER:
                for number in event.detail["steps"]:
                    self.steps[number].handed_over = True
            case EventKind.VERIFICATION_FINISHED if event.detail["outcome"] != Outcome.UNKNOWN:
                self.verdicts.append(event)
            case EventKind.HELP_ASKED | EventKind.GUIDE_ANSWERED:
                step.asked = True
                self.asked[len(self.asked) + 1] = event.at
            case EventKind.HELP_ANSWERED:
                for number in event.detail["questions"]:
                    waited = max(event.at - self.asked[number], timedelta())
                    self.answers.append(Answer(event.actor.user_id, waited))


def case_of(
    onboarding_id: str,
    client: str,
    engineer: str,
    guide: Guide,
    status: Status,
    events: Iterable[Event],
    now: datetime,
) -> Case:
    """Return the case of an onboarding from its events, oldest first.

    The first event is its start. If a clock was set back, no time has passed.
    """
    replay, tally = Replay(guide), _Tally()
    events = iter(events)
    started_at = at = next(events).at
    ended_at: datetime | None = None
    for event in events:
        _pass(replay, tally, at, event.at)
        at = max(at, event.at)
        tally.count(event, replay.current)
        replay.apply(event)
        if replay.over:
            ended_at = at
            break
    else:
        _pass(replay, tally, at, now)
    for number in replay.done:
        tally.steps[number].done = True
    running = ended_at is None
    first = tally.verdicts[0] if tally.verdicts else None
    return Case(
        id=onboarding_id,
        client=client,
        engineer=engineer,
        guide=guide,
        status=status,
        started_at=started_at,
        ended_at=ended_at,
        turn=replay.state[1] if running else None,
        current_step=replay.current if running else None,
        open_questions=replay.open_questions if running else 0,
        sides={side: tally.sides[side] for side in (*Owner, None)},
        steps=dict(tally.steps),
        first_check=Outcome(first.detail["outcome"]) if first else None,
        failed_checks=tuple(first.detail.get("why", ())) if first else (),
        checks=len(tally.verdicts),
        answers=tuple(tally.answers),
    )


def _pass(replay: Replay, tally: _Tally, since: datetime, until: datetime) -> None:
    if until > since:
        _, side = replay.state
        tally.sides[side] += until - since
        if side is not None:
            tally.steps[replay.current].took += until - since
