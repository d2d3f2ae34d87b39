"""Announcements of one line: a text for each kind of event, and what fills its placeholders."""

from collections.abc import Callable
from datetime import datetime
from string import Formatter

from bot.core.english import count, in_days, listed
from bot.core.mrkdwn import escape, mention, when
from bot.guide.credential_fields import CredentialField
from bot.onboarding import Event, EventKind, Onboarding

# One line each. GAPS fill the placeholders: {client} is a name, {engineer} and {actor} mentions.
TEXTS = {
    EventKind.STARTED: "🚀 *{client}*: onboarding started by {actor}{assigned}.",
    EventKind.STEPS_HANDED_OVER: (
        "🤝 {engineer}, *{client}* would like you to do {steps}. Requested by {actor}."
    ),
    EventKind.HANDED_OVER: "🤝 {engineer}, *{client}* finished their part. {phase}",
    EventKind.CREDENTIALS_REVEALED: (
        "👁️ {actor} viewed *{client}*'s {labels}. The history lists each one they look at."
    ),
    EventKind.COMPLETED: "🎉 *{client}* is done: {count} of {count} steps, {verified}{took}.",
    EventKind.ASSIGNED: "🧑‍🔧 *{client}*{others}: reassigned from {from} to {to}.",
    EventKind.PLATFORM_OUTDATED: (
        "♻️ {engineer}, *{client}* entered a new {labels}. The old one no longer counts; please "
        "update it in HeavySet: {places}."
    ),
    EventKind.RESUMED: "▶️ *{client}* is back on{resumed_by}.",
    EventKind.CHANNEL_MOVED: "🔀 *{client}*'s channel has a new ID; I've switched to it.",
    EventKind.CLIENT_JOINED: "👋 {engineer}, {actor} from *{client}* just joined the channel.",
    EventKind.THREAD_DELETED: (
        "🧵 The first message of *{client}*'s thread was deleted, so I posted the thread again. "
        "Nothing is lost; older links to it no longer work."
    ),
    EventKind.ACTIVE_AGAIN: "🌤️ *{client}* is active again{by}.",
    EventKind.CREDENTIALS_KEPT: (
        "🗝️ {actor} kept the credentials of *{client}*. I'll ask again {until}, unless it moves."
    ),
    EventKind.CREDENTIALS_EXPIRED: (
        "🧹 *{client}*, {engineer}: nothing happened for {days}, so I deleted {labels}. The thread "
        "asks the client to enter them again."
    ),
}


def announcement_text(onboarding: Onboarding, event: Event) -> str:
    text = TEXTS[event.kind]
    names = {name for _, name, _, _ in Formatter().parse(text) if name}
    return text.format_map({name: GAPS[name](onboarding, event) for name in names})


def _assigned(onboarding: Onboarding, event: Event) -> str:
    if event.actor.user_id == onboarding.engineer:
        return ""
    covers = f", who covers for {mention(onboarding.covers_for)}" if onboarding.covers_for else ""
    return f", assigned to {mention(onboarding.engineer)}{covers}"


def labels_of(onboarding: Onboarding, event: Event) -> str:
    """Return the names of the credentials that an event is about."""
    return escape(listed(one.label for one in _fields(onboarding, event)))


def _fields(onboarding: Onboarding, event: Event) -> list[CredentialField]:
    return [one for one in onboarding.guide.credentials if one.id in event.detail["fields"]]


def _steps(onboarding: Onboarding, event: Event) -> str:
    numbers = event.detail["steps"]
    name = escape(onboarding.guide.step(numbers[0]).title)
    if len(numbers) == 1:
        return f"step {numbers[0]} ({name})"
    return f"steps {numbers[0]}–{numbers[-1]}, starting with {name}"


def _phase(onboarding: Onboarding, event: Event) -> str:
    steps = onboarding.guide.phase_of(event.step or 1).steps
    shown = next((step.number for step in steps if step.reveals), None)
    where = f" “Reveal credentials” is on step {shown}." if shown else ""
    return f"Steps {steps[0].number}–{steps[-1].number} are yours.{where}"


def _took(onboarding: Onboarding, event: Event) -> str:
    days = (event.at - onboarding.started_at).days
    return "same day" if days == 0 else f"in {in_days(days)}"


GAPS: dict[str, Callable[[Onboarding, Event], str]] = {
    "client": lambda onboarding, _: escape(onboarding.client_name),
    "engineer": lambda onboarding, _: mention(onboarding.engineer),
    "actor": lambda _, event: mention(event.actor.user_id),
    "by": lambda _, event: f" ({mention(event.actor.user_id)})" if event.actor.user_id else "",
    "from": lambda _, event: mention(event.detail["from"]),
    "to": lambda _, event: mention(event.detail["to"]),
    "others": lambda _, event: (
        f" and {count(others, 'more client')}" if (others := event.detail.get("others")) else ""
    ),
    "until": lambda _, event: when(datetime.fromisoformat(event.detail["until"])),
    "days": lambda _, event: in_days(event.detail["days"]),
    "verified": lambda onboarding, _: "verified, " if onboarding.guide.is_checked else "",
    "count": lambda onboarding, _: str(len(onboarding.steps)),
    "labels": labels_of,
    "places": lambda onboarding, event: escape(
        listed(dict.fromkeys(one.destination for one in _fields(onboarding, event)))
    ),
    "resumed_by": lambda _, event: (
        f" (resumed by {mention(event.actor.user_id)})" if event.actor.user_id else ""
    ),
    "assigned": _assigned,
    "steps": _steps,
    "phase": _phase,
    "took": _took,
}
