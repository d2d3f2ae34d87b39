"""The tree of errors: what a person is told (`Refused`), and what passes by itself (`Unavailable`).

OnboardingError
├── Refused            the text is for the person who asked
│   ├── NotAllowed     somebody else may do this
│   └── NotFound       what the request names does not exist (any more)
├── Unavailable        a neighbour does not answer; nothing was changed
├── Unreadable         a stored value cannot be decrypted
├── UnreadableRow      an onboarding of which this release cannot read something
├── Malformed          a request without what it must bear
└── Stale              somebody else was faster: read again and decide afresh
"""


class OnboardingError(Exception):
    """The base of all; never raised itself."""


class Refused(OnboardingError):
    """A request that was understood and is not done; its text says why and what to do."""


class NotAllowed(Refused):
    """The person may not do this."""


class NotFound(Refused):
    """What the request names does not exist, or not here."""


class Unavailable(OnboardingError):
    """Slack, ServiceTitan or the database does not answer; trying again later helps."""


class Unreadable(OnboardingError):
    """A stored value cannot be decrypted: key missing, or the row was moved or altered."""


class UnreadableRow(OnboardingError):
    """Something of an onboarding cannot be read by this release; `reason` holds no secret."""

    def __init__(self, onboarding_id: str, client_name: str, reason: str) -> None:
        """Take which onboarding it is, and what is wrong with it."""
        super().__init__(f"onboarding {onboarding_id} can't be read: {reason}")
        self.onboarding_id, self.client_name, self.reason = onboarding_id, client_name, reason


class Malformed(OnboardingError):
    """A signed request that lacks what Slack's documentation promises."""


class Stale(OnboardingError):
    """The row was written by somebody else since it was read."""


class Repeated(OnboardingError):
    """The request was carried out before; Slack, or somebody in between, sent it again."""
