"""Each event as a sentence without its subject: “finished step 7, Submit the Application”.

What people wrote isn't escaped here. Text that looks like a secret is never quoted.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from string import Formatter

from bot.core.english import count, in_days, listed
from bot.guide import Guide, Owner, Step
from bot.onboarding import Event, EventKind, InvitationAnswer, Loss
from bot.onboarding.people import ChannelRef, UserRef
from bot.onboarding.permissions import Permission
from bot.onboarding.redaction import HIDDEN
from bot.onboarding.secret_scan import shaped
from bot.onboarding.verification_report import Outcome

# People, channels and times aren't formatted here: Slack, HTML and Markdown each do it differently.
Part = str | UserRef | ChannelRef | datetime
Words = tuple[Part, ...]

UNREAD = "did something that this version of the bot can't show"
SIDES = {Owner.CLIENT: "client", Owner.HEAVYSET: "HeavySet", None: "paused"}
SIDE_NAMES = {Owner.CLIENT: "the client", Owner.HEAVYSET: "HeavySet"}
OUTCOMES = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.UNKNOWN: "inconclusive",
    Outcome.NOT_CHECKED: "not checked",
}
LOSS_REASONS = {
    Loss.BOT_REMOVED: "the bot was removed from the channel",
    Loss.ARCHIVED: "the channel was archived",
    Loss.UNSHARED: "the channel was no longer shared with the client",
    Loss.UNINSTALLED: "the app was uninstalled",
    Loss.REFUSED: "Slack refused what the bot posted in the channel",
}
ATTEMPTS = {
    Permission.CLIENT_STEP: "do the client's part",
    Permission.HEAVYSET_STEP: "do HeavySet's part",
    Permission.MANAGE: "manage the onboarding",
    Permission.REVEAL: "view stored credentials",
    Permission.REOPEN: "reopen an older step",
    Permission.GUESS: "guess which credentials are stored",
}

INVITATION_TEXTS = {
    InvitationAnswer.ACCEPTED: "accepted the invitation{to}; an admin has to approve it",
    InvitationAnswer.APPROVED: "approved the invitation{to}",
    InvitationAnswer.DECLINED: "declined the invitation{to}",
}

# The emoji and the sentence of each kind of event. A {gap} is in GAPS, or a key of the detail.
SENTENCES: dict[EventKind, tuple[str, str]] = {
    EventKind.STARTED: ("🚀", "started the onboarding"),
    EventKind.ACCOUNT_CHOSEN: ("🔀", "answered {step}: “{option}”"),
    EventKind.STEP_DONE: ("✅", "finished {step}"),
    EventKind.STEP_SKIPPED: ("⏭️", "skipped {step}"),
    EventKind.STEP_UNDONE: ("↩️", "reopened {step}"),
    EventKind.CREDENTIAL_ENTERED: ("🔒", "entered the {field}"),
    EventKind.CREDENTIAL_REPLACED: ("🔒", "replaced the {field} (version {version})"),
    EventKind.CREDENTIALS_REVEALED: ("👁️", "viewed the {fields}"),
    EventKind.CREDENTIALS_DESTROYED: ("🧹", "deleted the {fields}"),
    EventKind.RETENTION_ASKED: (
        "🗝️",
        "asked engineering whether to keep the {fields}; deadline: {until}",
    ),
    EventKind.CREDENTIALS_KEPT: ("🗝️", "kept the {fields} until {until}"),
    EventKind.CREDENTIALS_EXPIRED: ("🧹", "deleted the {fields} after {days} without activity"),
    EventKind.PLATFORM_OUTDATED: ("♻️", "changed the {fields} after HeavySet set it up"),
    EventKind.VERIFICATION_REQUESTED: ("🔎", "started check {number}{booking}{recheck}"),
    EventKind.VERIFICATION_FINISHED: ("📋", "finished check {number}: {outcome}{failed}{again}"),
    EventKind.CLIENT_TOLD: ("🔧", "told the client what check {number} found"),
    EventKind.WRITES_CONFIRMED: ("☑️", "confirmed the write permissions"),
    EventKind.HELP_ASKED: ("🙋", "asked about {step}: {question}"),
    EventKind.HELP_ANSWERED: ("💬", "answered {questions}"),
    EventKind.GUIDE_ANSWERED: ("📖", "asked about {step}: {question} (answered from the guide)"),
    EventKind.REPLY_SENT: ("💬", "replied in the thread: {reply}"),
    EventKind.NOTED: ("📝", "noted: {note}"),
    EventKind.STEPS_HANDED_OVER: ("🤝", "asked HeavySet to do {steps}"),
    EventKind.STEPS_GIVEN_BACK: ("🤝", "handed {steps} back to the client"),
    EventKind.HANDED_OVER: ("🤝", "finished the client's part; next: {step}"),
    EventKind.ASSIGNED: (
        "🧑‍🔧",
        "reassigned the onboarding from {from_user} to {to_user}{while_away}",
    ),
    EventKind.REMINDED: ("⏰", "reminded {side} about {step}"),
    EventKind.SNOOZED: ("💤", "snoozed the reminder{until_then}"),
    EventKind.ESCALATED: ("🐌", "alerted engineering: stalled at {step}{turn}"),
    EventKind.HEARD_FROM: ("💬", "wrote in the thread{no_reminders}"),
    EventKind.GONE_QUIET: ("🌙", "asked engineering what to do: quiet at {step}{turn}"),
    EventKind.ASK_AGAIN_LATER: ("🗓️", "chose to ask again {until}"),
    EventKind.ACTIVE_AGAIN: ("🌤️", "was active again"),
    EventKind.CANCELLED: ("⛔", "canceled the onboarding{reason}"),
    EventKind.COMPLETED: ("🎉", "completed the onboarding"),
    EventKind.PAUSED: ("⏸️", "paused the onboarding{reason}"),
    EventKind.RESUMED: ("▶️", "resumed the onboarding"),
    EventKind.CHANNEL_MOVED: ("📍", "switched from channel {from_channel} to {to_channel}"),
    EventKind.CLIENT_INVITED: ("✉️", "invited {address} to the channel"),
    EventKind.CLIENT_JOINED: ("👋", "joined the channel, the first from the client"),
    EventKind.MEMBER_JOINED: ("👋", "joined the channel"),
    EventKind.INVITATION_ANSWERED: ("✉️", "{invitation}"),
    EventKind.THREAD_DELETED: ("🧵", "reposted the thread because its first message was deleted"),
    EventKind.REFUSED: ("🚫", "tried to {attempt}: {why}"),
    EventKind.EXPOSED: ("🔓", "posted the {fields} in the channel"),
    EventKind.EXPOSED_AGAIN: ("🔓", "posted another {fields} in the channel"),
    EventKind.HISTORY_SEALED: ("🪪", "sealed the history (earlier entries not sealed: {events})"),
    EventKind.UNKNOWN: ("❔", UNREAD),
}


def words(guide: Guide, event: Event) -> Words:
    """Return what happened, in the past tense."""
    parts: list[Part] = []
    try:
        for text, gap, _, _ in Formatter().parse(SENTENCES[event.kind][1]):
            parts += [text, *(_filled(gap, guide, event) if gap else ())]
    except (LookupError, TypeError, ValueError, AttributeError):  # written by another release
        return (UNREAD,)
    return tuple(
        part
        for is_text, group in groupby(parts, lambda part: isinstance(part, str))
        for part in (["".join(map(str, group))] if is_text else group)
        if part
    )


def sign(kind: EventKind) -> str:
    return SENTENCES[kind][0]


def lasting(time: timedelta) -> str:
    """Return a duration in its two largest units: `3 days 4 h`."""
    minutes = round(time / timedelta(minutes=1))
    if minutes < 1:
        return "less than a minute" if time else "no time"
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{count(days, 'day')} {hours} h" if hours else count(days, "day")
    if hours:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{minutes} min"


def _filled(gap: str, guide: Guide, event: Event) -> Sequence[Part]:
    found = GAPS[gap](guide, event) if gap in GAPS else str(event.detail[gap])
    return found if isinstance(found, tuple) else (found,)


GAPS: dict[str, Callable[[Guide, Event], Part | Words]] = {
    "step": lambda guide, event: _step(guide, event.step),
    "steps": lambda guide, event: _steps(guide, event.detail["steps"]),
    "option": lambda guide, event: _option(guide, event),
    "field": lambda guide, event: _labels(guide, [event.detail["field"]]),
    "fields": lambda guide, event: _labels(guide, event.detail["fields"]),
    "until": lambda _, event: datetime.fromisoformat(event.detail["until"]),
    "until_then": lambda _, event: _until(event, " until "),
    "no_reminders": lambda _, event: _until(event, "; no reminders until "),
    "days": lambda _, event: in_days(event.detail["days"]),
    "booking": lambda _, event: " (with a test booking)" if event.detail.get("booking") else "",
    "recheck": lambda _, event: " of the live connection" if event.detail.get("recheck") else "",
    "outcome": lambda _, event: OUTCOMES[Outcome(event.detail["outcome"])],
    "again": lambda guide, event: (
        f"; needs re-entry: {_labels(guide, fields)}"
        if (fields := event.detail.get("fields"))
        else ""
    ),
    "failed": lambda _, event: f" ({listed(why)})" if (why := event.detail.get("why")) else "",
    "question": lambda guide, event: quoted(guide, event.detail["question"]),
    "reply": lambda guide, event: quoted(guide, event.detail["reply"]),
    "note": lambda guide, event: quoted(guide, event.detail["note"]),
    "questions": lambda _, event: (
        "the question" if (n := len(event.detail["questions"])) == 1 else f"{n} questions"
    ),
    "from_user": lambda _, event: UserRef(event.detail["from"]),
    "to_user": lambda _, event: UserRef(event.detail["to"]),
    "while_away": lambda _, event: (
        ", who is back" if event.detail.get("back") else _until(event, ", who covers until ")
    ),
    "from_channel": lambda _, event: ChannelRef(event.detail["from"]),
    "to_channel": lambda _, event: ChannelRef(event.detail["to"]),
    "side": lambda _, event: SIDE_NAMES[Owner(event.detail["to"])],
    "turn": lambda _, event: (
        f", waiting on {SIDE_NAMES[Owner(turn)]}" if (turn := event.detail.get("turn")) else ""
    ),
    "reason": lambda guide, event: _reason(guide, event),
    "invitation": lambda _, event: INVITATION_TEXTS[
        InvitationAnswer(event.detail["answer"])
    ].format(to=f" to {event.detail['address']}" if "address" in event.detail else ""),
    "attempt": lambda _, event: ATTEMPTS[Permission(event.detail["deed"])],
    "why": lambda _, event: (
        "wrong channel" if event.detail.get("reason") == "NotFound" else "not allowed"
    ),
}


def _until(event: Event, before: str) -> Words:
    until = event.detail.get("until")
    return (before, datetime.fromisoformat(until)) if until else ()


def _steps(guide: Guide, numbers: Sequence[int]) -> str:
    return _step(guide, numbers[0]) if len(numbers) == 1 else f"steps {listed(map(str, numbers))}"


def _option(guide: Guide, event: Event) -> str:
    step, answer = _of_guide(guide, event.step), str(event.detail["choice"])
    option = step.option(answer) if step else None
    return option.label if option else answer


def _reason(guide: Guide, event: Event) -> str:
    if loss := event.detail.get("loss"):
        return f": {LOSS_REASONS[Loss(loss)]}"
    reason = event.detail.get("reason")
    return f": {quoted(guide, reason)}" if reason else ""


def quoted(guide: Guide, text: str) -> str:
    """Return what somebody wrote, in quotation marks, unless it may hold a credential."""
    known = (one.usual for one in guide.credentials if one.prefix)
    is_secret = shaped(text, guide.credentials) or any(re.search(one, text) for one in known)
    if is_secret or text == HIDDEN:
        return HIDDEN
    return f"“{' '.join(text.split())}”"


def _step(guide: Guide, number: int | None) -> str:
    step = _of_guide(guide, number)
    return f"step {number}, {step.title}" if step else f"step {number}"


def _of_guide(guide: Guide, number: int | None) -> Step | None:
    return next((step for step in guide.steps if step.number == number), None)


def _labels(guide: Guide, names: Sequence[str]) -> str:
    labels = {field.id: field.label for field in guide.credentials}
    return listed(labels.get(name, name) for name in names) if names else "nothing"
