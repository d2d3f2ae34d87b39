"""What a report needs of one history, apart from the time. The counting rules: docs/report.md."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain

from pydantic import BaseModel, ConfigDict

from bot.guide import Guide, Owner
from bot.onboarding.events import Event, EventKind
from bot.onboarding.history.durations import Replay
from bot.onboarding.verification_report import Outcome

# Increment it when the same history gives a different summary: stored ones are then recomputed.
VERSION = 1
SIDES = (*Owner, None)  # None: paused
ASKED = (EventKind.HELP_ASKED, EventKind.GUIDE_ANSWERED)
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


class Answer(BaseModel):
    """How long a question waited for the person who answered it."""

    model_config = ConfigDict(frozen=True)

    by: str
    waited: timedelta


class Summary(BaseModel):
    """The figures of one history, up to its end or its last event. It is stored as JSON.

    `sides` is how long each of SIDES had to act, and `turn` who has to since `until`, at the
    `current_step`. `took` is how long each step was current, pauses left out; the other steps say
    where something happened. `first_check` is the outcome of the first check that came to a
    verdict, and `failed_checks` are the titles of what failed in it.
    """

    model_config = ConfigDict(frozen=True)

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
        sides, took = list(self.sides), dict(self.took)
        sides[SIDES.index(self.turn)] += since
        if self.turn is not None:
            took[self.current_step] = took.get(self.current_step, timedelta()) + since
        return self.model_copy(update={"until": now, "sides": tuple(sides), "took": took})


def summary_of(guide: Guide, events: Iterable[Event]) -> Summary:
    """Return the summary of these events, oldest first; the first one is the start.

    If a clock was set back, no time has passed.
    """
    replay, events = Replay(guide), iter(events)
    started_at = at = next(events).at
    sides, took = dict.fromkeys(SIDES, timedelta()), defaultdict[int, timedelta](timedelta)
    seen: list[Event] = []  # each with its step
    for event in events:
        if event.at > at:
            side = replay.state[1]
            sides[side] += event.at - at
            if side is not None:
                took[replay.current] += event.at - at
            at = event.at
        seen.append(replace(event, step=event.step or replay.current))
        replay.apply(event)
        if replay.over:
            break
    checks = [event.detail for event in _of(seen, EventKind.VERIFICATION_FINISHED)]
    verdicts = [check for check in checks if check["outcome"] != Outcome.UNKNOWN]
    first = verdicts[0] if verdicts else None
    handed_over = (event.detail["steps"] for event in _of(seen, EventKind.STEPS_HANDED_OVER))
    return Summary(
        started_at=started_at,
        until=at,
        over=replay.over,
        turn=replay.state[1],
        current_step=replay.current,
        open_questions=replay.open_questions,
        sides=tuple(sides.values()),
        took=dict(took),
        done=replay.done,
        stuck=_steps(seen, EventKind.ESCALATED, EventKind.GONE_QUIET),
        undone=_steps(seen, EventKind.STEP_UNDONE),
        asked=_steps(seen, *ASKED),
        handed_over=tuple(sorted({*chain.from_iterable(handed_over)})),
        first_check=Outcome(first["outcome"]) if first else None,
        failed_checks=tuple(first.get("why", ())) if first else (),
        checks=len(verdicts),
        answers=tuple(_answers(seen)),
    )


def _of(events: Iterable[Event], *kinds: EventKind) -> list[Event]:
    return [event for event in events if event.kind in kinds]


def _steps(events: Iterable[Event], *kinds: EventKind) -> tuple[int, ...]:
    return tuple(sorted({event.step for event in _of(events, *kinds) if event.step}))


def _answers(events: Sequence[Event]) -> Iterator[Answer]:
    asked_at = [event.at for event in _of(events, *ASKED)]
    for event in _of(events, EventKind.HELP_ANSWERED):
        for number in event.detail["questions"]:
            waited = max(event.at - asked_at[number - 1], timedelta())
            yield Answer(by=event.actor.user_id, waited=waited)
