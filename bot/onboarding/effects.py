"""What events change in an onboarding: the parts of its state that are stored only as events.

A transition applies the events it returns; loading an onboarding applies the stored ones.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from bot.guide import Owner
from bot.onboarding.events import JUMPS, Event, EventKind
from bot.onboarding.model import (
    Deletion,
    Heard,
    PostedSecret,
    Question,
    QuietOffer,
    Reminder,
    Retention,
    Signed,
    Snooze,
    TeamReply,
    Told,
)
from bot.onboarding.redaction import HIDDEN
from bot.onboarding.state import Onboarding

Fields = dict[str, Any]  # of an onboarding, by name, with their new values
Written = TypeVar("Written", Question, TeamReply)


def apply(onboarding: Onboarding, *events: Event) -> Onboarding:
    """Return the onboarding with the effects of these events, one after the other."""
    effects = [(EFFECTS[event.kind], event) for event in events if event.kind in EFFECTS]
    after = replace(onboarding) if effects else onboarding
    for effect, event in effects:
        for name, value in effect(after, event).items():
            object.__setattr__(after, name, value)  # a copy for each of many events is slow
    return after


def questions_after(questions: tuple[Question, ...], event: Event) -> tuple[Question, ...]:
    """Return the questions after an event that asks one, answers some, or hides their text."""
    detail = event.detail
    match event.kind:
        case EventKind.HELP_ASKED | EventKind.GUIDE_ANSWERED:
            number, step, text = len(questions) + 1, event.step or 1, detail["question"]
            passage, ts = detail.get("passage"), str(detail.get("ts", ""))
            asked = Question(number, step, text, event.actor, event.at, passage, ts=ts)
            return (*questions, asked)
        case EventKind.HELP_ANSWERED:
            by, at, ts = event.actor, event.at, str(detail.get("ts", ""))
            return tuple(
                replace(one, answered_by=by, answered_at=at, answer_ts=ts)
                if one.number in detail["questions"]
                else one
                for one in questions
            )
        case EventKind.EXPOSED:
            return _redacted(questions, event)
    return questions


def _with_questions(onboarding: Onboarding, event: Event) -> Fields:
    return {"questions": questions_after(onboarding.questions, event)}


def _replied(onboarding: Onboarding, event: Event) -> Fields:
    replies, question = onboarding.team_replies, event.detail.get("question")
    to = onboarding.questions[question - 1].by if question else None
    reply = TeamReply(len(replies) + 1, event.detail["reply"], event.actor, event.at, to)
    return {"team_replies": (*replies, reply)}


def _posted(onboarding: Onboarding, event: Event) -> Fields:
    secrets, detail = onboarding.posted_secrets, event.detail
    secret = PostedSecret(
        number=len(secrets) + 1,
        fields=tuple(detail["fields"]),
        by=event.actor,
        at=event.at,
        fingerprints=tuple(detail.get("marks", ())),
        elsewhere=bool(detail.get("elsewhere")),
    )
    return {
        "posted_secrets": (*secrets, secret),
        "questions": _redacted(onboarding.questions, event),
        "team_replies": _redacted(onboarding.team_replies, event),
    }


def _redacted(written: tuple[Written, ...], event: Event) -> tuple[Written, ...]:
    """Return what people wrote, without the texts that quote the secret that was posted."""
    times = {datetime.fromisoformat(at) for at in event.detail.get("texts", ())}
    return tuple(replace(one, text=HIDDEN) if one.at in times else one for one in written)


def _posted_again(onboarding: Onboarding, event: Event) -> Fields:
    secrets, position = list(onboarding.posted_secrets), event.detail["number"] - 1
    fingerprints = (*secrets[position].fingerprints, *event.detail.get("marks", ()))
    secrets[position] = replace(secrets[position], fingerprints=fingerprints)
    return {"posted_secrets": tuple(secrets)}


def _entered(onboarding: Onboarding, event: Event) -> Fields:
    field = event.detail["field"]
    if not any(field in secret.fields for secret in onboarding.posted_secrets):
        return {}
    secrets = (
        replace(secret, replaced=secret.replaced | {field}) if field in secret.fields else secret
        for secret in onboarding.posted_secrets
    )
    return {"posted_secrets": tuple(secrets)}


def _assigned(_: Onboarding, event: Event) -> Fields:
    return {"engineer_email": str(event.detail.get("email", ""))}


def _joined(onboarding: Onboarding, event: Event) -> Fields:
    return {"joined": (*onboarding.joined, event)}


def _reminded(onboarding: Onboarding, event: Event) -> Fields:
    detail = event.detail
    reminder = Reminder(
        number=len(onboarding.reminders) + 1,
        step=event.step or 1,
        to=Owner(detail["to"]),
        by=event.actor,
        at=event.at,
        since=datetime.fromisoformat(detail["since"]),
        follow_up=detail.get("follow_up", 1),  # 0.1.0 had only one
        last=bool(detail.get("last")),
    )
    return {"reminders": (*onboarding.reminders, reminder)}


def _snoozed(onboarding: Onboarding, event: Event) -> Fields:
    *earlier, last = onboarding.reminders
    last = replace(last, snooze=Snooze(event.actor, event.at, _moment(event, "until")))
    return {"reminders": (*earlier, last)}


def _heard(onboarding: Onboarding, event: Event) -> Fields:
    side, until = Owner(event.detail["side"]), _moment(event, "until")
    heard = Heard(event.actor, event.at, side, event.step, until)
    reminders = onboarding.reminders
    if reminders and not reminders[-1].snooze and _moment(event, "since") == reminders[-1].since:
        answered = replace(reminders[-1], answer=_signed(event))
        reminders = (*reminders[:-1], answered)
    return {"heard": heard, "reminders": reminders}


def _asked_engineering(onboarding: Onboarding, event: Event) -> Fields:
    number = onboarding.quiet_offer.number + 1 if onboarding.quiet_offer else 1
    since = datetime.fromisoformat(event.detail["since"])
    return {"quiet_offer": QuietOffer(number, event.at, since)}


def _put_off(onboarding: Onboarding, event: Event) -> Fields:
    offer = onboarding.quiet_offer
    if offer is None or offer.number != event.detail["offer"]:
        return {}
    offer = replace(offer, put_off=_signed(event), again_at=_moment(event, "until"))
    return {"quiet_offer": offer}


def _retained(_: Onboarding, event: Event) -> Fields:
    until, since = (datetime.fromisoformat(event.detail[name]) for name in ("until", "since"))
    kept_by = event.actor if event.kind is EventKind.CREDENTIALS_KEPT else None
    return {"retention": Retention(event.at, until, since, kept_by)}


def _expired(onboarding: Onboarding, event: Event) -> Fields:
    number, versions = len(onboarding.deletions) + 1, dict(event.detail["versions"])
    deletion = Deletion(number, versions, event.at, event.detail["days"])
    return {"deletions": (*onboarding.deletions, deletion)}


def _told(onboarding: Onboarding, event: Event) -> Fields:
    told = Told(event.actor, event.at, event.detail["number"])
    return {"told": (*onboarding.told, told)}


def _moment(event: Event, name: str) -> datetime | None:
    text = event.detail.get(name)
    return datetime.fromisoformat(text) if text else None


def _signed(event: Event) -> Signed:
    return Signed(event.actor, event.at)


EFFECTS: dict[EventKind, Callable[[Onboarding, Event], Fields]] = {
    EventKind.STARTED: _assigned,
    EventKind.ASSIGNED: _assigned,
    EventKind.CREDENTIAL_ENTERED: _entered,
    EventKind.CREDENTIAL_REPLACED: _entered,
    EventKind.EXPOSED: _posted,
    EventKind.EXPOSED_AGAIN: _posted_again,
    EventKind.HELP_ASKED: _with_questions,
    EventKind.HELP_ANSWERED: _with_questions,
    EventKind.GUIDE_ANSWERED: _with_questions,
    EventKind.REPLY_SENT: _replied,
    EventKind.CLIENT_JOINED: _joined,
    EventKind.MEMBER_JOINED: _joined,
    EventKind.REMINDED: _reminded,
    EventKind.SNOOZED: _snoozed,
    EventKind.ESCALATED: lambda _, event: {"escalated_since": _moment(event, "since")},
    EventKind.HEARD_FROM: _heard,
    EventKind.GONE_QUIET: _asked_engineering,
    EventKind.ASK_AGAIN_LATER: _put_off,
    EventKind.WRITES_CONFIRMED: lambda _, event: {"writes_confirmed": _signed(event)},
    EventKind.CLIENT_TOLD: _told,
    EventKind.RETENTION_ASKED: _retained,
    EventKind.CREDENTIALS_KEPT: _retained,
    EventKind.CREDENTIALS_EXPIRED: _expired,
    **dict.fromkeys(JUMPS, lambda at, event: {"jumps": (*at.jumps, event)}),
}
