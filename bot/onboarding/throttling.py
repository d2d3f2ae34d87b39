"""Rate limits for what costs others something (pure).

People at work never reach them; somebody with a script does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `most` in any period of length `within`."""

    most: int
    within: timedelta = timedelta(hours=1)

    def wait(self, times: Iterable[datetime], now: datetime) -> timedelta | None:
        """Return how long to wait after those at `times`, None if there's no need to."""
        recent = sorted(at for at in times if timedelta() <= now - at < self.within)
        if len(recent) < self.most:
            return None
        return recent[-self.most] + self.within - now


# Per person and client.
QUESTIONS = Rate(10)
REFUSALS_KEPT = Rate(1)  # recorded in the history, per permission
GUESSES = Rate(200)  # parts of what they write that could be a stored value
GUESSES_AT_ONCE = 20  # in one text
ANSWERS = Rate(30)  # of the guide
# Per client.
CHECKS = Rate(10)  # with ServiceTitan, when credentials are entered
CHECKS_ASKED_FOR = Rate(20)  # with ServiceTitan, in all, before an engineer's button is refused
CHECKS_BY_CLIENT = (Rate(1, timedelta(minutes=1)), Rate(10))  # by their own button
HANDOVERS = Rate(30)  # of steps to HeavySet: each pings the engineer
REPLACEMENTS = Rate(30)  # of stored credentials, before all are in
POSTED_SECRETS = Rate(1)  # notices of the same credentials
MAX_FINGERPRINTS = 20  # remembered with one notice


def in_minutes(wait: timedelta) -> str:
    """Return a wait in words, such as `in 12 minutes`."""
    minutes = max(ceil(wait / timedelta(minutes=1)), 1)
    return "in a minute" if minutes == 1 else f"in {minutes} minutes"
