"""Slack's rate limits, and whether Slack answers at all.

The limits are per method, and for messages per channel too (docs.slack.dev, "Rate limits"). No call
is made before the time that Slack asked for, and calls that would break a limit known to apply
wait for room: those that someone is waiting for may use all of it, others only a share. Work that
was left behind is spread out below the limits.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence

MINUTE = 60.0
# Tier 3 is 50 calls a minute and more, Tier 4 is 100; messages are "several hundred a minute" and
# one a second in a channel, where "short bursts" are allowed: (messages, seconds).
PER_MINUTE = {"chat.update": 50, "chat.postMessage": 300, "users.info": 100}
BURSTS = ((2, 1.0), (3, 3.1))
PER_CHANNEL = {"chat.postMessage", "chat.postEphemeral"}
# The share of the limit that a call may use: if someone is waiting for it; if what people see is
# outdated but harmless; if nobody would notice (more, as long as there are few other calls).
AWAITED, HARMLESS, LEISURELY = 0.96, 0.9, 0.6
# If it can wait for minutes and many come at once. It keeps to its share even if no limit is
# known to apply: otherwise Slack would refuse calls for people who are acting. Only Slack limits
# their calls to users.info: it promises 100 a minute, and may allow more.
UNHURRIED = 0.5
# Calls that nobody is waiting for are not retried each time there is room for a single one.
PATIENCE_SECONDS = 5.0
# For work that was left behind: the rest is for people, and for two threads that start at the same
# time.
BACKGROUND_PER_MINUTE = {"chat.update": 42, "chat.postMessage": 200}
# A burst of this length need not be spread out.
BURST_SECONDS = 1.0
# After an unexpected limit, background work pauses this much longer: another worker may be calling.
MARGIN_SECONDS = 10.0


class RateLimits:
    """Counts calls, and remembers how Slack responded to them."""

    def __init__(self, clock: Callable[[], float], *, known: bool = False) -> None:
        """Take a monotonic clock, in seconds.

        `known`: the limits are Slack's. Otherwise each applies once it has caused a refusal.
        """
        self.now = clock
        self._kept = set(BACKGROUND_PER_MINUTE) if known else set[str]()
        # By method: when it was called in the last minute, in which channel, and with what share.
        self._made: dict[str, deque[tuple[float, str, float]]] = defaultdict(deque)
        self._spread_until: dict[str, float] = {}  # by method: when its calls fit the limit
        self._limited_until: dict[tuple[str, str], float] = {}  # by method and channel; "": all
        self._away_since: float | None = None
        self.on_return: Callable[[float], None] = lambda _away_since: None

    def wait(self, method: str, channel: str, share: float = AWAITED) -> float:
        """Return the seconds until a call that may use this share of the limit can be made."""
        now = self.now()
        asked = max(self._limited_until.get((method, one), now) for one in (channel, "")) - now
        room = self._room_at(method, channel, share) - now
        if room > 0 and share < AWAITED:
            room = max(room, PATIENCE_SECONDS)
        return max(0.0, asked, room)

    def _room_at(self, method: str, channel: str, share: float) -> float:
        """Return when a call would not break any limit that is known to apply."""
        if method not in self._kept and share > UNHURRIED:
            return 0.0
        made = self._made[method]
        most = self._leisurely(method) if share == LEISURELY else int(PER_MINUTE[method] * share)
        until = [_fewer_than(most, [at for at, _, _ in made], MINUTE)]
        if method in PER_CHANNEL:
            here = [at for at, one, _ in made if one == channel]
            until += [_fewer_than(burst, here, seconds) for burst, seconds in BURSTS]
        return max(until)

    def _leisurely(self, method: str) -> int:
        """Return up to how many calls a minute leisurely ones may be made.

        Half of what other calls used in the last minute is kept free.
        """
        since, limit = self.now() - MINUTE, PER_MINUTE[method]
        others = sum(at > since and share > LEISURELY for at, _, share in self._made[method])
        return max(int(limit * LEISURELY), int(limit * HARMLESS) - others // 2)

    def made(self, method: str, channel: str = "", share: float = AWAITED) -> None:
        if method not in PER_MINUTE:
            return
        now, made = self.now(), self._made[method]
        made.append((now, channel, share))
        while made[0][0] <= now - MINUTE:
            made.popleft()
        if method not in BACKGROUND_PER_MINUTE:
            return
        start = max(self._spread_until.get(method, now), now)
        spread_until = start + MINUTE / BACKGROUND_PER_MINUTE[method]
        # Slack counts only the last minute, and so do we.
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
        """Record that Slack asks us to wait.

        Slack doesn't say which limit was hit. For messages it is most likely the channel's; if two
        channels are limited at the same time, it may be the method's, so background work waits too.
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
        if method not in BACKGROUND_PER_MINUTE:
            return
        self._kept.add(method)
        if others or not where:
            pause = until + BURST_SECONDS + MARGIN_SECONDS
            self._spread_until[method] = max(self._spread_until.get(method, 0.0), pause)

    def background_delay(self) -> float:
        """Return the seconds until background work may make calls."""
        soon = self.now() + BURST_SECONDS
        methods = BACKGROUND_PER_MINUTE
        spread = (self._spread_until.get(method, soon) - soon for method in methods)
        return max(0.0, *spread, *(self.wait(method, "") for method in methods))


def _fewer_than(most: int, times: Sequence[float], window: float) -> float:
    """Return when fewer than `most` of the `times` are less than `window` seconds ago."""
    return times[-most] + window if len(times) >= most else 0.0
