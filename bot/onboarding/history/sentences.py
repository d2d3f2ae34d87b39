"""Each event in words, without its subject: “finished step 7, Submit the Application”.

What people wrote is not escaped here. Nothing that looks like a secret is quoted.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.core.english import in_days, listed
from bot.guide import Guide, Owner, Step
from bot.onboarding import HIDDEN, Event, EventKind, InvitationAnswer, Loss
from bot.onboarding.people import ChannelRef, Permission, UserRef
from bot.onboarding.report import Outcome
from bot.onboarding.secret_scan import looks_like

# Times are not formatted: each reader has a time zone.
Words = tuple[str | UserRef | ChannelRef | datetime, ...]
Sentence = Callable[[Guide, Event], Words]

UNREAD: Words = ("did something that this version of the bot can't show",)
SIDE_NAMES = {Owner.CLIENT: "the client", Owner.HEAVYSET: "HeavySet"}
OUTCOMES = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.UNKNOWN: "could not be determined",
    Outcome.NOT_CHECKED: "was not checked",
}
LOSS_TEXTS = {
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
    Permission.REVEAL: "look at stored values",
    Permission.GUESS: "try out which values are stored",
}


def words(guide: Guide, event: Event) -> Words:
    """Return what happened, in the past tense."""
    _, telling = SENTENCES[event.kind]
    try:
        return telling(guide, event)
    except (LookupError, TypeError, ValueError, AttributeError):  # written by another release
        return UNREAD


def lasting(time: timedelta) -> str:
    """Return a duration in its two largest units: `3 days 4 h`."""
    minutes = round(time / timedelta(minutes=1))
    if minutes < 1:
        return "less than a minute" if time else "no time"
    days, hours = divmod(minutes // 60, 24)
    if days:
        name = "day" if days == 1 else "days"
        return f"{days} {name} {hours} h" if hours else f"{days} {name}"
    if hours:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{minutes} min"


def sign(kind: EventKind) -> str:
    """Return the emoji of a kind of event."""
    return SENTENCES[kind][0]


def _plain(text: str) -> Sentence:
    return lambda _guide, _event: (text,)


def _about_step(text: str) -> Sentence:
    return lambda guide, event: (text.format(step=_step(guide, event.step)),)


def _about_values(text: str) -> Sentence:
    return lambda guide, event: (text.format(values=_labels(guide, event.detail["fields"])),)


def _until(text: str) -> Sentence:
    def tell(guide: Guide, event: Event) -> Words:
        values = text.format(values=_labels(guide, event.detail["fields"]))
        return (f"{values}, until ", datetime.fromisoformat(event.detail["until"]))

    return tell


def _expired(guide: Guide, event: Event) -> Words:
    labels, days = _labels(guide, event.detail["fields"]), event.detail["days"]
    return (f"deleted the stored {labels} after {in_days(days)} without activity",)


def _chosen(guide: Guide, event: Event) -> Words:
    step, answer = _of_guide(guide, event.step), event.detail["choice"]
    options = step.choice.options if step and step.choice else ()
    label = next((one.label for one in options if one.id == answer), answer)
    return (f"answered {_step(guide, event.step)}: “{label}”",)


def _entered(guide: Guide, event: Event) -> Words:
    return (f"entered the {_labels(guide, [event.detail['field']])}",)


def _replaced(guide: Guide, event: Event) -> Words:
    label = _labels(guide, [event.detail["field"]])
    return (f"entered the {label} anew (value {event.detail['version']}); the old one is gone",)


def _requested(_guide: Guide, event: Event) -> Words:
    booking = ", with a test booking" if event.detail.get("booking") else ""
    return (f"had the values verified (verification {event.detail['number']}{booking})",)


def _verified(guide: Guide, event: Event) -> Words:
    outcome = OUTCOMES[Outcome(event.detail["outcome"])]
    text = f"finished verification {event.detail['number']}: {outcome}"
    again = event.detail.get("fields")
    return (f"{text}; to enter again: {_labels(guide, again)}" if again else text,)


def _asked(guide: Guide, event: Event) -> Words:
    return (f"asked at {_step(guide, event.step)}: {quoted(guide, event.detail['question'])}",)


def _answered(_guide: Guide, event: Event) -> Words:
    count = len(event.detail["questions"])
    return ("answered the question" if count == 1 else f"answered {count} questions",)


def _from_guide(guide: Guide, event: Event) -> Words:
    text = quoted(guide, event.detail["question"])
    return (f"asked at {_step(guide, event.step)}: {text}. The guide had the answer",)


def _handed(text: str) -> Sentence:
    def tell(guide: Guide, event: Event) -> Words:
        numbers = event.detail["steps"]
        if len(numbers) == 1:
            return (text.format(what=_step(guide, numbers[0])),)
        return (text.format(what=f"steps {listed(map(str, numbers))}"),)

    return tell


def _assigned(_guide: Guide, event: Event) -> Words:
    before, after = UserRef(event.detail["from"]), UserRef(event.detail["to"])
    return ("put ", after, " in charge; before, it was ", before)


def _reminded(guide: Guide, event: Event) -> Words:
    return (f"reminded {SIDE_NAMES[Owner(event.detail['to'])]} of {_step(guide, event.step)}",)


def _snoozed(_guide: Guide, event: Event) -> Words:
    if until := event.detail.get("until"):
        return ("snoozed the reminder until ", datetime.fromisoformat(until))
    return ("snoozed the reminder",)


def _escalated(guide: Guide, event: Event) -> Words:
    turn = event.detail.get("turn")
    whose = f"; it was the turn of {SIDE_NAMES[Owner(turn)]}" if turn else ""
    return (f"told engineering that nothing went on at {_step(guide, event.step)}{whose}",)


def _for_a_reason(text: str) -> Sentence:
    def tell(guide: Guide, event: Event) -> Words:
        if loss := event.detail.get("loss"):
            return (f"{text}: {LOSS_TEXTS[Loss(loss)]}",)
        reason = event.detail.get("reason")
        return (f"{text}: {quoted(guide, reason)}" if reason else text,)

    return tell


def _moved(_guide: Guide, event: Event) -> Words:
    before, after = ChannelRef(event.detail["from"]), ChannelRef(event.detail["to"])
    return ("followed the channel from ", before, " to ", after)


def _invited(_guide: Guide, event: Event) -> Words:
    return (f"invited {event.detail['address']} into the channel",)


def _invitation(_guide: Guide, event: Event) -> Words:
    whose = f" to {event.detail['address']}" if "address" in event.detail else ""
    text = {
        InvitationAnswer.ACCEPTED: f"accepted the invitation{whose}; an admin has to approve it",
        InvitationAnswer.APPROVED: f"approved the invitation{whose}",
        InvitationAnswer.DECLINED: f"declined the invitation{whose}",
    }
    return (text[InvitationAnswer(event.detail["answer"])],)


def _refused(_guide: Guide, event: Event) -> Words:
    elsewhere = event.detail.get("reason") == "NotFound"
    why = "it is not of this channel" if elsewhere else "that is not theirs to do"
    return (f"wanted to {ATTEMPTS[Permission(event.detail['deed'])]} and was refused: {why}",)


def _sealed(_guide: Guide, event: Event) -> Words:
    count = event.detail["events"]
    return (f"sealed the history; the {count} entries before were not sealed until then",)


# Every kind of event: its sign and its words.
SENTENCES: dict[EventKind, tuple[str, Sentence]] = {
    EventKind.STARTED: ("🚀", _plain("started the onboarding")),
    EventKind.ACCOUNT_CHOSEN: ("🔀", _chosen),
    EventKind.STEP_DONE: ("✅", _about_step("finished {step}")),
    EventKind.STEP_SKIPPED: ("⏭️", _about_step("skipped {step}")),
    EventKind.STEP_UNDONE: ("↩️", _about_step("opened {step} again")),
    EventKind.CREDENTIAL_ENTERED: ("🔒", _entered),
    EventKind.CREDENTIAL_REPLACED: ("🔒", _replaced),
    EventKind.CREDENTIALS_REVEALED: ("👁️", _about_values("looked at the stored {values}")),
    EventKind.CREDENTIALS_DESTROYED: ("🧹", _about_values("destroyed the stored {values}")),
    EventKind.RETENTION_ASKED: ("🗝️", _until("asked engineering whether to keep the {values}")),
    EventKind.CREDENTIALS_KEPT: ("🗝️", _until("kept the stored {values}")),
    EventKind.CREDENTIALS_EXPIRED: ("🧹", _expired),
    EventKind.PLATFORM_OUTDATED: (
        "♻️",
        _about_values("entered it after HeavySet had carried the {values} into its platform"),
    ),
    EventKind.VERIFICATION_REQUESTED: ("🔎", _requested),
    EventKind.VERIFICATION_FINISHED: ("📋", _verified),
    EventKind.WRITES_CONFIRMED: ("☑️", _plain("ticked off the write permissions")),
    EventKind.HELP_ASKED: ("🙋", _asked),
    EventKind.HELP_ANSWERED: ("💬", _answered),
    EventKind.GUIDE_ANSWERED: ("📖", _from_guide),
    EventKind.STEPS_HANDED_OVER: ("🤝", _handed("asked HeavySet to do {what}")),
    EventKind.STEPS_GIVEN_BACK: ("🤝", _handed("gave {what} back to the client")),
    EventKind.HANDED_OVER: ("🤝", _about_step("was through with the client's part: on to {step}")),
    EventKind.ASSIGNED: ("🧑‍🔧", _assigned),
    EventKind.REMINDED: ("⏰", _reminded),
    EventKind.SNOOZED: ("💤", _snoozed),
    EventKind.ESCALATED: ("🐌", _escalated),
    EventKind.CANCELLED: ("⛔", _for_a_reason("cancelled the onboarding")),
    EventKind.COMPLETED: ("🎉", _plain("completed the onboarding")),
    EventKind.PAUSED: ("⏸️", _for_a_reason("paused the onboarding")),
    EventKind.RESUMED: ("▶️", _plain("took the onboarding up again")),
    EventKind.CHANNEL_MOVED: ("📍", _moved),
    EventKind.CLIENT_INVITED: ("✉️", _invited),
    EventKind.CLIENT_JOINED: ("👋", _plain("came into the channel, the first of the client")),
    EventKind.INVITATION_ANSWERED: ("✉️", _invitation),
    EventKind.THREAD_DELETED: (
        "🧵",
        _plain("posted the thread again, as its first message had been deleted"),
    ),
    EventKind.REFUSED: ("🚫", _refused),
    EventKind.EXPOSED: ("🔓", _about_values("posted the {values} where others read it")),
    EventKind.EXPOSED_AGAIN: ("🔓", _about_values("posted another {values} where others read it")),
    EventKind.HISTORY_SEALED: ("🪪", _sealed),
    EventKind.UNKNOWN: ("❔", lambda _guide, _event: UNREAD),
}


def quoted(guide: Guide, text: str) -> str:
    """Return what somebody wrote, in quotation marks, unless it may hold a credential."""
    known = (one.usual for one in guide.credentials if one.prefix)
    shaped = looks_like(text, guide.credentials) or any(re.search(usual, text) for usual in known)
    if shaped or text == HIDDEN:
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
