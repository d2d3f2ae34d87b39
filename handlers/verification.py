"""The button that verifies the stored values."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.use_cases import UseCases
from bot.views import ids
from handlers.answers import Answers
from handlers.payloads import Press


def register(app: AsyncApp, use_cases: UseCases, answers: Answers) -> None:
    """Register the listener."""

    @app.action(ids.RUN_VERIFICATION)
    async def run_verification(ack: AsyncAck, body: dict[str, Any]) -> None:
        press = Press.of(body)
        async with answers.to(press):
            step = ids.StepRef.parse(press.action.value)
            await use_cases.verification.request(press.request, step)
        await ack()
