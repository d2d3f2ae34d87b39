"""How fast Slack may be called, and whether it answers at all.

Its limits are per method, and for messages per channel too. While Slack asks to wait, nothing is
called. What somebody waits for goes ahead at once; what was left behind goes evenly, below the
limits, so that there is always room for the former (docs.slack.dev, "Rate limits").
"""

from collections.abc import Callable

# Of the 50 and more calls a minute of tier 3, and of "several hundred messages a minute": the rest
# is for people, and for two threads that are begun at the same time.
PER_MINUTE = {"chat.update": 42, "chat.postMessage": 200}
MINUTE = 60.0
# A call or two need not be spread.
AT_ONCE_SECONDS = 1.0
# Another worker, or another limit than we know of, takes what we thought was there: leave it some.
LIE_LOW_SECONDS = 10.0
PER_CHANNEL = {"chat.postMessage", "chat.postEphemeral"}


class RateLimits:
    """Keeps count of the calls, and of what Slack said to them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take a clock that nobody sets, in seconds."""
        self.now = clock
        self._paid_at: dict[str, float] = {}  # by method: when its calls are spread out evenly
        self._until: dict[tuple[str, str], float] = {}  # by method and channel; "": by all
        self._away_since: float | None = None
        self.on_return: Callable[[float], None] = lambda _away_since: None

    def wait(self, method: str, channel: str) -> float:
        """Return the seconds for which Slack does not want this call; 0: it may be made."""
        now = self.now()
        pauses = (self._until.get((method, one), now) - now for one in (channel, ""))
        return max(0.0, *pauses)

    def made(self, method: str) -> None:
        """Note that a call is made."""
        if method in PER_MINUTE:
            now = self.now()
            paid_at = max(self._paid_at.get(method, now), now) + MINUTE / PER_MINUTE[method]
            # Slack took more than we thought it does: it forgets after a minute, and so do we.
            self._paid_at[method] = min(paid_at, now + MINUTE)

    def failed(self) -> None:
        """Note that Slack did not answer a call."""
        if self._away_since is None:
            self._away_since = self.now()

    def answered(self) -> None:
        """Note that Slack answered a call; `on_return` hears of the first one after a failure."""
        since, self._away_since = self._away_since, None
        if since is not None:
            self.on_return(since)

    def refused(self, method: str, channel: str, seconds: float) -> None:
        """Note that Slack asks to wait for so long.

        It does not say which limit was hit. For messages it is most likely the channel's; when two
        channels are full at once, what nobody waits for lies low too.
        """
        now = self.now()
        self._until = {key: until for key, until in self._until.items() if until > now}
        where = channel if method in PER_CHANNEL else ""
        others = any(key[0] == method and key[1] != where for key in self._until)
        self._until[method, where] = max(self._until.get((method, where), 0.0), now + seconds)
        if method in PER_MINUTE and (others or not where):
            low = now + seconds + AT_ONCE_SECONDS + LIE_LOW_SECONDS
            self._paid_at[method] = max(self._paid_at.get(method, 0.0), low)

    def start_afresh(self) -> None:
        """Forget what Slack asked for, and what was called."""
        self._paid_at.clear()
        self._until.clear()

    def background_delay(self) -> float:
        """Return the seconds until there is room for what nobody waits for."""
        now = self.now()
        soon = now + AT_ONCE_SECONDS
        paid = (self._paid_at.get(method, soon) - soon for method in PER_MINUTE)
        return max(0.0, *paid, *(self.wait(method, "") for method in PER_MINUTE))
