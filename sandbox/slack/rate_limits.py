"""Slack's rate limits: calls a minute by tier, and one message a second per channel."""

import math
from collections import defaultdict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from sandbox.slack.model import Json
from sandbox.slack.web_api import Method

MESSAGES_PER_SECOND = 1
MESSAGE_BURST = 3  # Slack tolerates "short bursts", and gives no number


@dataclass
class RateLimits:
    """Counts calls within a sliding window; off unless `enabled`."""

    clock: Callable[[], float]
    enabled: bool = False
    _seen: dict[Hashable, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def wait_for(self, name: str, method: Method, arguments: Json) -> int:
        """The seconds to wait, or 0 if the call is allowed (docs: apis/web-api/rate-limits)."""
        if not self.enabled:
            return 0
        wait = self._count(name, method.per_minute, 60.0)
        if not wait and name in ("chat.postMessage", "chat.postEphemeral"):
            key = ("messages", arguments.get("channel"))
            wait = self._count(key, MESSAGE_BURST, MESSAGE_BURST / MESSAGES_PER_SECOND)
        return wait

    def _count(self, key: Hashable, most: int, window: float) -> int:
        now, seen = self.clock(), self._seen[key]
        while seen and seen[0] <= now - window:
            seen.popleft()
        if len(seen) >= most:
            return max(1, math.ceil(seen[0] + window - now))
        seen.append(now)
        return 0
