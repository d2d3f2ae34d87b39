"""The ids in buttons and modals. Old threads keep their buttons for years: never rename one."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bot.core.errors import Malformed

CHOOSE_ACCOUNT = "choose_account"
STEP_DONE = "step_done"
STEP_UNDO = "step_undo"
REOPEN_STEP = "reopen_step"
GO_TO_STEP = "go_to_step"
ALREADY_DONE = "already_done"
STEP_HELP = "step_help"
ENTER_CREDENTIALS = "enter_credentials"
RUN_VERIFICATION = "run_verification"
REVEAL_CREDENTIALS = "reveal_credentials"
HAND_OVER = "hand_over"
GIVE_BACK = "give_back"
STATUS_PAGE = "status_page"
HISTORY_PAGE = "history_page"
REPORT_PAGE = "report_page"
HOME_REFRESH = "home_refresh"
HOME_OPEN = "home_open"
HOME_FILTER = "home_filter"
HOME_REMIND = "home_remind"
HOME_ASSIGN = "home_assign"
TEST_BOOKING = "test_booking"
CONFIRM_WRITES = "confirm_writes"
SNOOZE = "snooze"
PAUSE_QUIET = "pause_quiet"
ASK_AGAIN = "ask_again"
CANCEL_QUIET = "cancel_quiet"
KEEP_CREDENTIALS = "keep_credentials"
MARK_STEP_DONE = "mark_step_done"
SEND_TO_ENGINEER = "send_to_engineer"
JUST_CHATTING = "just_chatting"
MARK_ANSWERED = "mark_answered"
NOT_ANSWERED = "not_answered"
SEND_TO_THREAD = "send_to_thread"
TELL_CLIENT = "tell_client"
ASK_THEM = "ask_them"

# Message shortcuts, by callback_id: manifest.yml has them.
SEND_TO_CLIENT_THREAD = "send_to_client_thread"
MARK_QUESTION_ANSWERED = "mark_question_answered"
NOTE_TO_HISTORY = "note_to_history"

START_ONBOARDING = "start_onboarding"
ASK_FOR_HELP = "ask_for_help"
CANCEL_ONBOARDING = "cancel_onboarding"
CATCH_UP = "catch_up"
INVITE_CLIENT = "invite_client"
ASSIGN_ENGINEER = "assign_engineer"
ASK_CLIENTS = "ask_clients"

LAST_STEP = "last_step"
CLIENT_NAME = "client_name"
GUIDE = "guide"
CLIENT_ADMINS = "client_admins"
ENGINEER = "engineer"
QUESTION = "question"
REASON = "reason"
ADDRESSES = "addresses"
CHANNEL_NAME = "channel_name"
PRIVATE_CHANNEL = "private_channel"
CONFIRM_UNUSUAL = "confirm_unusual"


@dataclass(frozen=True, slots=True)
class StepRef:
    """What a button refers to: an onboarding, a step, and perhaps some fields."""

    onboarding_id: str
    step: int
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ":".join([self.onboarding_id, str(self.step), *self.fields])

    @classmethod
    def parse(cls, value: str) -> "StepRef":
        """Read a button's value; raises Malformed if it isn't ours."""
        onboarding_id, _, rest = value.partition(":")
        step, *fields = rest.split(":")
        if not (onboarding_id and step.isdecimal() and value.isascii() and value.isprintable()):
            raise Malformed("a button value that names no step")
        return cls(onboarding_id, int(step), tuple(fields))


@dataclass(frozen=True, slots=True)
class FormRef:
    """A modal's private_metadata: where it was opened and by whom; never a secret.

    A submission has no channel, so the modal carries it. Only the person who opened it may submit
    it. `timezone` is the client's, looked up while the form was being filled in.
    """

    channel: str
    user_id: str
    team_id: str
    onboarding_id: str = ""
    step: int = 0
    fields: Sequence[str] = ()
    timezone: str = ""

    def __str__(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def parse(cls, value: str) -> "FormRef":
        """Read private_metadata; raises Malformed if it is not ours."""
        try:
            return cls(**json.loads(value))
        except (ValueError, TypeError) as error:
            raise Malformed("private_metadata that is not ours") from error
