"""Transitions when nothing happens: reminders, snoozes, and escalation to engineering."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.errors import Refused
from bot.onboarding.events import Event, EventKind, given
from bot.onboarding.model import Reminder, Snooze
from bot.onboarding.people import BOT, Actor
from bot.onboarding.state import Onboarding
from bot.onboarding.transitions import Change, must_be_active, noted

# How soon after a reminder an engineer may send another.
SHORTEST_INTERVAL = timedelta(hours=1)


def remind(
    onboarding: Onboarding, actor: Actor, now: datetime, follow_up: int = 1, *, last: bool = False
) -> Change:
    """Remind the side that has to act: follow-up `follow_up` of this stall, perhaps the `last`.

    Refused if somebody was reminded within the hour. On its own, the bot doesn't repeat a follow-up
    without a snooze in between, unless engineering chose to ask again.
    """
    must_be_active(onboarding, actor)
    standing, offer = onboarding.reminder, onboarding.current_offer
    once = actor == BOT and not (offer and offer.put_off)
    repeated = once and standing is not None and follow_up <= standing.follow_up
    if standing and (repeated or now - standing.at < SHORTEST_INTERVAL):
        raise Refused("I already sent a reminder {at}.", at=standing.at)
    step, side, since = onboarding.current_step, onboarding.awaited, onboarding.active_at
    if step is None or side is None:
        raise Refused("Every step is done, so there's no one to remind.")
    number = len(onboarding.reminders) + 1
    reminder = Reminder(number, step, side, actor, now, since, follow_up, last)
    detail = given(to=side.value, since=since.isoformat(), follow_up=follow_up, last=last)
    event = Event(EventKind.REMINDED, actor, now, step, detail)
    return noted(onboarding, event, reminders=(*onboarding.reminders, reminder))


def snooze(
    onboarding: Onboarding, actor: Actor, now: datetime, until: datetime | None = None
) -> Change:
    """Postpone the next reminder, to `until`; Refused if there is no reminder.

    It doesn't count as activity: engineering is alerted as if nobody had snoozed.
    """
    must_be_active(onboarding, actor)
    snoozed = onboarding.snoozed
    if snoozed and snoozed.until:
        raise Refused("{by} already snoozed it until {until}.", by=snoozed.by, until=snoozed.until)
    if snoozed:
        raise Refused("{by} already snoozed it.", by=snoozed.by)
    if onboarding.reminder is None:
        raise Refused("Nothing to snooze anymore; things have moved on.")
    last = replace(onboarding.reminder, snooze=Snooze(actor, now, until))
    detail = given(until=until and until.isoformat())
    event = Event(EventKind.SNOOZED, actor, now, last.step, detail)
    return noted(onboarding, event, reminders=(*onboarding.reminders[:-1], last))


def escalate(onboarding: Onboarding, now: datetime) -> Change:
    """Alert engineering to a stall; Refused if they were alerted already."""
    must_be_active(onboarding)
    if onboarding.is_escalated:
        raise Refused("Engineering was told already.")
    since = onboarding.active_at
    detail = given(turn=onboarding.awaited, since=since.isoformat())
    event = Event(EventKind.ESCALATED, BOT, now, onboarding.current_step, detail)
    return noted(onboarding, event, escalated_since=since)
