"""The notice in the thread that unused credentials were deleted."""

from collections.abc import Iterator

from bot.core.english import in_days, listed
from bot.core.mrkdwn import escape, when
from bot.onboarding import Deletion, Onboarding, Status
from bot.views import ids
from bot.views.blocks import Block, Message, actions, button, message, section


def deletion_message(onboarding: Onboarding, deletion: Deletion) -> Message:
    """Return the notice; once everything has been entered again, one line says so."""
    return message(onboarding.id, f"deleted:{deletion.number}", _notice(onboarding, deletion))


def _notice(onboarding: Onboarding, deletion: Deletion) -> Iterator[Block]:
    fields = [one for one in onboarding.guide.credentials if one.id in deletion.versions]
    again = [one for one in fields if one.id not in onboarding.credentials]
    if not again:
        yield section(
            f"✅ The credentials that were deleted {when(deletion.at)} have been entered again."
        )
        return
    names = escape(listed(one.label for one in again))
    yield section(
        f"🧹 *The credentials entered here were deleted.* Nothing happened in this setup for "
        f"{in_days(deletion.days)}, so we deleted them to keep them safe. Everything else you did "
        f"is kept. Please enter these again: {names}."
    )
    if onboarding.status is Status.ACTIVE:
        step = max(one.step for one in again)
        ref = ids.StepRef(onboarding.id, step, tuple(one.id for one in again))
        yield actions([button("Enter securely", ids.ENTER_CREDENTIALS, ref, style="primary")])
