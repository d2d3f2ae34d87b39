"""What a live client reads in the thread when an engineer decides: what broke, how to fix it."""

from collections.abc import Iterator

from bot.core.mrkdwn import escape, mention, when
from bot.onboarding import Onboarding
from bot.onboarding.after_go_live import failing, is_live, told_of
from bot.onboarding.model import Told
from bot.onboarding.verification_report import Outcome
from bot.views.blocks import Block, Message, context, message, section
from bot.views.report import to_whom, what_to_do

NOTHING_LEFT = "We've since deleted the credentials, so there's nothing to do here anymore."


def slot(number: int) -> str:
    return f"after_go_live:{number}"


def after_go_live_message(onboarding: Onboarding, told: Told) -> Message:
    """Return what the client was told; once that is resolved, one line."""
    return message(onboarding.id, slot(told.number), _blocks(onboarding, told))


def is_open(onboarding: Onboarding, told: Told) -> bool:
    """Whether the client still has to fix this, and no later message says so."""
    run = failing(onboarding)
    later = onboarding.verifications[told.number :]
    shown = any(one.report and one.report.is_verdict and not one.recheck for one in later)
    return run is not None and told_of(onboarding, run) == told and not shown


def _blocks(onboarding: Onboarding, told: Told) -> Iterator[Block]:
    later = onboarding.verifications[told.number :]
    fixed = [one.report for one in later if one.report and one.outcome is Outcome.PASSED]
    report = onboarding.verifications[told.number - 1].report
    platform = escape(onboarding.guide.platform)
    if fixed:
        yield section(f"✅ *Fixed, thank you!* Your {platform} connection works again.")
        yield context(f"Checked {when(fixed[0].started_at)}")
        return
    if report is None or not is_open(onboarding, told):
        after = "See the newer message below." if is_live(onboarding) else NOTHING_LEFT
        yield section(f"🔧 Your {platform} connection needed a fix. {after}")
        return
    to = f"{to_whom(onboarding)}, y" if onboarding.contacts else "Y"
    yield section(
        f"🔧 *{to}our {platform} connection needs a quick fix.* It worked when we set it up, but "
        f"{platform} no longer accepts everything."
    )
    yield from what_to_do(onboarding, report)
    yield context(f"Questions? Just ask {mention(onboarding.engineer)} here.")
