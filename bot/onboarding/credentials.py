"""Transitions of credentials: entered, viewed by an engineer, destroyed at the end."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from bot.core.errors import Refused
from bot.onboarding.events import Event, EventKind
from bot.onboarding.model import Status, StoredCredential
from bot.onboarding.people import Actor
from bot.onboarding.state import Onboarding
from bot.onboarding.transitions import Change, changed, labels, must_be_active, noted
from bot.onboarding.verifications import start_verification


def enter_credentials(
    onboarding: Onboarding, step: int, masks: Mapping[str, str], actor: Actor, now: datetime
) -> Change:
    """Record that credentials were stored, by field with their masks; verify once all are in."""
    must_accept(onboarding, masks, actor)
    credentials = dict(onboarding.credentials)
    events = []
    for name, mask in masks.items():
        old = credentials.get(name)
        version = _last_version(onboarding, name) + 1
        credentials[name] = StoredCredential(mask, actor, now, version)
        kind = EventKind.CREDENTIAL_REPLACED if old else EventKind.CREDENTIAL_ENTERED
        events.append(Event(kind, actor, now, step, {"field": name, "version": version}))
    if outdated := _in_platform(onboarding, masks):
        detail = {"fields": outdated}
        events.append(Event(EventKind.PLATFORM_OUTDATED, actor, now, step, detail))
    if replace(onboarding, credentials=credentials).missing or not onboarding.guide.is_checked:
        return changed(onboarding, *events, credentials=credentials)
    return start_verification(onboarding, actor, now, *events, credentials=credentials)


def must_accept(onboarding: Onboarding, fields: Collection[str], actor: Actor) -> None:
    """Raise Refused unless these credentials can be entered: after go-live, those that fail."""
    verdict = onboarding.last_verdict
    wrong = verdict.report.fields if verdict and verdict.report else ()
    is_kept = onboarding.status is Status.COMPLETED and not onboarding.destroyed_at
    if not (is_kept and fields and set(wrong).issuperset(fields)):
        must_be_active(onboarding, actor)


def _last_version(onboarding: Onboarding, name: str) -> int:
    """Return the version a credential has or had; a deletion does not reset it.

    Otherwise a deleted value could pass for the newest.
    """
    stored = onboarding.credentials.get(name)
    deleted = [deletion.versions.get(name, 0) for deletion in onboarding.deletions]
    return max([stored.version if stored else 0, *deleted])


def _in_platform(onboarding: Onboarding, fields: Collection[str]) -> list[str]:
    """Return those of `fields` whose earlier value HeavySet has already set up in its platform."""
    set_up = {
        name
        for step in onboarding.guide.steps
        for name in step.reveals
        if onboarding.step(step.number).finished and name in onboarding.credentials
    }
    return [name for name in fields if name in set_up]


def reveal_credentials(
    onboarding: Onboarding,
    fields: Collection[str],
    actor: Actor,
    now: datetime,
    *,
    quiet: bool = False,
) -> Change:
    """Record that somebody views stored credentials; `quiet` if engineering was told already."""
    must_be_stored(onboarding, fields)
    detail = {"fields": list(fields)}
    seen = Event(EventKind.CREDENTIALS_REVEALED, actor, now, None, detail, quiet=quiet)
    return changed(onboarding, seen)


def must_be_stored(onboarding: Onboarding, fields: Collection[str]) -> None:
    """Raise Refused unless all these credentials are stored."""
    if onboarding.destroyed_at:
        raise Refused(
            "These credentials were deleted {at}, after the onboarding ended. The history still "
            "shows who entered them.",
            at=onboarding.destroyed_at,
        )
    if missing := [name for name in fields if name not in onboarding.credentials]:
        raise Refused(f"Not entered yet: {labels(onboarding, missing)}.")


def destroy_credentials(onboarding: Onboarding, actor: Actor, now: datetime) -> Change:
    """Delete the credentials of a finished onboarding; the history keeps who entered them."""
    if onboarding.finished_at is None:
        raise Refused(f"This onboarding is {onboarding.status}: its values are still needed.")
    if onboarding.destroyed_at:
        raise Refused("The values are destroyed already.")
    destroyed = destruction(onboarding, actor, now)
    return noted(onboarding, destroyed, credentials={}, destroyed_at=now)


def destruction(onboarding: Onboarding, actor: Actor, now: datetime) -> Event:
    detail = {"fields": sorted(onboarding.credentials)}
    return Event(EventKind.CREDENTIALS_DESTROYED, actor, now, None, detail)
