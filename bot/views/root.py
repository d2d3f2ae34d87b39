"""The first message of a thread, the root: what is next, and how far along the setup is."""

from collections.abc import Iterator
from dataclasses import replace

from bot.core.english import count, listed
from bot.core.mrkdwn import escape, link, mention, when
from bot.guide import Owner
from bot.onboarding import Onboarding, Status
from bot.onboarding.reminders import held_until
from bot.onboarding.transitions import labels
from bot.onboarding.verification_report import Outcome
from bot.views import ids
from bot.views.after_go_live import is_open
from bot.views.blocks import Block, Message, actions, button, context, header, message, section

ROOT = "root"


def root_message(onboarding: Onboarding, link_to_step: str | None = None) -> Message:
    """Return the root: what is next, with a link and a button, who has to act, and the progress.

    `link_to_step` is the address of the current step's message, once it is posted.
    """
    root = message(onboarding.id, ROOT, _root(onboarding, link_to_step))
    return replace(root, gist="\n".join(_gist(onboarding)))


def _gist(onboarding: Onboarding) -> Iterator[str]:
    """Yield everything but the progress within a phase, and that a check is running.

    The people who make that progress look at the end of the thread, where the step says so too.
    """
    phase = onboarding.phase
    yield f"{onboarding.client_name} {onboarding.engineer} {onboarding.status}"
    yield f"{onboarding.turn} {phase.number if phase else None} {len(onboarding.jumps)}"
    yield from onboarding.exposed
    if report := onboarding.last_report:
        yield f"{report.outcome} {report.fields}"
    yield from _questions(onboarding)


def _root(onboarding: Onboarding, link_to_step: str | None) -> Iterator[Block]:
    yield header(f"{onboarding.guide.title}: {onboarding.client_name}")
    yield section("\n".join(_now(onboarding, link_to_step)))
    yield section("\n".join(_progress(onboarding)))
    if (step := onboarding.current) and link_to_step and onboarding.status is Status.ACTIVE:
        ref = ids.StepRef(onboarding.id, step.number)
        text = f"Go to step {step.number}"
        yield actions([button(text, ids.GO_TO_STEP, ref, style="primary", url=link_to_step)])
    yield context(
        f"Your HeavySet engineer: {_engineer(onboarding)} · Open the thread to see every step."
    )


def _progress(onboarding: Onboarding) -> Iterator[str]:
    """Yield how many of the client's steps are done, and the current phase."""
    guide = onboarding.guide
    phases = [phase for phase in guide.phases if phase.owner is Owner.HEAVYSET]
    ours = {step.number for phase in phases for step in phase.steps}
    theirs = [step for step in onboarding.steps if step.number not in ours]
    done, all_done = sum(one.finished for one in theirs), onboarding.finished_steps
    if all_done == len(onboarding.steps) or not ours:
        yield f"{all_done} of {len(onboarding.steps)} steps done"
    elif done < len(theirs):
        yield f"{done} of {len(theirs)}, then HeavySet does the last {len(ours)}"
    else:
        yield f"{done} of {done} done; HeavySet has done {all_done - done} of the last {len(ours)}"
    if phase := onboarding.phase:
        yield f"Phase {phase.number} of {len(guide.phases)}: {escape(phase.title)}"


def _now(onboarding: Onboarding, link_to_step: str | None) -> Iterator[str]:
    if onboarding.status is Status.COMPLETED:
        at = when(onboarding.finished_at or onboarding.active_at)
        done = "connection was verified" if onboarding.guide.is_checked else "setup was finished"
        yield f"🎉 *Setup complete!* Your {escape(onboarding.guide.platform)} {done} {at}."
        if onboarding.told and is_open(onboarding, onboarding.told[-1]):
            yield "🔧 *It needs a quick fix:* please see the newest message in the thread."
        return
    if onboarding.status is Status.CANCELLED:
        yield "⛔ *HeavySet Tech ended this setup.* There's nothing more to do here."
        return
    if onboarding.status is Status.PAUSED:
        yield "⏸️ *On hold.* We'll post here when it picks back up."
    if step := onboarding.current:
        name = f"Step {step.number}: {step.title}"
        yield f"*Next:* {link(link_to_step, name) if link_to_step else escape(name)}"
    if onboarding.status is Status.PAUSED:
        return
    yield f"*Waiting on:* {_whom(onboarding)} since {when(onboarding.progress_at)}"
    if exposed := onboarding.exposed:
        names = escape(labels(onboarding, exposed))
        yield f"⚠️ *Posted in the channel by mistake:* {names}. Please create a new one."
    yield from _verification(onboarding)
    yield from _questions(onboarding)
    if (hold := held_until(onboarding)) and onboarding.heard:
        who = mention(onboarding.heard.by.user_id)
        yield f"🗓️ Heard from {who}: I'll check back {when(hold)}."


def _whom(onboarding: Onboarding) -> str:
    if onboarding.turn is Owner.HEAVYSET:
        return f"HeavySet Tech ({mention(onboarding.engineer)})"
    return escape(onboarding.client_name)


def _engineer(onboarding: Onboarding) -> str:
    if onboarding.covers_for:
        away = mention(onboarding.covers_for)
        return f"{mention(onboarding.engineer)}, while {away} is away"
    return mention(onboarding.engineer)


def _questions(onboarding: Onboarding) -> Iterator[str]:
    if waiting := onboarding.open_questions:
        engineer, since = mention(onboarding.engineer), when(waiting[0].at)
        yield f"🙋 *{count(len(waiting), 'question')}* waiting for {engineer} since {since}"


def _verification(onboarding: Onboarding) -> Iterator[str]:
    run = onboarding.verification
    if run is None:
        return
    if run.report is None:
        yield "*Credential check:* running…"
    elif run.outcome is Outcome.PASSED:
        yield "*Credential check:* passed"
    elif run.outcome is Outcome.UNKNOWN:
        later = "trying again" if run.retry_at else "see the latest check"
        yield f"*Credential check:* couldn't finish, {later}"
    elif again := [onboarding.guide.field(name).label for name in run.report.fields]:
        yield f"*Credential check:* needs a fix: re-enter {escape(listed(again))}"
    else:
        yield "*Credential check:* needs a fix (see the latest check)"
