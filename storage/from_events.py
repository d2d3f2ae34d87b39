"""Derives the parts of an onboarding's state that only its events hold."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.guide import Owner
from bot.onboarding import Deletion, Event, EventKind, PostedSecret, Question, Reminder
from bot.onboarding.events import JUMPS
from bot.onboarding.model import (
    Heard,
    Joined,
    QuietOffer,
    Retention,
    Signed,
    Snooze,
    TeamReply,
    Told,
)
from bot.onboarding.people import Actor, Role
from storage.statements import Row
from storage.tables import EVENT, EventRow
from storage.unreadable_rows import Unknown, known, must_be_legible

# The events that are part of the state, not only of the history.
STATE_EVENTS = (
    EventKind.STARTED,
    EventKind.ASSIGNED,
    EventKind.CREDENTIAL_ENTERED,
    EventKind.CREDENTIAL_REPLACED,
    EventKind.EXPOSED,
    EventKind.EXPOSED_AGAIN,
    EventKind.HELP_ASKED,
    EventKind.HELP_ANSWERED,
    EventKind.GUIDE_ANSWERED,
    EventKind.REPLY_SENT,
    EventKind.CLIENT_JOINED,
    EventKind.MEMBER_JOINED,
    EventKind.REMINDED,
    EventKind.SNOOZED,
    EventKind.ESCALATED,
    EventKind.HEARD_FROM,
    EventKind.GONE_QUIET,
    EventKind.ASK_AGAIN_LATER,
    EventKind.WRITES_CONFIRMED,
    EventKind.CLIENT_TOLD,
    EventKind.RETENTION_ASKED,
    EventKind.CREDENTIALS_KEPT,
    EventKind.CREDENTIALS_EXPIRED,
    *JUMPS,
)


def state_from(events: Sequence[Event]) -> dict[str, Any]:
    """Return the fields of `Onboarding` that STATE_EVENTS determine."""
    return {
        "engineer_email": _engineer_email(events),
        "posted_secrets": _posted_secrets(events),
        "questions": _questions(events),
        "team_replies": _team_replies(events),
        "joined": _joined(events),
        "reminders": _reminders(events),
        "escalated_since": _escalated_since(events),
        "heard": _heard(events),
        "quiet_offer": _quiet_offer(events),
        "retention": _retention(events),
        "deletions": _deletions(events),
        "told": _told(events),
        "writes_confirmed": _signed(_newest(events, EventKind.WRITES_CONFIRMED)),
        "jumps": tuple(_of_kind(events, *JUMPS)),
    }


def event_of(row: EventRow | Row) -> Event:
    """Return the event of a row; raises Unknown if it cannot be read."""
    must_be_legible(row, EVENT)
    actor = Actor(row.actor_user, row.actor_team, known(Role, row.actor_role))
    if not isinstance(row.detail, dict):
        raise Unknown("event.detail is broken")
    return Event(known(EventKind, row.kind), actor, row.at, row.step, row.detail)


def event_or_unknown(row: EventRow | Row) -> Event | None:
    """Return the event of a row, UNKNOWN if it cannot be read; None if not even its time can."""
    try:
        return event_of(row)
    except Unknown:
        if not isinstance(row.at, datetime):
            return None
        actor = Actor(str(row.actor_user), str(row.actor_team), Role.NOBODY)
        return Event(EventKind.UNKNOWN, actor, row.at, None, {})


def _of_kind(events: Sequence[Event], *kinds: EventKind) -> list[Event]:
    return [event for event in events if event.kind in kinds]


def _newest(events: Sequence[Event], *kinds: EventKind) -> Event | None:
    return next((event for event in reversed(events) if event.kind in kinds), None)


def _engineer_email(events: Sequence[Event]) -> str:
    assigned = _newest(events, EventKind.STARTED, EventKind.ASSIGNED)
    return str(assigned.detail.get("email", "")) if assigned else ""


def _escalated_since(events: Sequence[Event]) -> datetime | None:
    escalated = _newest(events, EventKind.ESCALATED)
    return datetime.fromisoformat(escalated.detail["since"]) if escalated else None


def _heard(events: Sequence[Event]) -> Heard | None:
    heard = _newest(events, EventKind.HEARD_FROM)
    if not heard:
        return None
    side = Owner(heard.detail["side"])
    return Heard(heard.actor, heard.at, side, heard.step, _moment(heard, "until"))


def _quiet_offer(events: Sequence[Event]) -> QuietOffer | None:
    offers = _of_kind(events, EventKind.GONE_QUIET)
    if not offers:
        return None
    number, at = len(offers), offers[-1].at
    offer = QuietOffer(number, at, datetime.fromisoformat(offers[-1].detail["since"]))
    later = _newest(events, EventKind.ASK_AGAIN_LATER)
    if not later or later.detail["offer"] != number:
        return offer
    return replace(offer, put_off=_signed(later), again_at=_moment(later, "until"))


def _moment(event: Event, name: str) -> datetime | None:
    text = event.detail.get(name)
    return datetime.fromisoformat(text) if text else None


def _signed(event: Event | None) -> Signed | None:
    return Signed(event.actor, event.at) if event else None


def _retention(events: Sequence[Event]) -> Retention | None:
    last = _newest(events, EventKind.RETENTION_ASKED, EventKind.CREDENTIALS_KEPT)
    if not last:
        return None
    until, since = (datetime.fromisoformat(last.detail[name]) for name in ("until", "since"))
    kept_by = last.actor if last.kind is EventKind.CREDENTIALS_KEPT else None
    return Retention(last.at, until, since, kept_by)


def _deletions(events: Sequence[Event]) -> tuple[Deletion, ...]:
    return tuple(
        Deletion(number, dict(event.detail["versions"]), event.at, event.detail["days"])
        for number, event in enumerate(_of_kind(events, EventKind.CREDENTIALS_EXPIRED), start=1)
    )


def _told(events: Sequence[Event]) -> tuple[Told, ...]:
    return tuple(
        Told(event.actor, event.at, event.detail["number"])
        for event in _of_kind(events, EventKind.CLIENT_TOLD)
    )


def _posted_secrets(events: Sequence[Event]) -> tuple[PostedSecret, ...]:
    found: list[PostedSecret] = []
    for event in _of_kind(events, EventKind.EXPOSED, EventKind.EXPOSED_AGAIN):
        detail, fingerprints = event.detail, tuple(event.detail.get("marks", ()))
        if event.kind is EventKind.EXPOSED_AGAIN:
            at = detail["number"] - 1
            found[at] = replace(found[at], fingerprints=(*found[at].fingerprints, *fingerprints))
        else:
            number, fields = len(found) + 1, tuple(detail["fields"])
            elsewhere = bool(detail.get("elsewhere"))
            found.append(
                PostedSecret(number, fields, event.actor, event.at, fingerprints, elsewhere)
            )
    entered = [
        (str(event.detail["field"]), event.at)
        for event in _of_kind(events, EventKind.CREDENTIAL_ENTERED, EventKind.CREDENTIAL_REPLACED)
    ]
    return tuple(
        replace(one, replaced=frozenset(n for n, at in entered if n in one.fields and at > one.at))
        for one in found
    )


def _joined(events: Sequence[Event]) -> tuple[Joined, ...]:
    joined = _of_kind(events, EventKind.CLIENT_JOINED, EventKind.MEMBER_JOINED)
    return tuple(
        Joined(number, event.actor, event.at, event.step)
        for number, event in enumerate(joined, start=1)
    )


def _team_replies(events: Sequence[Event]) -> tuple[TeamReply, ...]:
    asked = _of_kind(events, EventKind.HELP_ASKED, EventKind.GUIDE_ANSWERED)
    return tuple(
        TeamReply(
            number,
            event.detail["reply"],
            event.actor,
            event.at,
            asked[event.detail["question"] - 1].actor if "question" in event.detail else None,
        )
        for number, event in enumerate(_of_kind(events, EventKind.REPLY_SENT), start=1)
    )


def _reminders(events: Sequence[Event]) -> tuple[Reminder, ...]:
    found: list[Reminder] = []
    kinds = (EventKind.REMINDED, EventKind.SNOOZED, EventKind.HEARD_FROM)
    for event in _of_kind(events, *kinds):
        if event.kind is EventKind.REMINDED:
            found.append(_reminder(len(found) + 1, event))
        elif found and event.kind is EventKind.SNOOZED:
            snooze = Snooze(event.actor, event.at, _moment(event, "until"))
            found[-1] = replace(found[-1], snooze=snooze)
        elif found and not found[-1].snooze and _moment(event, "since") == found[-1].since:
            found[-1] = replace(found[-1], answer=_signed(event))
    return tuple(found)


def _reminder(number: int, event: Event) -> Reminder:
    detail = event.detail
    return Reminder(
        number,
        event.step or 1,
        Owner(detail["to"]),
        event.actor,
        event.at,
        datetime.fromisoformat(detail["since"]),
        detail.get("follow_up", 1),  # 0.1.0 had only one
        bool(detail.get("last")),
    )


def _questions(events: Sequence[Event]) -> tuple[Question, ...]:
    answers = {
        number: event
        for event in _of_kind(events, EventKind.HELP_ANSWERED)
        for number in event.detail["questions"]
    }
    asked = _of_kind(events, EventKind.HELP_ASKED, EventKind.GUIDE_ANSWERED)
    return tuple(
        Question(
            number,
            event.step or 1,
            event.detail["question"],
            event.actor,
            event.at,
            event.detail.get("passage"),
            answers[number].actor if number in answers else None,
            answers[number].at if number in answers else None,
            str(event.detail.get("ts", "")),
            str(answers[number].detail.get("ts", "")) if number in answers else "",
        )
        for number, event in enumerate(asked, start=1)
    )
