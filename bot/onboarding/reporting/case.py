"""One onboarding in a report: its columns, and the summary of its history."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.guide import Guide, Owner
from bot.onboarding.model import Status
from bot.onboarding.reporting.summary import SIDES, Answer, Summary
from bot.onboarding.verification_report import Outcome


@dataclass(frozen=True, slots=True)
class Case:
    """One onboarding. `sides` is how long each side had to act; None: how long it was paused.

    `took_by_step` is how long each step was current, pauses left out; the other steps say where
    something happened. `first_check` is the outcome of the first check that came to a verdict, and
    `failed_checks` are the titles of what failed in it.
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
    took_by_step: Mapping[int, timedelta]
    done: Set[int]
    stuck: Sequence[int]
    undone: Sequence[int]
    asked: Sequence[int]
    handed_over: Sequence[int]
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


def case_of(
    onboarding_id: str,
    client: str,
    engineer: str,
    guide: Guide,
    status: Status,
    summary: Summary,
    now: datetime,
) -> Case:
    """Return the case of an onboarding; while it runs, the time since its last event counts."""
    running, took = not summary.over, summary.took
    sides = dict(zip(SIDES, summary.sides, strict=True))
    since = now - summary.until
    if running and since > timedelta():
        sides[summary.turn] += since
        if summary.turn is not None:
            before = took.get(summary.current_step, timedelta())
            took = {**took, summary.current_step: before + since}
    return Case(
        id=onboarding_id,
        client=client,
        engineer=engineer,
        guide=guide,
        status=status,
        started_at=summary.started_at,
        ended_at=None if running else summary.until,
        turn=summary.turn if running else None,
        current_step=summary.current_step if running else None,
        open_questions=summary.open_questions if running else 0,
        sides=sides,
        took_by_step=took,
        done=summary.done,
        stuck=summary.stuck,
        undone=summary.undone,
        asked=summary.asked,
        handed_over=summary.handed_over,
        first_check=summary.first_check,
        failed_checks=summary.failed_checks,
        checks=summary.checks,
        answers=summary.answers,
    )
