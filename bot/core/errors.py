"""The errors of the bot. Only the base of a tree ends in `Error`; the rest say what happened.

Those of Slack are in bot/slack/errors.py, those of the checks in bot/verification/errors.py.
"""


class OnboardingError(Exception):
    """The base class; never raised itself."""


class Refused(OnboardingError):
    """A request that was understood and refused; its text says why and what to do.

    `data` are people, times and words for the {gaps} of the text; bot/views/reply_texts.py fills
    them in.
    """

    def __init__(self, text: str = "", **data: object) -> None:
        super().__init__(text)
        self.data = data


class NotAllowed(Refused):
    """The person may not do this."""


class NotFound(Refused):
    """What the request names does not exist (anymore), or not here."""


class Unavailable(OnboardingError):
    """Slack, ServiceTitan or the database does not answer; trying again later helps."""


class Unreadable(OnboardingError):
    """A stored value cannot be decrypted: the key is missing, or the row was moved or altered."""


class UnreadableRow(OnboardingError):
    """This release cannot read something of an onboarding; `reason` contains no secret."""

    def __init__(self, onboarding_id: str, client_name: str, reason: str) -> None:
        super().__init__(f"onboarding {onboarding_id} can't be read: {reason}")
        self.onboarding_id, self.client_name, self.reason = onboarding_id, client_name, reason


class Malformed(OnboardingError):
    """A signed request that lacks what Slack's documentation promises."""


class Stale(OnboardingError):
    """Someone else has written the row since it was read."""


class Repeated(OnboardingError):
    """The request was carried out before; Slack or a proxy sent it again."""
