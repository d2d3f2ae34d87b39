"""The buttons that verify the stored values, and tick off what cannot be verified."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.use_cases import UseCases
from bot.views import ids
from handlers.replies import Replies


def register(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    @app.action(ids.RUN_VERIFICATION)
    async def run_verification(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(body) as (press, step):
            await use_cases.verification.request(press.request, step)
        await ack()

    @app.action(ids.TEST_BOOKING)
    async def test_booking(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(body) as (press, step):
            await use_cases.verification.request(press.request, step, test_booking=True)
        await ack()

    @app.action(ids.CONFIRM_WRITES)
    async def confirm_writes(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(body) as (press, step):
            await use_cases.verification.confirm_writes(press.request, step)
        await ack()
