"""The history as a whole: entries, durations, questions, verifications (pure)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.guide import Guide, Owner
from bot.onboarding import Event, EventKind
from bot.onboarding.history.durations import Span, spans
from bot.onboarding.history.sentences import Words, words
from bot.onboarding.people import Actor
from bot.onboarding.report import Outcome

NONE = timedelta()


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. Its actor is the subject of its `words`, found when somebody reads them."""

    guide: Guide
    event: Event

    @property
    def words(self) -> Words:
        """What happened, without its subject."""
        return words(self.guide, self.event)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question, and when it was answered; `by_guide`: at once, from the guide."""

    step: int | None
    by: Actor
    at: datetime
    by_guide: bool = False
    answered_at: datetime | None = None

    @property
    def waited(self) -> timedelta | None:
        """How long the answer took, None if there is none."""
        return max(self.answered_at - self.at, NONE) if self.answered_at else None


@dataclass(frozen=True, slots=True)
class Run:
    """A verification; without an outcome it is not finished."""

    number: int
    by: Actor
    at: datetime
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What happened, oldest first. The times of all sides and pauses add up, as do those of phases.

    `until` is the end, or now if there is none yet; what happens after the end takes no time.
    """

    guide: Guide
    entries: tuple[Entry, ...]
    spans: tuple[Span, ...]
    inquiries: tuple[Inquiry, ...]
    runs: tuple[Run, ...]
    started_at: datetime
    until: datetime
    over: bool

    @property
    def took(self) -> timedelta:
        """The total time, including pauses."""
        return self.until - self.started_at

    @property
    def sides(self) -> Mapping[Owner | None, timedelta]:
        """How long each side had to act; None: how long it was paused."""
        return {
            side: _sum(one for one in self.spans if one.side is side) for side in (*Owner, None)
        }

    @property
    def phases(self) -> Mapping[int, Mapping[Owner | None, timedelta]]:
        """How long each side had to act in each phase; None: how long it was paused."""
        return {
            phase.number: {
                side: _sum(
                    one for one in self.spans if (one.phase, one.side) == (phase.number, side)
                )
                for side in (*Owner, None)
            }
            for phase in self.guide.phases
        }

    def of_kind(self, *kinds: EventKind) -> Sequence[Entry]:
        return [entry for entry in self.entries if entry.event.kind in kinds]


def tell(guide: Guide, events: Sequence[Event], now: datetime) -> History:
    """Return the history of these events, the first of which is the start."""
    passed = tuple(spans(guide, events, now))
    started_at = events[0].at
    ends = (EventKind.COMPLETED, EventKind.CANCELLED)
    return History(
        guide=guide,
        entries=tuple(Entry(guide, event) for event in events),
        spans=passed,
        inquiries=tuple(_inquiries(events)),
        runs=tuple(_runs(events)),
        started_at=started_at,
        until=passed[-1].end if passed else started_at,
        over=any(event.kind in ends for event in events),
    )


def _inquiries(events: Iterable[Event]) -> Iterable[Inquiry]:
    found: dict[int, Inquiry] = {}
    for event in events:
        if event.kind in (EventKind.HELP_ASKED, EventKind.GUIDE_ANSWERED):
            by_guide = event.kind is EventKind.GUIDE_ANSWERED
            found[len(found) + 1] = Inquiry(event.step, event.actor, event.at, by_guide)
        elif event.kind is EventKind.HELP_ANSWERED:
            for number in event.detail["questions"]:
                found[number] = replace(found[number], answered_at=event.at)
    return found.values()


def _runs(events: Iterable[Event]) -> Iterable[Run]:
    found: dict[int, Run] = {}
    for event in events:
        if event.kind is EventKind.VERIFICATION_REQUESTED:
            number = event.detail["number"]
            found[number] = Run(number, event.actor, event.at)
        elif event.kind is EventKind.VERIFICATION_FINISHED:
            number, outcome = event.detail["number"], Outcome(event.detail["outcome"])
            begun = found.get(number) or Run(number, event.actor, event.at)
            found[number] = replace(begun, outcome=outcome)
    return found.values()


def _sum(some: Iterable[Span]) -> timedelta:
    return sum((one.length for one in some), NONE)
