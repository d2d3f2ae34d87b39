"""What no other listener takes: buttons of another version, and requests that are not whole."""

import logging
import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.response import BoltResponse

from bot.errors import Malformed, Unavailable
from bot.use_cases import UseCases
from handlers.answers import Answers
from handlers.payloads import Press

log = logging.getLogger(__name__)


def register(app: AsyncApp, _use_cases: UseCases, answers: Answers) -> None:
    """Register the listeners that come last."""

    @app.action(re.compile(".*"))
    async def unknown_action(ack: AsyncAck, body: dict[str, Any]) -> None:
        press = Press.of(body)
        answers.tell(press, "This button is from another version. Please use the newest message.")
        await ack()

    @app.error
    async def failed(error: Exception) -> BoltResponse:
        if isinstance(error, Malformed):
            log.warning("a malformed request", extra={"reason": str(error)})
            return BoltResponse(status=400, body="malformed request")
        if isinstance(error, Unavailable):  # an event: Slack brings it again
            log.warning("an event is awaited again", extra={"reason": str(error)})
            return BoltResponse(status=503, body="")
        log.error("a listener failed", exc_info=error)
        return BoltResponse(status=400, body="request failed")
