"""*Snooze* on a reminder."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.use_cases import UseCases
from bot.views import ids
from handlers.replies import Replies


def register(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    @app.action(ids.SNOOZE)
    async def snooze(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(body) as (press, step):
            await use_cases.reminders.snooze(press.request, step)
        await ack()
