"""Adds up the cases of a period. The counting rules are in docs/report.md."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from statistics import median

from bot.guide import Guide, Owner
from bot.onboarding.reporting.case import Case
from bot.onboarding.verification_report import Outcome


@dataclass(frozen=True, slots=True)
class Spread:
    """The median and 90th percentile (nearest rank) of `count` durations."""

    count: int
    median: timedelta
    p90: timedelta

    @classmethod
    def of(cls, times: Iterable[timedelta]) -> "Spread | None":
        """Return the spread of these durations, None if there are none."""
        found = sorted(times)
        if not found:
            return None
        seconds = median(time.total_seconds() for time in found)
        return cls(len(found), timedelta(seconds=seconds), found[ceil(0.9 * len(found)) - 1])


@dataclass(frozen=True, slots=True)
class StepTotals:
    """One step of a guide. The shares (0 to 1) are of the `reached` onboardings that got to it."""

    number: int
    title: str
    reached: int
    took: Spread | None
    stuck: float
    undone: float
    asked: float
    handed_over: float


@dataclass(frozen=True, slots=True)
class EngineerTotals:
    """One engineer: the running onboardings they are responsible for, and their answers."""

    user_id: str
    open: int
    waiting: int
    answers: Spread | None


@dataclass(frozen=True, slots=True)
class Report:
    """How the onboardings of a period went; `since` None: of all time.

    `cases` are those that started or ended in the period, the newest start first; `running` are all
    that run now. Durations are those of the onboardings that went live in the period.
    """

    since: datetime | None
    until: datetime
    cases: Sequence[Case]
    started: int
    finished: int
    given_up: int
    running: Sequence[Case]
    to_live: Spread | None
    sides: Mapping[Owner | None, Spread | None]
    first_checks: int
    first_checks_passed: int
    failures: Sequence[tuple[str, int]]
    steps: Sequence[StepTotals]
    engineers: Sequence[EngineerTotals]

    @property
    def pass_rate(self) -> float | None:
        """The share of first checks that passed, None without any."""
        return self.first_checks_passed / self.first_checks if self.first_checks else None

    @property
    def slowest(self) -> StepTotals | None:
        """The step with the longest median."""
        timed = [step for step in self.steps if step.took]
        return max(
            timed, key=lambda step: step.took.median if step.took else timedelta(), default=None
        )


def report_on(cases: Iterable[Case], since: datetime | None, now: datetime) -> Report:
    every = sorted(cases, key=lambda case: (case.started_at, case.id), reverse=True)

    def within(moment: datetime | None) -> bool:
        return moment is not None and (since is None or moment >= since)

    chosen = [case for case in every if within(case.started_at) or within(case.ended_at)]
    ended = [case for case in chosen if within(case.ended_at)]
    live = [case for case in ended if case.is_live]
    checked = [case.summary for case in chosen if case.summary.first_check]
    failures = Counter(title for summary in checked for title in summary.failed_checks)
    running = [case for case in every if case.running]
    return Report(
        since=since,
        until=now,
        cases=chosen,
        started=sum(within(case.started_at) for case in chosen),
        finished=len(live),
        given_up=len(ended) - len(live),
        running=running,
        to_live=Spread.of(case.took for case in live if case.took is not None),
        sides={side: Spread.of(case.sides[side] for case in live) for side in (*Owner, None)},
        first_checks=len(checked),
        first_checks_passed=sum(one.first_check is Outcome.PASSED for one in checked),
        failures=sorted(failures.items(), key=lambda one: (-one[1], one[0])),
        steps=_steps(chosen),
        engineers=_engineers(chosen, running),
    )


def _steps(cases: Sequence[Case]) -> Sequence[StepTotals]:
    """Return the steps of each guide, over the cases that share it."""
    guides: dict[str, Guide] = {}
    for case in cases:
        guides.setdefault(case.guide.id, case.guide)
    totals = []
    for guide in guides.values():
        of_guide = [case.summary for case in cases if case.guide.id == guide.id]
        for step in guide.steps:
            number = step.number
            reached = [one for one in of_guide if number in one.done or number in one.took]
            done = [one for one in reached if number in one.done]
            totals.append(
                StepTotals(
                    number=number,
                    title=step.title if len(guides) == 1 else f"{guide.title}: {step.title}",
                    reached=len(reached),
                    took=Spread.of(one.took.get(number, timedelta()) for one in done),
                    stuck=_share(number, [one.stuck for one in reached]),
                    undone=_share(number, [one.undone for one in reached]),
                    asked=_share(number, [one.asked for one in reached]),
                    handed_over=_share(number, [one.handed_over for one in reached]),
                )
            )
    return totals


def _share(step: int, among: Sequence[Sequence[int]]) -> float:
    return sum(step in steps for steps in among) / len(among) if among else 0.0


def _engineers(cases: Sequence[Case], running: Sequence[Case]) -> Sequence[EngineerTotals]:
    answers: defaultdict[str, list[timedelta]] = defaultdict(list)
    for case in cases:
        for answer in case.summary.answers:
            answers[answer.by].append(answer.waited)
    responsible = Counter(case.engineer for case in running)
    waiting = Counter(case.engineer for case in running if case.waits_for_us)
    totals = [
        EngineerTotals(user, responsible[user], waiting[user], Spread.of(answers[user]))
        for user in {*responsible, *answers}
    ]
    return sorted(totals, key=lambda one: (-one.waiting, -one.open, one.user_id))
