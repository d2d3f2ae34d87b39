"""Replies to `/servicetitan status` and `/servicetitan credentials`."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from bot.core.english import ago, count, listed
from bot.core.mrkdwn import channel_link, escape, excerpt, mention, thread_link, when
from bot.guide import Owner
from bot.guide.credential_fields import ending
from bot.onboarding import Event, Onboarding, Overview, Status, Unread
from bot.onboarding.targets import Risk
from bot.views import ids
from bot.views.blocks import (
    Block,
    EphemeralReply,
    actions,
    bullets_of,
    button,
    context,
    header,
    section,
)
from bot.views.status_query import MINE, PAGE, STUCK, StatusQuery

MOST_NOTES, QUOTED = 3, 200

STATES = {
    Status.ACTIVE: "active",
    Status.PAUSED: "on hold",
    Status.COMPLETED: "completed",
    Status.CANCELLED: "canceled",
}
VERIFICATIONS = {
    "running": "check running",
    "passed": "verified",
    "failed": "check failed",
    "unknown": "check didn't finish",
}


def status_answer(
    lines: Sequence[Overview | Unread],
    *,
    now: datetime,
    workspace_url: str,
    query: StatusQuery | None,
    notes: Mapping[str, Sequence[Event]],
    risks: Mapping[str, Risk],
) -> EphemeralReply:
    """Return a page of what `query` found; without a query, the state of this channel's clients.

    If there is one line more than fits on the page, there is a next page. `notes` are the
    engineers' notes, `risks` the missed targets of the guide, both by onboarding.
    """
    shown = lines[:PAGE] if query else lines
    blocks = [header(_heading(lines, query))] if query and shown else []
    for line in shown:
        blocks.append(section(_line(line, now, workspace_url, risks.get(line.id))))
        if kept := notes.get(line.id):
            blocks.append(context("\n".join(map(_note, kept[-MOST_NOTES:]))))
    if not shown:
        blocks.append(section(_nobody(query or StatusQuery())))
    elif query:
        blocks += [context("Quietest first."), *_pages(query, more=len(lines) > PAGE)]
    return blocks


def credentials_answer(onboarding: Onboarding, workspace_url: str) -> EphemeralReply:
    """Return which credentials are stored, masked, with links to their steps."""
    lines = [_value(onboarding, field.id) for field in onboarding.guide.credentials]
    blocks = [
        section(f"*{escape(onboarding.client_name)}*: credentials on file"),
        section(bullets_of(lines)),
    ]
    shown_at = [step.number for step in onboarding.guide.steps if step.reveals]
    if not onboarding.destroyed_at:
        steps = f"step {listed(map(str, shown_at), 'or')}"
        blocks.append(context(f"To see them, press “Reveal credentials” on {steps}."))
    blocks.append(context(where(onboarding.channel, onboarding.thread_ts, workspace_url)))
    return blocks


def _nobody(query: StatusQuery) -> str:
    if query.page > 1:
        return "That's everything."
    if query.filter == MINE:
        return "No active client is assigned to you."
    if query.filter:
        return "Nobody is stuck. 🎉"
    if query.name:
        return (
            f"No active client matches “{escape(query.name)}”. `/servicetitan status all` "
            "includes finished ones."
        )
    return (
        "Nothing in progress. Start one in a client's channel: `/servicetitan start Acme Plumbing`"
    )


def _heading(lines: Sequence[Overview | Unread], query: StatusQuery) -> str:
    what = "onboardings" if query.everything else "active onboardings"
    if query.filter:
        what = "stuck onboardings" if query.filter == STUCK else "onboardings of yours"
    if query.page > 1 or len(lines) > PAGE:
        return f"{what.capitalize()}, page {query.page}"
    return f"{len(lines)} {what if len(lines) > 1 else what[:-1]}"


def _pages(query: StatusQuery, *, more: bool) -> Iterator[Block]:
    buttons = []
    if query.page > 1:
        before = StatusQuery(query.words, query.page - 1)
        buttons.append(button("Previous page", f"{ids.STATUS_PAGE}:before", str(before)))
    if more:
        after = StatusQuery(query.words, query.page + 1)
        buttons.append(button("Next page", f"{ids.STATUS_PAGE}:next", str(after)))
    if buttons:
        yield actions(buttons)


def unread(line: Unread) -> str:
    return (
        f"⚠️ *{escape(line.client_name)}*: this version of the bot can't read this onboarding "
        f"({escape(line.reason)}). It's left as it is; `onboarding doctor` has more."
    )


def _line(line: Overview | Unread, now: datetime, workspace_url: str, risk: Risk | None) -> str:
    if isinstance(line, Unread):
        return unread(line)
    done = f"{line.finished_steps} of {len(line.guide.steps)}"
    running = line.status is Status.ACTIVE and line.current_step
    state = f"{turn_of(line)} for {ago(line.turn_at, now)}" if running else STATES[line.status]
    words = [*_particulars(line, now), *([risk_text(risk)] if risk else [])]
    particulars = "".join(f" · {word}" for word in words)
    return (
        f"*{escape(line.client_name)}* · {done} · {state}{particulars}\n"
        f"{engineer_of(line)} · last activity {ago(line.active_at, now)} ago · "
        f"{where(line.channel, line.thread_ts, workspace_url)}"
    )


def risk_text(risk: Risk) -> str:
    """Return which phase takes longer than it should."""
    if risk.is_over:
        return f"⏳ over target: phase {risk.phase.number} was due {when(risk.due)}"
    return f"⏳ at risk: phase {risk.phase.number} is due {when(risk.due)}"


def _note(event: Event) -> str:
    text = excerpt(event.detail["note"], QUOTED)
    return f"📝 {text} ({mention(event.actor.user_id)}, {when(event.at)})"


def engineer_of(line: Overview) -> str:
    """Return who is in charge, and for whom they are covering."""
    covers = f" (for {mention(line.covers_for)})" if line.covers_for else ""
    return f"{mention(line.engineer)}{covers}"


def turn_of(line: Overview) -> str:
    """Return the current step, and who has to act."""
    number = line.current_step or 1
    on = "us" if line.turn is Owner.HEAVYSET else "the client"
    return f"step {number}: {escape(line.guide.step(number).title)} · waiting on {on}"


def _particulars(line: Overview, now: datetime) -> Iterator[str]:
    will_run = line.status not in (Status.PAUSED, Status.CANCELLED)
    if line.verification and (line.verification != "running" or will_run):
        yield VERIFICATIONS[line.verification]
    if line.checked_at and line.status is Status.COMPLETED:
        yield f"last check {ago(line.checked_at, now)} ago"
    if line.exposed_values:
        yield f"⚠️ {count(line.exposed_values, 'credential')} posted in the channel"
    if line.missing_values and line.status in (Status.ACTIVE, Status.PAUSED):
        wanted = len(line.guide.credentials)
        yield f"{wanted - line.missing_values} of {wanted} credentials"
    if line.open_questions:
        yield f"🙋 {count(line.open_questions, 'open question')}"


def where(channel: str, thread_ts: str | None, workspace_url: str) -> str:
    """Return links to a client's channel, and to the thread if there is one."""
    if thread_ts is None:
        return channel_link(channel)
    return f"{channel_link(channel)} · {thread_link(workspace_url, channel, thread_ts)}"


def _value(onboarding: Onboarding, name: str) -> str:
    label = escape(onboarding.guide.field(name).label)
    stored = onboarding.credentials.get(name)
    if onboarding.destroyed_at:
        return f"{label}: deleted {when(onboarding.destroyed_at)}"
    if stored is None:
        return f"{label}: not entered yet (step {onboarding.guide.field(name).step})"
    line = (
        f"{label} {ending(stored.mask)}, entered by {mention(stored.by.user_id)}, {when(stored.at)}"
    )
    if name in onboarding.exposed:
        line = f"{line} · ⚠️ posted in the channel later"
    if name in onboarding.to_enter_again:
        line = f"{line} · ❌ rejected, needs re-entry"
    return line
