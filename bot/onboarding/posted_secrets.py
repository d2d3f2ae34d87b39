"""The transition for credentials that somebody posted where others can read them."""

from collections.abc import Collection
from datetime import datetime

from bot.onboarding.effects import apply
from bot.onboarding.events import Event, EventKind, given
from bot.onboarding.model import PostedSecret, Status
from bot.onboarding.people import BOT, Actor
from bot.onboarding.state import Onboarding
from bot.onboarding.throttling import MAX_FINGERPRINTS, POSTED_SECRETS
from bot.onboarding.transitions import Change, back_to, changed, noted


def record_posted_secret(
    onboarding: Onboarding,
    fields: Collection[str],
    actor: Actor,
    now: datetime,
    fingerprints: Collection[str] = (),
    *,
    elsewhere: bool | str = False,
    reopen: Collection[str] | None = None,
    texts: Collection[datetime] = (),
) -> Change:
    """Record that credentials were posted in the client's channel, or `elsewhere`.

    `elsewhere` is the other channel, or True for the engineering channel. If a stored secret was
    posted, its step opens again, so that the client creates a new one; `reopen` limits for which
    fields. `fingerprints` identify what was posted if it is entered later. `texts` are the times of
    the events that quote it, which are hidden from now on.
    """
    hidden = sorted(at.isoformat() for at in texts)
    detail = given(marks=sorted(fingerprints), elsewhere=elsewhere, texts=hidden)
    detail["fields"] = list(fields)
    exposed = Event(EventKind.EXPOSED, actor, now, None, detail)
    after = apply(onboarding, exposed)
    step = _first_step(after, fields if reopen is None else reopen)
    if onboarding.status is Status.ACTIVE and step and onboarding.step(step).finished:
        undone = Event(EventKind.STEP_UNDONE, BOT, now, step)
        return changed(onboarding, exposed, undone, steps=back_to(onboarding, step))
    posted = after.posted_secrets[-1]
    if not texts and (notice := _recent_notice(onboarding, posted)):
        return _posted_again(onboarding, notice, posted)
    return changed(onboarding, exposed)


def _first_step(onboarding: Onboarding, fields: Collection[str]) -> int:
    """Return the first step that asks for an exposed secret among `fields`, 0 if none does."""
    exposed = map(onboarding.guide.field, onboarding.exposed)
    return min((field.step for field in exposed if field.id in fields), default=0)


def _recent_notice(onboarding: Onboarding, posted: PostedSecret) -> PostedSecret | None:
    """Return the notice of the last hour that says the same about the same credentials."""
    for notice in reversed(onboarding.posted_secrets):
        if POSTED_SECRETS.wait([notice.at], posted.at) is None:
            return None
        same = notice.elsewhere == posted.elsewhere and {*posted.fields} <= {*notice.fields}
        stored = (onboarding.credentials.get(name) for name in posted.fields)
        if same and all(value is None or value.at <= notice.at for value in stored):
            return notice
    return None


def _posted_again(onboarding: Onboarding, notice: PostedSecret, posted: PostedSecret) -> Change:
    """Add the fingerprints to an earlier notice; nobody is notified again."""
    room = max(MAX_FINGERPRINTS - len(notice.fingerprints), 0)
    new = sorted({*posted.fingerprints} - {*notice.fingerprints})[:room]
    if not new:
        return Change(onboarding)
    detail = {"number": notice.number, "fields": list(posted.fields), "marks": new}
    again = Event(EventKind.EXPOSED_AGAIN, posted.by, posted.at, None, detail)
    return noted(onboarding, again)
