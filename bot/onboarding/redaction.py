"""Words that turned out to hold a secret: shown no longer, though the history keeps its seals."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.onboarding.model import Event, EventKind

HIDDEN = "(hidden: looks like a credential)"
WRITTEN = ("question", "reason")  # what people wrote, in an event's detail


def written_in(event: Event) -> Sequence[str]:
    """Return what somebody wrote that an event keeps."""
    return [text for name in WRITTEN if isinstance(text := event.detail.get(name), str)]


def without_secrets(events: Sequence[Event]) -> Sequence[Event]:
    """Return `events` without the words that a later one of them says hold a secret."""
    exposed = [event for event in events if event.kind is EventKind.EXPOSED]
    times = {
        datetime.fromisoformat(at) for event in exposed for at in event.detail.get("texts", ())
    }
    return [_hidden(event) if event.at in times else event for event in events]


def _hidden(event: Event) -> Event:
    hidden = {name: HIDDEN for name in WRITTEN if name in event.detail}
    return replace(event, detail={**event.detail, **hidden})
