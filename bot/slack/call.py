"""One call of the Web API: counted, its errors translated, and Slack's wish to wait kept."""

import logging
from collections.abc import Coroutine
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.core.deadline import before_deadline
from bot.core.errors import Unavailable
from bot.core.metrics import Metrics
from bot.slack.errors import NotNow, RateLimited, SlackRefused, request_id, translated
from bot.slack.rate_limits import RateLimits

log = logging.getLogger(__name__)


class Caller:
    """The base of those who call."""

    def __init__(self, client: AsyncWebClient, metrics: Metrics, rate_limits: RateLimits) -> None:
        """Take a client without retry handlers: only we know what may be repeated."""
        self._client, self._metrics, self.rate_limits = client, metrics, rate_limits

    async def _call(
        self,
        method: str,
        call: Coroutine[Any, Any, AsyncSlackResponse],
        where: str = "",
        **needed: type,
    ) -> AsyncSlackResponse:
        """Make a call; its answer must bear what is `needed`, a name and a type each.

        Whoever must be answered soon waits no longer than that: Unavailable.

        What Slack limited is not called before its time: RateLimited at once. Messages are counted
        by their channel too: that is `where`.
        """
        if wait := self.rate_limits.wait(method, where):
            call.close()
            raise RateLimited(wait)
        self.rate_limits.made(method)
        try:
            with self._metrics.slack_call(method):
                async with translated(method):
                    answer = await before_deadline(call)
                    _check(method, answer, needed)
        except RateLimited as limit:
            self.rate_limits.refused(method, where, limit.seconds)
            raise
        except NotNow:
            raise
        except Unavailable:
            self.rate_limits.failed()
            raise
        except SlackRefused:
            self.rate_limits.answered()
            raise
        self.rate_limits.answered()
        log.debug("Slack was called", extra={"method": method, **request_id(answer)})
        return answer


def _check(method: str, answer: AsyncSlackResponse, needed: dict[str, type]) -> None:
    for name, kind in needed.items():
        if not isinstance(answer.get(name), kind):
            raise Unavailable(f"{method}: an answer without {name}")
