"""The button that verifies the stored values."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.use_cases import UseCases
from bot.views import ids
from handlers.answers import Answers


def register(app: AsyncApp, use_cases: UseCases, answers: Answers) -> None:
    """Register the listener."""

    @app.action(ids.RUN_VERIFICATION)
    async def run_verification(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with answers.to(body) as (press, step):
            await use_cases.verification.request(press.request, step)
        await ack()
