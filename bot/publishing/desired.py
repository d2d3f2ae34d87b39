"""The messages that a thread should hold, by the state of its onboarding."""

from collections.abc import Iterator, Mapping

from bot.core.mrkdwn import permalink
from bot.onboarding import Onboarding, Status, StepState
from bot.views.blocks import Message
from bot.views.deletion import deletion_message
from bot.views.ending import ended_message
from bot.views.greeting import greeting_message
from bot.views.guide_answer import answer_message
from bot.views.posted_secret import posted_secret_message
from bot.views.reminder import reminder_message, stands
from bot.views.reminder import slot as reminder_slot
from bot.views.report import verification_message
from bot.views.root import root_message, welcome_message
from bot.views.step import slot as step_slot
from bot.views.step import step_message
from bot.views.team_reply import team_reply_message
from storage.posted_messages import Posted


def desired(
    onboarding: Onboarding, posted: Mapping[str, Posted], workspace_url: str = ""
) -> Iterator[Message]:
    """Yield the messages that a thread should hold, in the order in which they are posted.

    A waiting step has a message only if it was posted before it was undone, and so has a reminder
    that no longer matters. With `workspace_url`, messages link to each other.
    """
    yield root_message(onboarding)
    yield welcome_message(onboarding)
    for progress in onboarding.steps:
        if progress.state is not StepState.WAITING or step_slot(progress.number) in posted:
            yield step_message(onboarding, progress.number)
    for run in onboarding.verifications:
        if run.report:
            yield verification_message(onboarding, run, run.report)
    for secret in onboarding.posted_secrets:
        yield posted_secret_message(onboarding, secret)
    for deletion in onboarding.deletions:
        yield deletion_message(onboarding, deletion)
    yield from _greetings(onboarding, posted, workspace_url)
    yield from _answers(onboarding)
    yield from _reminders(onboarding, posted)
    if onboarding.status is Status.CANCELLED:
        yield ended_message(onboarding)


def _greetings(
    onboarding: Onboarding, posted: Mapping[str, Posted], workspace_url: str
) -> Iterator[Message]:
    for joined in onboarding.joined:
        step, address = posted.get(step_slot(joined.step or 0)), None
        if workspace_url and step and step.ts and onboarding.thread_ts:
            address = permalink(workspace_url, onboarding.channel, step.ts, onboarding.thread_ts)
        yield greeting_message(onboarding, joined, address)


def _answers(onboarding: Onboarding) -> Iterator[Message]:
    for question in onboarding.questions:
        if question.passage:
            yield answer_message(onboarding, question)
    for reply in onboarding.team_replies:
        yield team_reply_message(onboarding, reply)


def _reminders(onboarding: Onboarding, posted: Mapping[str, Posted]) -> Iterator[Message]:
    for reminder in onboarding.reminders:
        if stands(onboarding, reminder) or reminder_slot(reminder.number) in posted:
            yield reminder_message(onboarding, reminder)
