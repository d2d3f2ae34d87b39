"""*Keep them*, in the engineering channel, before unused credentials are deleted."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.use_cases import UseCases
from bot.views import ids
from handlers.payloads import Press
from handlers.replies import Replies


def register(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    @app.action(ids.KEEP_CREDENTIALS)
    async def keep_credentials(ack: AsyncAck, body: dict[str, Any]) -> None:
        press = Press.of(body)
        async with replies.errors_to(press):
            replies.tell(press, await use_cases.retention.keep(press.request, press.action.value))
        await ack()
