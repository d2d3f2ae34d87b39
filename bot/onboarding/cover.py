"""Engineers who are away: who covers for them, and until when. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Absence:
    """`colleague` has the clients of `engineer` until then."""

    engineer: str
    colleague: str
    since: datetime
    until: datetime


def away_at(absences: Sequence[Absence], now: datetime) -> Mapping[str, Absence]:
    """Return who is away now, by engineer."""
    return {one.engineer: one for one in absences if now < one.until}


def stand_in(away: Mapping[str, Absence], engineer: str) -> str:
    """Return who has an engineer's clients now: a colleague, or theirs if that one is away too."""
    asked: set[str] = set()
    while engineer in away and engineer not in asked:
        asked.add(engineer)
        engineer = away[engineer].colleague
    return engineer
