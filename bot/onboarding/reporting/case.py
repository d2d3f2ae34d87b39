"""One onboarding in a report: its columns, and the summary of its history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.guide import Guide, Owner
from bot.onboarding.model import Status
from bot.onboarding.reporting.summary import SIDES, Summary


@dataclass(frozen=True, slots=True)
class Case:
    """One onboarding. While it runs, `summary` counts the time up to now."""

    id: str
    client: str
    engineer: str
    guide: Guide
    status: Status
    summary: Summary

    @property
    def running(self) -> bool:
        return self.status in (Status.ACTIVE, Status.PAUSED)

    @property
    def is_live(self) -> bool:
        return self.status is Status.COMPLETED

    @property
    def started_at(self) -> datetime:
        return self.summary.started_at

    @property
    def ended_at(self) -> datetime | None:
        return self.summary.until if self.summary.over else None

    @property
    def took(self) -> timedelta | None:
        """The time from start to end by the calendar, None while it runs."""
        return self.ended_at - self.started_at if self.ended_at else None

    @property
    def sides(self) -> Mapping[Owner | None, timedelta]:
        """How long each side had to act; None: how long it was paused."""
        return dict(zip(SIDES, self.summary.sides, strict=True))

    @property
    def waits_for_us(self) -> bool:
        """Whether HeavySet has to act: it is our turn, or a question is open."""
        ours = self.summary.turn is Owner.HEAVYSET or self.summary.open_questions > 0
        return self.status is Status.ACTIVE and ours
