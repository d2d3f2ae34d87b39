"""Catches what no other listener handles: buttons from other versions, and malformed requests."""

import logging
import re
from contextlib import suppress
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.response import BoltResponse

from bot.core.errors import Malformed, Unavailable
from bot.views.blocks import section
from bot.views.forms import notice
from handlers.payloads import AnyPress
from handlers.replies import Replies

log = logging.getLogger(__name__)

ANYTHING = re.compile("")
OUT_OF_DATE = "That button is out of date. Please use the latest message."
FORM_OUT_OF_DATE = "This form is out of date. Please close it and open it again. Nothing was saved."
NO_COMMAND = "I don't know that command. Try `/servicetitan help`."


def register(app: AsyncApp, replies: Replies) -> None:
    @app.action(ANYTHING)
    @app.shortcut(ANYTHING)
    async def unknown(ack: AsyncAck, body: dict[str, Any]) -> None:
        replies.show(AnyPress.of(body), OUT_OF_DATE)
        await ack()

    @app.view(ANYTHING)
    async def unknown_form(ack: AsyncAck) -> None:
        await ack(response_action="update", view=notice("Out of date", [section(FORM_OUT_OF_DATE)]))

    @app.view_closed(ANYTHING)
    @app.event(ANYTHING)
    async def nothing_to_do(ack: AsyncAck) -> None:
        await ack()

    @app.options(ANYTHING)
    async def no_options(ack: AsyncAck) -> None:
        await ack(options=[])

    @app.command(ANYTHING)
    async def unknown_command(ack: AsyncAck) -> None:
        await ack(text=NO_COMMAND, response_type="ephemeral")

    @app.error
    async def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
        if isinstance(error, Malformed):
            with suppress(Malformed):
                press = AnyPress.of(body)
                if press.action and not press.action.value:  # as none of our buttons
                    replies.show(press, OUT_OF_DATE)
                    return BoltResponse(status=200, body="")
            log.warning("a malformed request", extra={"reason": str(error)})
            return BoltResponse(status=400, body="malformed request")
        if isinstance(error, Unavailable):  # an event: Slack will send it again
            log.warning("an event failed; Slack will send it again", extra={"reason": str(error)})
            return BoltResponse(status=503, body="")
        log.error("a listener failed", exc_info=error)
        return BoltResponse(status=400, body="request failed")
