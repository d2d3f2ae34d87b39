"""Which engineer is in charge of an onboarding, and who covers while they are away. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from bot.core.errors import Refused
from bot.onboarding.events import Event, EventKind, given
from bot.onboarding.model import Status
from bot.onboarding.people import BOT, Actor, UserRef
from bot.onboarding.state import Onboarding
from bot.onboarding.transitions import Change, must_be_running, noted


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


def assign(
    onboarding: Onboarding,
    engineer: str,
    actor: Actor,
    now: datetime,
    email: str = "",
    *,
    away: Mapping[str, Absence] = MappingProxyType({}),
    others: int = 0,
    quiet: bool = False,
) -> Change:
    """Put another engineer in charge for good; `email` is theirs, if Slack provides it.

    If they are `away`, a colleague covers for them until they are back. Of several clients that
    change hands at once, the first is announced with the number of `others`, which are `quiet`.
    """
    must_be_running(onboarding)
    before = onboarding.engineer
    if onboarding.covers_for == engineer and before == stand_in(away, engineer):
        text = "{colleague} has this one until {engineer} is back."
        raise Refused(text, colleague=UserRef(before), engineer=UserRef(engineer))
    if engineer == before:
        if onboarding.covers_for is None:
            raise Refused("{engineer} already has this one.", engineer=UserRef(engineer))
        before = onboarding.covers_for  # the colleague who covers for them keeps it
    detail = {"from": before, "to": engineer, **given(email=email, others=others)}
    event = Event(EventKind.ASSIGNED, actor, now, None, detail, quiet=quiet)
    assigned = noted(onboarding, event, engineer=engineer, covers_for=None)
    return covered(assigned, away, now)


def cover(onboarding: Onboarding, away: Mapping[str, Absence], now: datetime) -> Change:
    """Put a colleague in charge while the engineer is away; Refused if there's nothing to change.

    The guide still names the engineer's own address.
    """
    must_be_running(onboarding)
    colleague = covering(onboarding.engineer, onboarding.covers_for, away)
    if colleague is None:
        raise Refused("{engineer} has this one.", engineer=UserRef(onboarding.engineer))
    owner = onboarding.covers_for or onboarding.engineer
    until = away[owner].until.isoformat()
    detail: dict[str, object] = {"from": onboarding.engineer, "to": colleague, "until": until}
    return _moved(onboarding, colleague, owner, detail, now)


def covering(engineer: str, covers_for: str | None, away: Mapping[str, Absence]) -> str | None:
    """Return who should cover instead of `engineer`, None if nobody."""
    owner = covers_for or engineer
    colleague = stand_in(away, owner)
    return colleague if owner in away and colleague != engineer else None


def hand_back(onboarding: Onboarding, now: datetime, *, stays: bool = False) -> Change:
    """Give an onboarding back to the engineer who was away; Refused if nobody covers for them.

    It `stays` where it is if they are no longer an engineer.
    """
    engineer = onboarding.covers_for
    if engineer is None or onboarding.status is Status.CANCELLED:
        raise Refused("{engineer} has this one.", engineer=UserRef(onboarding.engineer))
    detail: dict[str, object] = {"from": onboarding.engineer, "to": engineer, "back": True}
    if stays:
        detail, engineer = {"from": engineer, "to": onboarding.engineer}, onboarding.engineer
    return _moved(onboarding, engineer, None, detail, now)


def covered(change: Change, away: Mapping[str, Absence], now: datetime) -> Change:
    """Return `change`, with a colleague in charge if its engineer is away."""
    if covering(change.onboarding.engineer, change.onboarding.covers_for, away) is None:
        return change
    return change.then(cover, away, now)


def _moved(
    onboarding: Onboarding,
    engineer: str,
    covers_for: str | None,
    detail: dict[str, object],
    now: datetime,
) -> Change:
    if onboarding.engineer_email:
        detail["email"] = onboarding.engineer_email
    event = Event(EventKind.ASSIGNED, BOT, now, None, detail, quiet=True)
    return noted(onboarding, event, engineer=engineer, covers_for=covers_for)
