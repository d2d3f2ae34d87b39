"""After go-live: the connection is checked again, and the client told what to fix (pure)."""

import hashlib
from datetime import datetime, time, timedelta

from bot.core.errors import Refused
from bot.onboarding.business_time import Calendar
from bot.onboarding.events import Event, EventKind
from bot.onboarding.model import Status, Told, Verification
from bot.onboarding.people import Actor
from bot.onboarding.state import Onboarding
from bot.onboarding.transitions import Change, changed
from bot.onboarding.verifications import start_verification

WEEK = timedelta(days=7)
# A connection that was checked today, say by `check all`, isn't checked again before tomorrow.
SHORTEST_GAP = timedelta(days=1)


def is_live(onboarding: Onboarding) -> bool:
    """Whether a client's connection can be checked: verified, complete, credentials kept."""
    is_complete = onboarding.status is Status.COMPLETED and not onboarding.destroyed_at
    return is_complete and not onboarding.missing and bool(onboarding.verifications)


def next_check(onboarding: Onboarding, calendar: Calendar) -> datetime:
    """Return when to check next: at the client's own time of the business week.

    Those times are spread evenly over the week. Never more than a week after the last check, unless
    that is outside business hours.
    """
    checked = [run.requested_at for run in onboarding.verifications]
    last = max([*checked, onboarding.finished_at or onboarding.active_at])
    local = last.astimezone(calendar.zone)
    monday = datetime.combine(local.date() - timedelta(local.weekday()), time(), calendar.zone)
    latest = calendar.open_from(last + WEEK)
    while monday <= latest:
        business = calendar.elapsed(monday, monday + WEEK)
        at = calendar.after(monday, _share(onboarding.id) * business)
        if business and at >= last + SHORTEST_GAP:
            return min(at, latest)
        monday += WEEK
    return latest


def _share(onboarding_id: str) -> float:
    """Return how much of the week has passed at a client's own time, from 0 to 1."""
    return int.from_bytes(hashlib.sha256(onboarding_id.encode()).digest()[:4]) / 2**32


def recheck(onboarding: Onboarding, actor: Actor, now: datetime, *, since: datetime) -> Change:
    """Check a live client's credentials again; the thread doesn't show it.

    Refused if there is nothing to check, or if that was requested since `since`.
    """
    if not is_live(onboarding):
        raise Refused("There is nothing to check anymore.")
    latest = onboarding.verification
    if latest and (latest.report is None or latest.requested_at >= since):
        raise Refused("This was just checked.")
    return start_verification(onboarding, actor, now, recheck=True)


def failing(onboarding: Onboarding) -> Verification | None:
    """Return the verification that a live client fails."""
    verdict = onboarding.last_verdict
    return verdict if verdict and verdict.failed and is_live(onboarding) else None


def tell_client(onboarding: Onboarding, actor: Actor, now: datetime) -> Change:
    """Have the client told in the thread what to fix; refused if they know, or nothing fails."""
    run = failing(onboarding)
    if run is None:
        raise Refused("There's nothing to tell: this connection isn't failing anymore.")
    if told := told_of(onboarding, run):
        raise Refused("The client knows already: {by} told them {at}.", by=told.by, at=told.at)
    event = Event(EventKind.CLIENT_TOLD, actor, now, None, {"number": run.number})
    return changed(onboarding, event)


def told_of(onboarding: Onboarding, run: Verification) -> Told | None:
    """Return who told the client what `run` found, and when; None if the causes have changed."""
    runs = onboarding.verifications
    for told in reversed(onboarding.told):
        first, last = sorted((told.number, run.number))
        between = [one.report for one in runs[first - 1 : last] if one.report]
        decided = [one for one in between if one.is_verdict]
        if decided and all(one.causes == decided[0].causes for one in decided):
            return told
    return None
