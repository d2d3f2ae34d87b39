"""Slack's rate limits, and whether Slack answers at all.

The limits are per method, and for messages per channel too (docs.slack.dev, "Rate limits"). No call
is made before the time that Slack asked for. Calls that somebody waits for are made at once;
background work is spread out below the limits, so that there is always room for the former.
"""

from collections.abc import Callable

# Of the 50 and more calls a minute of tier 3, and of "several hundred messages a minute": the rest
# is for people, and for two threads that start at the same time.
BACKGROUND_PER_MINUTE = {"chat.update": 42, "chat.postMessage": 200}
MINUTE = 60.0
# A burst of this length need not be spread out.
BURST_SECONDS = 1.0
# After an unexpected limit, background work pauses this much longer: another worker may be calling.
MARGIN_SECONDS = 10.0
PER_CHANNEL = {"chat.postMessage", "chat.postEphemeral"}


class RateLimits:
    """Counts the calls, and remembers what Slack answered to them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take a monotonic clock, in seconds."""
        self.now = clock
        self._spread_until: dict[str, float] = {}  # by method: when its calls fit the limit
        self._limited_until: dict[tuple[str, str], float] = {}  # by method and channel; "": all
        self._away_since: float | None = None
        self.on_return: Callable[[float], None] = lambda _away_since: None

    def wait(self, method: str, channel: str) -> float:
        """Return the seconds until a call may be made."""
        now = self.now()
        until = (self._limited_until.get((method, one), now) for one in (channel, ""))
        return max(0.0, *(one - now for one in until))

    def made(self, method: str) -> None:
        if method in BACKGROUND_PER_MINUTE:
            now = self.now()
            start = max(self._spread_until.get(method, now), now)
            spread_until = start + MINUTE / BACKGROUND_PER_MINUTE[method]
            # Slack counts the last minute only, and so do we.
            self._spread_until[method] = min(spread_until, now + MINUTE)

    def failed(self) -> None:
        if self._away_since is None:
            self._away_since = self.now()

    def answered(self) -> None:
        """Record that Slack answered; after a failure, `on_return` is called with its time."""
        since, self._away_since = self._away_since, None
        if since is not None:
            self.on_return(since)

    def refused(self, method: str, channel: str, seconds: float) -> None:
        """Record that Slack asks to wait.

        It does not say which limit was hit. For messages it is most likely the channel's; if two
        channels are limited at once, it may be the method's, so background work waits too.
        """
        now = self.now()
        self._limited_until = {
            key: until for key, until in self._limited_until.items() if until > now
        }
        where = channel if method in PER_CHANNEL else ""
        others = any(key[0] == method and key[1] != where for key in self._limited_until)
        until = now + seconds
        self._limited_until[method, where] = max(
            self._limited_until.get((method, where), 0.0), until
        )
        if method in BACKGROUND_PER_MINUTE and (others or not where):
            pause = until + BURST_SECONDS + MARGIN_SECONDS
            self._spread_until[method] = max(self._spread_until.get(method, 0.0), pause)

    def reset(self) -> None:
        """Forget all calls and waits."""
        self._spread_until.clear()
        self._limited_until.clear()

    def background_delay(self) -> float:
        """Return the seconds until background work may make calls."""
        soon = self.now() + BURST_SECONDS
        methods = BACKGROUND_PER_MINUTE
        spread = (self._spread_until.get(method, soon) - soon for method in methods)
        return max(0.0, *spread, *(self.wait(method, "") for method in methods))
