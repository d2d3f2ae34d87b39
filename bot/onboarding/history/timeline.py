"""The history as a whole: entries and durations (pure)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.guide import Guide, Owner
from bot.onboarding import Event, EventKind
from bot.onboarding.history.durations import Span, spans
from bot.onboarding.history.sentences import Words, words

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
class History:
    """What happened, oldest first. The times of all sides and pauses add up, as do those of phases.

    `until` is the end, or now if there is none yet; what happens after the end takes no time.
    """

    guide: Guide
    entries: tuple[Entry, ...]
    spans: tuple[Span, ...]
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
        started_at=started_at,
        until=passed[-1].end if passed else started_at,
        over=any(event.kind in ends for event in events),
    )


def _sum(some: Iterable[Span]) -> timedelta:
    return sum((one.length for one in some), NONE)
