"""A reminder in the thread: whose turn it is and what to do; afterwards, one line."""

from collections.abc import Iterator

from bot.core.english import listed
from bot.core.mrkdwn import escape, mention, when
from bot.onboarding import Onboarding, Reminder, Status
from bot.onboarding.transitions import labels
from bot.onboarding.verification_report import Outcome
from bot.views import ids
from bot.views.blocks import Block, Message, actions, button, context, message, section
from bot.views.reminder_texts import greeting
from bot.views.step import step_again
from bot.views.step_buttons import step_buttons

RESTING = {Status.PAUSED: "on hold", Status.CANCELLED: "canceled", Status.COMPLETED: "complete"}


def slot(number: int) -> str:
    return f"reminder:{number}"


def is_waiting(onboarding: Onboarding, reminder: Reminder) -> bool:
    return onboarding.status is Status.ACTIVE and onboarding.reminder == reminder


def reminder_message(onboarding: Onboarding, reminder: Reminder) -> Message:
    if is_waiting(onboarding, reminder):
        blocks = list(_nudge(onboarding, reminder))
    else:
        blocks = [section(_afterwards(onboarding, reminder))]
    return message(onboarding.id, slot(reminder.number), blocks)


def _afterwards(onboarding: Onboarding, reminder: Reminder) -> str:
    name = f"Reminder from {when(reminder.at)}"
    if snooze := reminder.snooze:
        until = f". I'll check back {when(snooze.until)}" if snooze.until else ""
        return f"💤 Snoozed by {mention(snooze.by.user_id)}{until}."
    if reminder.answer:
        who, at = mention(reminder.answer.by.user_id), when(reminder.answer.at)
        return f"💬 {name}: {who} replied {at}."
    if reminder.since != onboarding.active_at:
        return f"✅ {name}: taken care of. Thanks!"
    if reminder == onboarding.reminder and onboarding.status in RESTING:
        return f"⏸️ {name}: {RESTING[onboarding.status]} now."
    return f"🔔 {name}: see the newer one below."


def _nudge(onboarding: Onboarding, reminder: Reminder) -> Iterator[Block]:
    yield section(greeting(onboarding, reminder))
    yield from _values(onboarding)
    yield from _check(onboarding)
    step = onboarding.current
    ref = ids.StepRef(onboarding.id, reminder.step)
    snooze = button("Snooze", ids.SNOOZE, ref, label="Snooze this reminder")
    if step and onboarding.owner_of(step.number) is onboarding.turn:
        yield from step_again(onboarding, step)
        yield actions([*step_buttons(onboarding, step), snooze])
    else:
        yield actions([button("I need help", ids.STEP_HELP, ref), snooze])
    yield context("💤 Not a good time? Press *Snooze* and I'll check back later.")


def _values(onboarding: Onboarding) -> Iterator[Block]:
    """Yield what to enter again, with a button unless the current step has one."""
    guide, step = onboarding.guide, onboarding.current
    if step is None:
        return
    exposed = [name for name in onboarding.exposed if guide.field(name).step <= step.number]
    again = [name for name in onboarding.to_enter_again if name not in exposed]
    if exposed:
        yield section(
            f"⚠️ *Posted in the channel:* {escape(labels(onboarding, exposed))}. Please create a "
            "new one, then press *Enter securely*."
        )
    if again:
        yield section(
            f"❌ *{escape(guide.platform)} didn't accept everything.* Please re-enter "
            f"{escape(labels(onboarding, again))}. We'll check again automatically."
        )
    wanted = (*exposed, *again)
    if not set(step.credentials).issuperset(wanted):
        first = min(guide.field(name).step for name in wanted)
        ref = ids.StepRef(onboarding.id, first, wanted)
        yield actions([button("Re-enter", ids.ENTER_CREDENTIALS, ref, style="primary")])


def _check(onboarding: Onboarding) -> Iterator[Block]:
    """Yield what the last check found, unless it is a credential to enter again."""
    run = onboarding.verification
    if run is None or run.report is None or run.report.fields:
        return
    if run.failed:
        where = ""
        if steps := [f"step {number}" for number in run.report.steps]:
            where = f" Please look at {listed(steps)} again."
        yield section(f"❌ *The last check found a setup problem*, not a wrong credential.{where}")
    elif run.outcome is Outcome.UNKNOWN:
        later = " I'll keep trying." if run.retry_at else ""
        yield section(
            f"⏳ *The last check couldn't finish.* Nothing is wrong with what you entered.{later}"
        )
