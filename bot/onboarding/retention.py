"""Transitions of unused credentials: deleted after a while unless an engineer objects."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.errors import Refused
from bot.onboarding.events import Event, EventKind
from bot.onboarding.people import BOT, Actor
from bot.onboarding.state import Onboarding
from bot.onboarding.transitions import Change, back_to, must_be_running, noted


def expire_credentials(
    onboarding: Onboarding, now: datetime, *, keep: timedelta, objection: timedelta
) -> Change:
    """Ask engineering about credentials unused for `keep`; delete them after `objection`.

    Refused if there is nothing to ask or to delete now.
    """
    must_be_running(onboarding)
    if not onboarding.credentials or now - onboarding.active_at < keep:
        raise Refused("These credentials are in use.")
    asked = onboarding.retained
    if asked and now < asked.until:
        raise Refused("Engineering knows, or decided to keep them.")
    if asked and not asked.kept_by:
        return _delete(onboarding, now)
    return _retain(onboarding, EventKind.RETENTION_ASKED, BOT, now, now + objection)


def keep_credentials(
    onboarding: Onboarding, actor: Actor, now: datetime, keep: timedelta
) -> Change:
    """Keep unused credentials for `keep`; then engineering is asked again."""
    asked = onboarding.retained
    if asked and asked.kept_by:
        text = "{by} already kept these credentials, until {until}."
        raise Refused(text, by=asked.kept_by, until=asked.until)
    if onboarding.deletions and not onboarding.credentials:
        deleted_at = onboarding.deletions[-1].at
        raise Refused("These credentials were already deleted: {at}.", at=deleted_at)
    if not asked or not onboarding.credentials:
        raise Refused("There's nothing to decide anymore: this setup has moved on.")
    must_be_running(onboarding)
    return _retain(onboarding, EventKind.CREDENTIALS_KEPT, actor, now, now + keep)


def _retain(
    onboarding: Onboarding, kind: EventKind, actor: Actor, now: datetime, until: datetime
) -> Change:
    detail = {
        "fields": sorted(onboarding.credentials),
        "since": onboarding.active_at.isoformat(),
        "until": until.isoformat(),
    }
    return noted(onboarding, Event(kind, actor, now, None, detail))


def _delete(onboarding: Onboarding, now: datetime) -> Change:
    """Delete all credentials; the step at which they can all be entered opens again."""
    stored = sorted(onboarding.credentials.items())
    versions = {name: credential.version for name, credential in stored}
    days = (now - onboarding.active_at).days
    detail = {"fields": list(versions), "versions": versions, "days": days}
    events = [Event(EventKind.CREDENTIALS_EXPIRED, BOT, now, None, detail)]
    steps, number = onboarding.steps, onboarding.guide.last_credential_step
    if number and onboarding.step(number).finished:
        events.append(Event(EventKind.STEP_UNDONE, BOT, now, number))
        steps = back_to(onboarding, number)
    return noted(
        onboarding,
        *events,
        credentials={},
        steps=steps,
        verifications=tuple(replace(run, retry_at=None) for run in onboarding.verifications),
    )
