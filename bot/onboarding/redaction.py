"""Hides free text in the history that turned out to hold a secret; the sealed entries stay."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.onboarding.events import Event, EventKind

HIDDEN = "(hidden: looks like a credential)"
FREE_TEXT = ("question", "reason", "reply", "note")  # what people wrote, in an event's detail


def free_text(event: Event) -> Sequence[str]:
    """Return what somebody wrote that an event quotes."""
    return [text for name in FREE_TEXT if isinstance(text := event.detail.get(name), str)]


def redacted(events: Sequence[Event]) -> Sequence[Event]:
    """Return `events` without the free text that a later one of them says holds a secret."""
    posted = [event for event in events if event.kind is EventKind.EXPOSED]
    times = {datetime.fromisoformat(at) for event in posted for at in event.detail.get("texts", ())}
    return [_hidden(event) if event.at in times else event for event in events]


def _hidden(event: Event) -> Event:
    hidden = {name: HIDDEN for name in FREE_TEXT if name in event.detail}
    return replace(event, detail={**event.detail, **hidden})
