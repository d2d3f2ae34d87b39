"""Transitions when nothing happens: reminders, snoozes, and escalation to engineering."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.errors import Refused
from bot.onboarding.events import Event, EventKind
from bot.onboarding.model import Escalation, Reminder, Snooze
from bot.onboarding.people import BOT, Actor
from bot.onboarding.state import Onboarding
from bot.onboarding.transitions import Change, changed, must_be_active

# How soon after a reminder an engineer may send another.
SHORTEST_INTERVAL = timedelta(hours=1)


def remind(onboarding: Onboarding, actor: Actor, now: datetime) -> Change:
    """Remind the side that has to act; Refused if a reminder is already there."""
    must_be_active(onboarding, actor)
    last = onboarding.reminder
    if last and (actor == BOT or now - last.at < SHORTEST_INTERVAL):
        raise Refused("I already sent a reminder {at}.", at=last.at)
    if onboarding.current is None or onboarding.awaited is None:
        raise Refused("Every step is done, so there's no one to remind.")
    step, side, since = onboarding.current.number, onboarding.awaited, onboarding.active_at
    reminder = Reminder(len(onboarding.reminders) + 1, step, side, actor, now, since)
    detail = {"to": side.value, "since": since.isoformat()}
    event = Event(EventKind.REMINDED, actor, now, step, detail)
    return changed(onboarding, since, [event], reminders=(*onboarding.reminders, reminder))


def snooze(
    onboarding: Onboarding, actor: Actor, now: datetime, until: datetime | None = None
) -> Change:
    """Postpone the next reminder, to `until`; Refused if there is no reminder.

    That is no progress: engineering is alerted as if nobody had snoozed.
    """
    must_be_active(onboarding, actor)
    if onboarding.reminder is None:
        raise _not_snoozable(onboarding)
    last = replace(onboarding.reminder, snooze=Snooze(actor, now, until))
    detail = {"until": until.isoformat()} if until else {}
    event = Event(EventKind.SNOOZED, actor, now, last.step, detail)
    reminders = (*onboarding.reminders[:-1], last)
    return changed(onboarding, onboarding.active_at, [event], reminders=reminders)


def _not_snoozable(onboarding: Onboarding) -> Refused:
    if onboarding.snoozed is None:
        return Refused("Nothing to snooze anymore; things have moved on.")
    by, until = onboarding.snoozed.by, onboarding.snoozed.until
    if until is None:
        return Refused("{by} already snoozed it.", by=by)
    return Refused("{by} already snoozed it until {until}.", by=by, until=until)


def escalate(onboarding: Onboarding, now: datetime) -> Change:
    """Alert engineering to a stall; Refused if they were alerted already."""
    must_be_active(onboarding)
    if onboarding.escalated_at:
        raise Refused("Engineering was told already.")
    since, step = onboarding.active_at, onboarding.current
    turn = {"turn": onboarding.awaited.value} if onboarding.awaited else {}
    detail = {**turn, "since": since.isoformat()}
    event = Event(EventKind.ESCALATED, BOT, now, step.number if step else None, detail)
    return changed(onboarding, since, [event], escalation=Escalation(now, since))
