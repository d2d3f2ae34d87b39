"""The two messages that open a thread: the root with the progress, and the welcome."""

from collections.abc import Iterator
from dataclasses import replace

from slack_sdk.models.blocks import Block

from bot.core.english import listed
from bot.core.mrkdwn import escape, mention, when
from bot.guide import Owner, Phase
from bot.onboarding import Onboarding, Status, StepState
from bot.onboarding.report import Outcome
from bot.views.blocks import Message, bullets, context, header, message, section

ROOT = "root"
WELCOME = "welcome"
BAR = 10


def root_message(onboarding: Onboarding) -> Message:
    """Return the root: who, how far, whose turn, and the phases."""
    blocks = [
        header(f"{onboarding.guide.title}: {onboarding.client_name}"),
        section(_progress(onboarding)),
        section("\n".join(_phase_line(onboarding, phase) for phase in onboarding.guide.phases)),
        section(_now(onboarding)),
        context(
            f"HeavySet engineer: {mention(onboarding.engineer)} · Every step is in this thread."
        ),
        context(f"Last activity: {when(onboarding.active_at)}"),
    ]
    # Each action moves the last activity; an edit for that alone would be one too many.
    return replace(message(onboarding.id, ROOT, blocks), incidental=1)


def welcome_message(onboarding: Onboarding) -> Message:
    """Return the welcome: what this is, how it goes, and what must be in place before."""
    return message(onboarding.id, WELCOME, _welcome(onboarding))


def _welcome(onboarding: Onboarding) -> Iterator[Block]:
    guide = onboarding.guide
    yield header(f"Welcome, {onboarding.client_name}!")
    admins = "".join(f" {mention(admin)}" for admin in onboarding.client_admins)
    ours = sum(len(phase.steps) for phase in guide.phases if phase.owner is Owner.HEAVYSET)
    theirs = len(guide.steps) - ours
    yield section(
        f"Hi{admins}! I'll walk you through connecting {escape(guide.platform)} to HeavySet Tech, "
        f"one short step at a time, right here: {theirs} for you, {ours} for us. Press *Done* "
        "after "
        f"each one. Stuck? Press *I need help* and {mention(onboarding.engineer)} will jump in. "
        "You "
        "can stop anytime and pick up where you left off."
    )
    yield section(
        "🔒 *Please don't post passwords or keys in this channel.* When a step needs one, press "
        "*Enter securely*. Only you see that window, and we store it encrypted."
    )
    yield context(
        f"*Before you start*\n{escape(guide.prerequisites_intro)}\n{bullets(guide.prerequisites)}"
    )
    yield context(f"Guide version {guide.version}, updated {escape(guide.updated)}")


def _progress(onboarding: Onboarding) -> str:
    done, all_steps = onboarding.finished_steps, len(onboarding.steps)
    full = done * BAR // all_steps
    return f"{'▰' * full}{'▱' * (BAR - full)}  *{done} of {all_steps} steps done*"


def _phase_line(onboarding: Onboarding, phase: Phase) -> str:
    states = [onboarding.step(step.number).state for step in phase.steps]
    finished = sum(state in (StepState.DONE, StepState.SKIPPED) for state in states)
    name = f"Phase {phase.number}: {escape(phase.title)}"
    if finished == len(states):
        return f"✅ {name} — done"
    if StepState.CURRENT in states:
        return f"▶️ *{name}* — {finished} of {len(states)} done"
    return f"⬜ {name} — to come"


def _now(onboarding: Onboarding) -> str:
    if onboarding.status is Status.COMPLETED:
        at = when(onboarding.finished_at or onboarding.active_at)
        return f"🎉 *Setup complete!* Your ServiceTitan connection was verified {at}."
    if onboarding.status is Status.CANCELLED:
        return "⛔ *Ended* by HeavySet Tech. Nothing has to be done here any more."
    step = onboarding.current
    lines = [f"*Now:* step {step.number}, {escape(step.title)}"] if step else []
    if onboarding.status is Status.PAUSED:
        return "\n".join(["⏸️ *Paused* by HeavySet Tech.", *lines])
    if onboarding.exposed:
        names = listed(onboarding.guide.field(name).label for name in onboarding.exposed)
        lines.append(f"⚠️ *Posted in the channel, so others may know it:* {escape(names)}")
    turn = f"*Whose turn:* {_turn(onboarding)}"
    return "\n".join([*lines, turn, *_verification(onboarding), *_questions(onboarding)])


def _turn(onboarding: Onboarding) -> str:
    since = f"since {when(onboarding.turn_at)}"
    if onboarding.turn is Owner.HEAVYSET:
        return f"HeavySet Tech, {mention(onboarding.engineer)}, {since}"
    return f"{escape(onboarding.client_name)}, {since}"


def _questions(onboarding: Onboarding) -> list[str]:
    waiting = onboarding.open_questions
    if not waiting:
        return []
    what = "*Open question*" if len(waiting) == 1 else f"*{len(waiting)} open questions*"
    first = when(waiting[0].at)
    return [f"🙋 {what} since {first}: {mention(onboarding.engineer)} answers in this thread"]


def _verification(onboarding: Onboarding) -> list[str]:
    latest = onboarding.verification
    if latest is None:
        return []
    if latest.report is None:
        return ["*Verification:* running …"]
    if latest.report.outcome is Outcome.PASSED:
        return ["*Verification:* passed"]
    if latest.report.outcome is Outcome.UNKNOWN:
        return ["*Verification:* not finished, see below"]
    again = [onboarding.guide.field(name).label for name in latest.report.fields]
    return [f"*Verification:* failed{f'; enter again: {listed(again)}' if again else ''}"]
