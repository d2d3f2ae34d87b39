"""The messages that a thread should have, according to the state of its onboarding."""

from collections.abc import Iterator, Mapping

from bot.core.mrkdwn import permalink
from bot.guide.pictures import StepPictures, no_pictures
from bot.onboarding import Onboarding, Status, StepState
from bot.views.after_go_live import after_go_live_message
from bot.views.blocks import Message
from bot.views.deletion import deletion_message
from bot.views.guide_answer import answer_message
from bot.views.posted_secret import posted_secret_message
from bot.views.reminder import is_waiting, reminder_message, slot as reminder_slot
from bot.views.report import verification_message
from bot.views.root import ROOT, root_message
from bot.views.step import slot as step_slot, step_message
from bot.views.team_reply import team_reply_message
from bot.views.thread_lines import ended_message, greeting_message, jump_message, jump_slot
from bot.views.welcome import welcome_message
from storage.posted_messages import Posted

# Lines that point to the current step after an undo; earlier ones stay as they were posted, so that
# publishing doesn't slow down after hundreds of undos.
MAX_JUMPS = 20


def desired(
    onboarding: Onboarding,
    posted: Mapping[str, Posted],
    workspace_url: str = "",
    pictures: StepPictures = no_pictures,
) -> Iterator[Message]:
    """Yield the messages that a thread should have, in the order in which they are posted.

    A waiting step has a message only if it was posted before it was undone; likewise a reminder
    that no longer matters. With `workspace_url`, messages link to each other.
    """
    timestamps = {slot: one.ts for slot, one in posted.items() if one.ts}
    current = onboarding.current.number if onboarding.current else None
    yield root_message(onboarding, link_to_step(onboarding, current, timestamps, workspace_url))
    yield welcome_message(onboarding)
    yield from _steps(onboarding, posted, pictures)
    for run in onboarding.verifications:
        if run.report and not run.recheck:
            yield verification_message(onboarding, run, run.report)
    for told in onboarding.told:
        yield after_go_live_message(onboarding, told)
    for secret in onboarding.posted_secrets:
        yield posted_secret_message(onboarding, secret)
    for deletion in onboarding.deletions:
        yield deletion_message(onboarding, deletion)
    for number, joined in enumerate(onboarding.joined, start=1):
        address = link_to_step(onboarding, joined.step, timestamps, workspace_url)
        yield greeting_message(onboarding, number, joined, address)
    yield from _answers(onboarding)
    yield from _reminders(onboarding, posted)
    older = max(len(onboarding.jumps) - MAX_JUMPS, 0)
    for number, jump in enumerate(onboarding.jumps[older:], start=older + 1):
        if jump.at == onboarding.active_at or jump_slot(number) in posted:
            address = link_to_step(onboarding, jump.step, timestamps, workspace_url)
            yield jump_message(onboarding, number, jump, address)
    if onboarding.status is Status.CANCELLED:
        yield ended_message(onboarding)


def link_to_step(
    onboarding: Onboarding,
    number: int | None,
    timestamps: Mapping[str, str],
    workspace_url: str,
) -> str | None:
    """Return the URL of a step's message; None while a part of it isn't known yet."""
    ts, root = timestamps.get(step_slot(number or 0)), timestamps.get(ROOT)
    if not ts or not root or not workspace_url:
        return None
    return permalink(workspace_url, onboarding.channel, ts, root)


def _steps(
    onboarding: Onboarding, posted: Mapping[str, Posted], pictures: StepPictures
) -> Iterator[Message]:
    """A step that was skipped early waits for the steps before it."""
    current = onboarding.current.number if onboarding.current else len(onboarding.steps)
    shown = pictures(onboarding.current) if onboarding.current else ()
    for progress in onboarding.steps:
        is_due = progress.state is not StepState.WAITING and progress.number <= current
        if is_due or step_slot(progress.number) in posted:
            yield step_message(onboarding, progress.number, shown)


def _answers(onboarding: Onboarding) -> Iterator[Message]:
    for question in onboarding.questions:
        if question.passage:
            yield answer_message(onboarding, question)
    for reply in onboarding.team_replies:
        yield team_reply_message(onboarding, reply)


def _reminders(onboarding: Onboarding, posted: Mapping[str, Posted]) -> Iterator[Message]:
    for reminder in onboarding.reminders:
        if is_waiting(onboarding, reminder) or reminder_slot(reminder.number) in posted:
            yield reminder_message(onboarding, reminder)
