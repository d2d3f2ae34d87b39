"""The notice in the thread that a credential was posted; never the text itself."""

from collections.abc import Iterator

from bot.core.english import listed
from bot.core.mrkdwn import escape, mention, when
from bot.onboarding import Onboarding, PostedSecret
from bot.views import ids
from bot.views.blocks import Block, Message, actions, button, message, section


def posted_secret_message(onboarding: Onboarding, posted_secret: PostedSecret) -> Message:
    """Return the notice; one line once a new value was entered."""
    slot = f"exposed:{posted_secret.number}"
    return message(onboarding.id, slot, _notice(onboarding, posted_secret))


def _notice(onboarding: Onboarding, posted_secret: PostedSecret) -> Iterator[Block]:
    fields = [onboarding.guide.field(name) for name in posted_secret.fields]
    labels = escape(listed(field.label for field in fields))
    at = when(posted_secret.at)
    secret = [field for field in fields if field.is_secret]
    open_ = [] if onboarding.destroyed_at else secret
    again = [field for field in open_ if field.id not in posted_secret.replaced]
    if not secret:
        yield section(
            f"👋 Please keep IDs out of the channel: the {labels} was posted {at}. "
            "No new one is needed."
        )
    elif onboarding.destroyed_at and posted_secret.replaced.isdisjoint(posted_secret.fields):
        yield section(f"✅ Settled: the {labels} posted {at} is no longer stored.")
    elif not again:
        yield section(f"✅ All good: the {labels} posted {at} has been replaced.")
    else:
        names = escape(listed(field.label for field in again))
        yield section(
            f"{_where(posted_secret, labels)} Others may have seen it, so create a new {names} "
            f"(step {again[0].step}) and enter it here."
        )
        ref = ids.StepRef(onboarding.id, again[0].step, tuple(field.id for field in again))
        yield actions([button("Enter securely", ids.ENTER_CREDENTIALS, ref, style="primary")])


def _where(posted_secret: PostedSecret, labels: str) -> str:
    at, author = when(posted_secret.at), posted_secret.by.user_id
    if posted_secret.elsewhere:
        return f"⚠️ *The {labels} was posted in another channel by mistake* ({at})."
    if not author:  # an app without a user, or it's in the client's name
        return f"⚠️ *A secret was posted here:* the {labels} ({at})."
    return (
        f"⚠️ *A secret was posted here.* {mention(author)}, please delete your message with the "
        f"{labels} ({at})."
    )
