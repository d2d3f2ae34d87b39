"""The pages of the history's window."""

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.errors import Malformed
from bot.use_cases import UseCases
from bot.views import ids
from handlers.payloads import WindowPress
from handlers.replies import Replies


def register(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    @app.action(re.compile(rf"^{ids.HISTORY_PAGE}:"))
    async def history_page(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, WindowPress.of(body)) as press:
            until = _number(press.action.value)
            replies.update(press, await use_cases.history.page(press.request, press.ref, until))


def _number(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) < 10):
        raise Malformed("a page that we did not number")
    return int(value)
