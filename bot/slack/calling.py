"""One call of the Web API: counted, and its errors translated."""

import logging
from collections.abc import Awaitable

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.metrics import Metrics
from bot.slack.errors import BROKEN, request_id, translation

log = logging.getLogger(__name__)


class Caller:
    """The base of those who call."""

    def __init__(self, client: AsyncWebClient, metrics: Metrics) -> None:
        """Take a client without retry handlers: only we know what may be repeated."""
        self._client, self._metrics = client, metrics

    async def _call(self, method: str, call: Awaitable[AsyncSlackResponse]) -> AsyncSlackResponse:
        with self._metrics.slack_call(method):
            try:
                answer = await call
            except BROKEN as error:
                raise translation(method, error) from None
        log.debug("Slack was called", extra={"method": method, **request_id(answer)})
        return answer
