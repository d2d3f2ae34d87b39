"""Transitions of a stall: reminders, what counts as an answer, and what engineering does about it.

A stall begins with the last activity, and everything here is about the current one alone.
"""

from datetime import datetime, timedelta

from bot.core.errors import Refused
from bot.guide import Owner
from bot.onboarding import lifecycle
from bot.onboarding.events import Event, EventKind, given
from bot.onboarding.model import Reminder, Status
from bot.onboarding.people import BOT, Actor, Role
from bot.onboarding.state import Onboarding
from bot.onboarding.transitions import Change, changed, must_be_active, noted

# How soon after a reminder an engineer may send another.
SHORTEST_INTERVAL = timedelta(hours=1)
# People often write several messages in a row; only one of them counts.
ONE_CONVERSATION = timedelta(hours=1)


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
    detail = {"to": side.value, "since": since.isoformat(), "follow_up": follow_up}
    detail |= given(last=last)
    return noted(onboarding, Event(EventKind.REMINDED, actor, now, step, detail))


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
    detail = given(until=until and until.isoformat())
    step = onboarding.reminder.step
    return noted(onboarding, Event(EventKind.SNOOZED, actor, now, step, detail))


def escalate(onboarding: Onboarding, now: datetime) -> Change:
    """Alert engineering to a stall; Refused if they were alerted already."""
    must_be_active(onboarding)
    if onboarding.is_escalated:
        raise Refused("Engineering was told already.")
    detail = given(turn=onboarding.awaited, since=onboarding.active_at.isoformat())
    return noted(onboarding, Event(EventKind.ESCALATED, BOT, now, onboarding.current_step, detail))


def reminders_of_stall(onboarding: Onboarding) -> list[Reminder]:
    """Return the reminders since the last activity, snoozed ones too."""
    return [one for one in onboarding.reminders if one.since == onboarding.active_at]


def held_until(onboarding: Onboarding) -> datetime | None:
    """Return until when follow-ups wait because the side that has to act named a day.

    That ends with the step.
    """
    heard, step = onboarding.heard, onboarding.current_step
    if heard is None or step is None or heard.side is not onboarding.awaited:
        return None
    return heard.until if heard.step == step else None


def hear(
    onboarding: Onboarding, actor: Actor, now: datetime, until: datetime | None = None
) -> Change:
    """Record that a side wrote in the thread, and perhaps a day that follow-ups should wait for.

    It counts as activity if that side has to act. Refused if it isn't their turn or nothing is new.
    """
    must_be_active(onboarding, actor)
    side = Owner.HEAVYSET if actor.role is Role.ENGINEER else Owner.CLIENT
    acts = onboarding.awaited is side
    last, before = onboarding.heard, onboarding.active_at
    names_a_day = until is not None and (last is None or until != last.until)
    if not names_a_day:
        just_now = abs(now - before) < ONE_CONVERSATION and onboarding.reminder is None
        if not acts or just_now:
            raise Refused("There's nothing new in that.")
        until = held_until(onboarding)  # “thanks” doesn't take it back
    elif not acts and onboarding.turn is not side:
        raise Refused("It isn't their turn.")
    detail = given(side=side.value, until=until and until.isoformat())
    if acts:  # the last reminder of that stall is answered
        detail["since"] = before.isoformat()
    event = Event(EventKind.HEARD_FROM, actor, now, onboarding.current_step, detail)
    return changed(onboarding, event) if acts else noted(onboarding, event)


# --- after the last reminder: what engineering does about the stall ---


def ask_engineering(onboarding: Onboarding, now: datetime) -> Change:
    """Ask engineering what to do about a stall; Refused if that question is open."""
    must_be_active(onboarding)
    last, since = onboarding.current_offer, onboarding.active_at
    if last and not last.put_off:
        raise Refused("Engineering was asked already.")
    sent = len(reminders_of_stall(onboarding))
    detail = given(turn=onboarding.awaited, since=since.isoformat()) | {"sent": sent}
    event = Event(EventKind.GONE_QUIET, BOT, now, onboarding.current_step, detail)
    return noted(onboarding, event)


def put_off(
    onboarding: Onboarding, number: int, actor: Actor, now: datetime, until: datetime
) -> Change:
    """Send one more reminder, and ask engineering again, at `until`; Refused as `must_be_open`."""
    must_be_open(onboarding, number)
    detail = {"offer": number, "until": until.isoformat()}
    return noted(onboarding, Event(EventKind.ASK_AGAIN_LATER, actor, now, None, detail))


def pause_quiet(onboarding: Onboarding, number: int, actor: Actor, now: datetime) -> Change:
    must_be_open(onboarding, number)
    return lifecycle.pause(onboarding, actor, now)


def must_be_open(onboarding: Onboarding, number: int) -> None:
    """Raise Refused, with a text for an engineer, if offer `number` was decided or is void."""
    offer = onboarding.current_offer
    if onboarding.status is Status.PAUSED:
        raise Refused("It's already paused.")
    must_be_active(onboarding)
    if offer is None:
        raise Refused("They're active again, so nothing was changed.")
    if offer.number != number:
        raise Refused("There's a newer message about this one below.")
    if offer.put_off and offer.again_at:
        text = "{by} already chose to ask again {at}."
        raise Refused(text, by=offer.put_off.by, at=offer.again_at)
