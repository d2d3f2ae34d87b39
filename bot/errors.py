"""The tree of errors: what a person is told (`Refused`), and what passes by itself (`Unavailable`).

OnboardingError
├── Refused            the text is for the person who asked
│   ├── NotAllowed     somebody else may do this
│   └── NotFound       what the request names does not exist (any more)
├── Unavailable        a neighbour does not answer; nothing was changed
├── Unreadable         a stored value cannot be decrypted
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


class Malformed(OnboardingError):
    """A signed request that lacks what Slack's documentation promises."""


class Stale(OnboardingError):
    """The row was written by somebody else since it was read."""


class Repeated(OnboardingError):
    """The request was carried out before; Slack, or somebody in between, sent it again."""
