"""One call of the Web API: counted, its errors translated, Slack's rate limits respected."""

import logging
from collections.abc import Coroutine
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.core.deadline import before_deadline
from bot.core.errors import Unavailable
from bot.core.metrics import Metrics
from bot.slack.errors import NotNow, RateLimited, SlackRefused, slack_request, translated
from bot.slack.rate_limits import AWAITED, RateLimits

log = logging.getLogger(__name__)


class BaseClient:
    def __init__(self, client: AsyncWebClient, metrics: Metrics, rate_limits: RateLimits) -> None:
        """Take a client without retry handlers: only we know what may be repeated."""
        self._client, self._metrics, self.rate_limits = client, metrics, rate_limits

    async def _call(
        self,
        method: str,
        call: Coroutine[Any, Any, AsyncSlackResponse],
        in_channel: str = "",
        share: float = AWAITED,
        **needed: type,
    ) -> AsyncSlackResponse:
        """Make a call; its response must have the members `needed`, by name and type.

        `in_channel` is the channel of a message, `share` what it may use of the method's limit.
        Raises RateLimited, without a call, until Slack allows one, and Unavailable at the deadline
        of the request.
        """
        if wait := self.rate_limits.wait(method, in_channel, share):
            call.close()
            raise RateLimited(wait)
        self.rate_limits.made(method, in_channel, share)
        try:
            with self._metrics.slack_call(method):
                async with translated(method):
                    response = await before_deadline(call)
                    _check(method, response, needed)
        except RateLimited as limit:
            self.rate_limits.refused(method, in_channel, limit.seconds)
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
        log.debug("Slack was called", extra={"method": method, **slack_request(response)})
        return response


def _check(method: str, response: AsyncSlackResponse, needed: dict[str, type]) -> None:
    for name, kind in needed.items():
        if not isinstance(response.get(name), kind):
            raise Unavailable(f"{method}: a response without {name}")


def next_cursor(response: AsyncSlackResponse) -> str | None:
    """Return the cursor of the next page, None after the last one."""
    return (response.get("response_metadata") or {}).get("next_cursor") or None
