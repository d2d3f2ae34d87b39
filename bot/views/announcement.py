"""Messages to the engineering channel, each about one event in the history."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from bot.core.english import in_days, listed
from bot.core.mrkdwn import channel_link, escape, link, mention, permalink, when
from bot.guide import Owner
from bot.onboarding import Event, EventKind, InvitationAnswer, Loss, Onboarding
from bot.onboarding.reminders import held_until
from bot.views import ids
from bot.views.after_go_live import slot as told_slot
from bot.views.announcement_texts import TEXTS, announcement_text, labels_of
from bot.views.blocks import Block, Message, actions, button, context, message, paragraphs, section
from bot.views.quiet import gone_quiet_blocks
from bot.views.report import slot as verification_slot
from bot.views.root import ROOT
from bot.views.step import slot as step_slot
from bot.views.verification_news import verification_news

LOSS_TEXTS = {
    Loss.BOT_REMOVED: "I was removed from the channel. `/invite` me back",
    Loss.ARCHIVED: "the channel was archived. Unarchive it",
    Loss.UNSHARED: "the channel is no longer shared with the client. Share it again",
    Loss.UNINSTALLED: "the app was uninstalled. Reinstall it and restart me",
    Loss.REFUSED: "Slack is rejecting my posts (`{code}`). Run `onboarding doctor`, "
    "fix it, and restart me",
}


def announcement(
    onboarding: Onboarding,
    event_id: int,
    event: Event,
    *,
    timestamps: Mapping[str, str],
    workspace_url: str,
) -> Message:
    """Return the engineering channel's message about `event`.

    `timestamps` are those of the thread's messages, by slot, for links.
    """
    if event.kind in BLOCKS:
        blocks = list(BLOCKS[event.kind](onboarding, event))
    else:
        blocks = [section(announcement_text(onboarding, event))]
    blocks.append(_where(onboarding, event, timestamps, workspace_url))
    return message(onboarding.id, f"announcement:{event_id}", blocks)


def _help_asked(onboarding: Onboarding, event: Event) -> Iterator[Block]:
    step = onboarding.guide.step(event.step or 1)
    yield section(
        f"🙋 {mention(onboarding.engineer)}, *{escape(onboarding.client_name)}* needs help with "
        f"step {step.number} ({escape(step.title)}). {mention(event.actor.user_id)} asks:"
    )
    yield from (section(_quoted(piece)) for piece in paragraphs(event.detail["question"]))
    yield from _answering(onboarding, event)


def _answering(onboarding: Onboarding, event: Event) -> Iterator[Block]:
    """The button that closes a question, or the person who closed it."""
    asked = [one for one in onboarding.questions if one.at == event.at and not one.passage]
    question = next((one for one in asked if one.by == event.actor), None)
    if question is None:
        return
    if question.answered_by and question.answered_at:
        who, at = mention(question.answered_by.user_id), when(question.answered_at)
        yield context(f"✅ Answered ({who}, {at})")
        return
    ref = ids.StepRef(onboarding.id, question.number)
    label = f"Mark the question of {onboarding.client_name} answered"
    yield actions([button("Mark answered", ids.MARK_ANSWERED, ref, label=label)])
    yield context("Reply in the client's thread, or here and send it there.")


def _exposed(onboarding: Onboarding, event: Event) -> Iterator[Block]:
    fields = [onboarding.guide.field(name) for name in event.detail["fields"]]
    secret = [field for field in fields if field.is_secret]
    also = f" and create a new one (step {secret[0].step})" if secret else ""
    who = mention(event.actor.user_id) if event.actor.user_id else "someone"
    yield section(
        f"🔓 {mention(onboarding.engineer)}, {who} (*{escape(onboarding.client_name)}*) posted the "
        f"{escape(listed(field.label for field in fields))} in {_posted_in(event)}. I asked them "
        f"to delete it{also}."
    )


def _posted_in(event: Event) -> str:
    match event.detail.get("elsewhere"):
        case str() as channel:
            return f"{channel_link(channel)}, which isn't this client's channel"
        case True:
            return "this channel"
    return "the channel"


def _cancelled(onboarding: Onboarding, event: Event) -> Iterator[Block]:
    yield section(
        f"⛔ {mention(event.actor.user_id)} canceled *{escape(onboarding.client_name)}* at "
        f"{onboarding.finished_steps} of {len(onboarding.steps)} steps. Credentials deleted; "
        "history kept."
    )
    if reason := event.detail.get("reason"):
        yield section(_quoted(reason))


def _escalated(onboarding: Onboarding, event: Event) -> Iterator[Block]:
    step = onboarding.guide.step(event.step or 1)
    whom = "us" if event.detail.get("turn") == Owner.HEAVYSET.value else "the client"
    since = datetime.fromisoformat(event.detail["since"])
    if onboarding.is_alone:
        yield section(
            f"🕳️ {mention(onboarding.engineer)}, nobody from *{escape(onboarding.client_name)}* has "
            f"joined the channel since {when(since)}. Please check the invitation: channel name → "
            "*Add people*."
        )
        return
    yield section(
        f"🐌 {mention(onboarding.engineer)}, *{escape(onboarding.client_name)}* has stalled at "
        f"step {step.number} ({escape(step.title)}) since {when(since)}. Waiting on {whom}."
    )
    if question := onboarding.question:
        yield section(
            f"🙋 {mention(question.by.user_id)} has been waiting for an answer since "
            f"{when(question.at)}."
        )
    heard = onboarding.heard
    if heard and heard.at == since:
        yield section(f"💬 {mention(heard.by.user_id)} wrote in the thread then.")
    if hold := held_until(onboarding):
        yield section(f"🗓️ They named a day, so no reminders until {when(hold)}.")
    if snoozed := onboarding.snoozed:
        until = f" until {when(snoozed.until)}" if snoozed.until else ""
        yield section(f"💤 {mention(snoozed.by.user_id)} snoozed the reminder{until}.")


def _paused(onboarding: Onboarding, event: Event) -> Iterator[Block]:
    name = escape(onboarding.client_name)
    if loss := event.detail.get("loss"):
        why = LOSS_TEXTS[Loss(loss)].format(code=escape(event.detail.get("code", "")))
        yield section(
            f"⏸️ *{name}* is paused: {why} and I'll pick up automatically. Or type `/servicetitan "
            "resume` in the channel."
        )
        return
    yield section(f"⏸️ {mention(event.actor.user_id)} put *{name}* on hold.")
    if reason := event.detail.get("reason"):
        yield section(_quoted(reason))


def _invitation_answered(onboarding: Onboarding, event: Event) -> Iterator[Block]:
    name, user_id = escape(onboarding.client_name), event.actor.user_id
    who = escape(event.detail.get("address", "")) or (mention(user_id) if user_id else "Someone")
    engineer = mention(onboarding.engineer)
    match InvitationAnswer(event.detail["answer"]):
        case InvitationAnswer.ACCEPTED:
            yield section(
                f"⏳ {engineer}, {who} accepted the invitation to *{name}*'s channel, but a Slack "
                "admin still has to approve it. Until then they can't join."
            )
        case InvitationAnswer.APPROVED:
            yield section(f"✅ *{name}*: the invitation of {who} was approved. They can join now.")
        case InvitationAnswer.DECLINED:
            yield section(
                f"🚫 {engineer}, {who} declined the invitation to *{name}*'s channel. Check with "
                "them, or invite someone else: channel name → *Add people*."
            )


def _retention_asked(onboarding: Onboarding, event: Event) -> Iterator[Block]:
    since, until = (datetime.fromisoformat(event.detail[name]) for name in ("since", "until"))
    stood = in_days((event.at - since).days)
    yield section(
        f"🗝️ *{escape(onboarding.client_name)}* hasn't moved for {stood}, "
        f"{mention(onboarding.engineer)}, and we still store: {labels_of(onboarding, event)}. "
        f"I'll delete these {when(until)} unless someone keeps them. The client would then have to "
        "enter them again."
    )
    label = f"Keep the credentials of {onboarding.client_name}"
    yield actions([button("Keep them", ids.KEEP_CREDENTIALS, onboarding.id, label=label)])


# Events that need more than a text: buttons, quotes, one of several texts.
BLOCKS: dict[EventKind, Callable[[Onboarding, Event], Iterator[Block]]] = {
    EventKind.HELP_ASKED: _help_asked,
    EventKind.CANCELLED: _cancelled,
    EventKind.ESCALATED: _escalated,
    EventKind.GONE_QUIET: gone_quiet_blocks,
    EventKind.VERIFICATION_FINISHED: verification_news,
    EventKind.EXPOSED: _exposed,
    EventKind.PAUSED: _paused,
    EventKind.INVITATION_ANSWERED: _invitation_answered,
    EventKind.RETENTION_ASKED: _retention_asked,
}
ANNOUNCED = (*TEXTS, *BLOCKS)


def _quoted(text: str) -> str:
    return "\n".join(f"> {escape(line)}" for line in text.splitlines())


def _where(
    onboarding: Onboarding, event: Event, timestamps: Mapping[str, str], workspace_url: str
) -> Block:
    channel = channel_link(onboarding.channel)
    slots = [ROOT]
    if event.kind is EventKind.VERIFICATION_FINISHED:
        number = event.detail["number"]
        slots = [told_slot(number), verification_slot(number), ROOT]
    elif event.step:
        slots.insert(0, step_slot(event.step))
    for name in slots:
        if ts := timestamps.get(name):
            address = permalink(workspace_url, onboarding.channel, ts, onboarding.thread_ts)
            return context(f"{channel} · {link(address, 'open in thread')}")
    return context(channel)
