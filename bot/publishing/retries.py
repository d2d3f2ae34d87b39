"""When to publish an onboarding again: after a failure, or once its thread is at rest."""

import asyncio
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from bot.slack import RateLimited, SlackRefused
from bot.slack.rate_limits import RateLimits

LEAST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 300.0
LEAST_REFUSED_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Retry:
    """Since when an onboarding has been failing, by a monotonic clock, and its next attempt."""

    since: float
    timer: asyncio.TimerHandle
    push: Callable[[str], None]


class Retries:
    """The onboardings that could not be published; all are retried when Slack is back."""

    def __init__(self, rate_limits: RateLimits) -> None:
        self._now = rate_limits.now
        self._retries: dict[str, _Retry] = {}
        rate_limits.on_return = self._slack_is_back

    def add(self, onboarding_id: str, error: Exception, push: Callable[[str], None]) -> float:
        """Call `push` with an onboarding after a pause; return the pause in seconds."""
        now, before = self._now(), self._retries.get(onboarding_id)
        since = min(before.since, now) if before else now
        self.reset(onboarding_id)
        pause = _pause(error, now - since)
        if isinstance(error, RateLimited):  # that isn't a failure yet
            since = now + pause
        self.after(pause, onboarding_id, push, since)
        return pause

    def after(
        self,
        seconds: float,
        onboarding_id: str,
        push: Callable[[str], None],
        since: float = math.inf,
    ) -> None:
        """Call `push` with an onboarding after a pause; `since` is when it began to fail, if so."""
        timer = asyncio.get_running_loop().call_later(seconds, push, onboarding_id)
        self._retries[onboarding_id] = _Retry(since, timer, push)

    def reset(self, onboarding_id: str) -> None:
        if retry := self._retries.pop(onboarding_id, None):
            retry.timer.cancel()

    def _slack_is_back(self, away_since: float) -> None:
        """Retry what has failed only since Slack was down; earlier failures have other causes."""
        loop, now = asyncio.get_running_loop(), self._now()
        for onboarding_id, retry in self._retries.items():
            is_waiting = not retry.timer.cancelled() and retry.timer.when() > loop.time()
            if is_waiting and away_since <= retry.since <= now:
                retry.timer.cancel()
                retry.push(onboarding_id)


def _pause(error: Exception, failing_for: float) -> float:
    """Return the seconds until the next attempt, with jitter.

    It is what Slack asks for, or about half of the time since the first failure.
    """
    jitter = random.random()  # noqa: S311  # not a secret
    if isinstance(error, RateLimited):
        return error.seconds + jitter * min(1.0, error.seconds / 50)
    least = LEAST_REFUSED_SECONDS if isinstance(error, SlackRefused) else LEAST_PAUSE_SECONDS
    return min(max(least, failing_for / 2), LONGEST_PAUSE_SECONDS) * (1 + jitter) / 2
