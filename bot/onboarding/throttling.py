"""How often somebody may do what others have to bear the cost of (pure).

Bounds that nobody at work notices, and that somebody with a script does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many in any stretch of time of that length."""

    most: int
    within: timedelta = HOUR

    def wait(self, times: Iterable[datetime], now: datetime) -> timedelta | None:
        """Return how long to wait for the next one after those at `times`; None: it may be now."""
        recent = sorted(at for at in times if timedelta() <= now - at < self.within)
        if len(recent) < self.most:
            return None
        return recent[-self.most] + self.within - now


# One person's, at one client.
QUESTIONS = Rate(10)
REFUSALS_KEPT = Rate(1)  # in the history, of each kind of thing that they may not do
GUESSES = Rate(200)  # pieces of what they write that could be a stored value
GUESSES_AT_ONCE = 20  # in one text
ANSWERS = Rate(30)  # of the guide
# One client's.
CHECKS = Rate(10)  # with ServiceTitan, when credentials are entered
CHECKS_ASKED_FOR = Rate(20)  # with ServiceTitan, of all, before an engineer's button is refused
HANDOVERS = Rate(30)  # of steps to HeavySet: each pings the engineer
REPLACEMENTS = Rate(30)  # of stored credentials, before all are there
POSTED_SECRETS = Rate(1)  # notices of the same credentials
MAX_FINGERPRINTS = 20  # of different secrets that are remembered with one notice


def in_minutes(wait: timedelta) -> str:
    """Return a wait in words, such as `in 12 minutes`."""
    minutes = max(ceil(wait / timedelta(minutes=1)), 1)
    return "in a minute" if minutes == 1 else f"in {minutes} minutes"
