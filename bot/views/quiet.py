"""What engineering can do about a client who stays quiet after the last follow-up."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.english import count
from bot.core.mrkdwn import escape, mention, when
from bot.guide import Owner
from bot.onboarding import Event, Onboarding, Status
from bot.views import ids
from bot.views.blocks import Block, actions, button, context, section

DECIDED = {Status.PAUSED: "⏸️ On hold.", Status.CANCELLED: "⛔ Canceled."}


def gone_quiet_blocks(onboarding: Onboarding, event: Event) -> Iterator[Block]:
    """Yield the question with its buttons; afterwards, the outcome."""
    yield section(_text(onboarding, event))
    offer = onboarding.quiet_offer
    if offer is None or offer.at != event.at:
        return
    if offer.put_off and offer.again_at:
        who = mention(offer.put_off.by.user_id)
        yield context(f"🗓️ {who} chose to ask again {when(offer.again_at)}.")
    elif onboarding.status in DECIDED:
        yield context(DECIDED[onboarding.status])
    elif onboarding.current_offer is None:
        yield context("✅ They're active again.")
    else:
        ref, name = ids.StepRef(onboarding.id, offer.number), onboarding.client_name
        yield actions(
            [
                button("Pause", ids.PAUSE_QUIET, ref, label=f"Pause {name}"),
                button(
                    "Ask again in two weeks",
                    ids.ASK_AGAIN,
                    ref,
                    label=f"Remind {name} again in two weeks",
                ),
                button("Cancel", ids.CANCEL_QUIET, ref, style="danger", label=f"Cancel {name}"),
            ]
        )
        yield context("Until you choose, I'll leave it alone. *Cancel* asks you to confirm first.")


def _text(onboarding: Onboarding, event: Event) -> str:
    engineer, name = mention(onboarding.engineer), f"*{escape(onboarding.client_name)}*"
    since = when(datetime.fromisoformat(event.detail["since"]))
    step = onboarding.guide.step(event.step or 1)
    at, sent = f"step {step.number} ({escape(step.title)})", event.detail["sent"]
    if onboarding.is_alone:
        text = f"🌙 {engineer}, still nobody from {name} has joined the channel since {since}."
    elif event.detail.get("turn") == Owner.HEAVYSET.value:
        text = f"🌙 {engineer}, {name} is still waiting on us at {at} since {since}"
        text += f", after {count(sent, 'reminder')}." if sent else "."
    else:
        heard = onboarding.heard
        replied = heard and heard.at == datetime.fromisoformat(event.detail["since"])
        what = "last heard from" if replied else "no activity since"
        text = f"🌙 {engineer}, {name} has gone quiet at {at}: {what} {since}"
        text += f", {count(sent, 'reminder')} unanswered." if sent else "."
    return f"{text} I won't send more on my own. What now?"
