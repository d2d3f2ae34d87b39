"""The entries of the history: what can happen to an onboarding, and when it did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.onboarding.people import Actor


class EventKind(StrEnum):
    """What can happen. The values are stored: never rename one."""

    STARTED = "started"
    ACCOUNT_CHOSEN = "account_chosen"
    STEP_DONE = "step_done"
    STEP_SKIPPED = "step_skipped"
    STEP_UNDONE = "step_undone"
    CREDENTIAL_ENTERED = "credential_entered"
    CREDENTIAL_REPLACED = "credential_replaced"
    CREDENTIALS_REVEALED = "credentials_revealed"
    CREDENTIALS_DESTROYED = "credentials_destroyed"
    RETENTION_ASKED = "retention_asked"
    CREDENTIALS_KEPT = "credentials_kept"
    CREDENTIALS_EXPIRED = "credentials_expired"
    PLATFORM_OUTDATED = "platform_outdated"
    VERIFICATION_REQUESTED = "verification_requested"
    VERIFICATION_FINISHED = "verification_finished"
    WRITES_CONFIRMED = "writes_confirmed"
    CLIENT_TOLD = "client_told"
    HELP_ASKED = "help_asked"
    HELP_ANSWERED = "help_answered"
    GUIDE_ANSWERED = "guide_answered"
    REPLY_SENT = "reply_sent"
    NOTED = "noted"
    STEPS_HANDED_OVER = "steps_handed_over"
    STEPS_GIVEN_BACK = "steps_given_back"
    HANDED_OVER = "handed_over"
    ASSIGNED = "assigned"
    REMINDED = "reminded"
    SNOOZED = "snoozed"
    ESCALATED = "escalated"
    HEARD_FROM = "heard_from"
    GONE_QUIET = "gone_quiet"
    ASK_AGAIN_LATER = "ask_again_later"
    ACTIVE_AGAIN = "active_again"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    PAUSED = "paused"
    RESUMED = "resumed"
    CHANNEL_MOVED = "channel_moved"
    CLIENT_INVITED = "client_invited"
    CLIENT_JOINED = "client_joined"
    MEMBER_JOINED = "member_joined"
    INVITATION_ANSWERED = "invitation_answered"
    THREAD_DELETED = "thread_deleted"
    REFUSED = "refused"
    EXPOSED = "exposed"
    EXPOSED_AGAIN = "exposed_again"
    HISTORY_SEALED = "history_sealed"
    UNKNOWN = "unknown"  # never stored: a kind that this release cannot read


# Routine events, which the engineering channel never hears about.
NEVER_ANNOUNCED = frozenset(
    {
        EventKind.ACCOUNT_CHOSEN,
        EventKind.STEP_DONE,
        EventKind.STEP_SKIPPED,
        EventKind.STEP_UNDONE,
        EventKind.CREDENTIAL_ENTERED,
        EventKind.VERIFICATION_REQUESTED,
        EventKind.GUIDE_ANSWERED,
        EventKind.REMINDED,
        EventKind.SNOOZED,
        EventKind.REFUSED,
    }
)

# Events that the end of the thread points out, as the current step's message may be far above.
JUMPS = frozenset({EventKind.STEP_UNDONE, EventKind.PAUSED, EventKind.RESUMED})


class InvitationAnswer(StrEnum):
    """The answer to a channel invitation; an accepted one may need an admin's approval."""

    ACCEPTED = "accepted"
    APPROVED = "approved"
    DECLINED = "declined"


def given(**parts: Any) -> dict[str, Any]:
    """Return the parts of a detail that have a value: neither empty nor None."""
    return {name: value for name, value in parts.items() if value}


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the history. `detail` is JSON and never holds a credential.

    A `quiet` one is not announced to the engineering channel, whatever its kind.
    """

    kind: EventKind
    actor: Actor
    at: datetime
    step: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    quiet: bool = False
