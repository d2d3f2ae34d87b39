"""The history as a whole: events and durations (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.guide import Guide, Owner
from bot.onboarding import Event, EventKind
from bot.onboarding.history.durations import Span, spans
from bot.onboarding.history.sentences import Words, words

NONE = timedelta()


@dataclass(frozen=True, slots=True)
class History:
    """What happened, oldest first. The times of all sides and pauses add up, as do those of phases.

    `until` is the end, or now if there is none yet; what happens after the end takes no time.
    """

    guide: Guide
    events: tuple[Event, ...]
    spans: tuple[Span, ...]

    @property
    def started_at(self) -> datetime:
        return self.events[0].at

    @property
    def until(self) -> datetime:
        return self.spans[-1].end if self.spans else self.started_at

    @property
    def over(self) -> bool:
        ends = (EventKind.COMPLETED, EventKind.CANCELLED)
        return any(event.kind in ends for event in self.events)

    @property
    def took(self) -> timedelta:
        """The total time, including pauses."""
        return self.until - self.started_at

    @property
    def sides(self) -> Mapping[Owner | None, timedelta]:
        """How long each side had to act; None: how long it was paused."""
        phases = self.phases.values()
        return {side: sum((times[side] for times in phases), NONE) for side in (*Owner, None)}

    @property
    def phases(self) -> Mapping[int, Mapping[Owner | None, timedelta]]:
        """How long each side had to act in each phase; None: how long it was paused."""
        found = {one.number: dict.fromkeys((*Owner, None), NONE) for one in self.guide.phases}
        for span in self.spans:
            found[span.phase][span.side] += span.length
        return found

    def words(self, event: Event) -> Words:
        """Return what happened, without its subject, the actor."""
        return words(self.guide, event)


def history_of(guide: Guide, events: Sequence[Event], now: datetime) -> History:
    """Return the history of these events, the first of which is the start."""
    return History(guide, tuple(events), tuple(spans(guide, events, now)))
