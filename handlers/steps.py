"""The buttons of a step: done, undo, hand over, and the replies of its question."""

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.use_cases import UseCases
from bot.views import ids
from handlers.replies import Replies


def register(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    """Register the listeners."""

    @app.action(ids.STEP_DONE)
    async def step_done(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(body) as (press, step):
            await use_cases.steps.finish(press.request, step)
        await ack()

    @app.action(ids.STEP_UNDO)
    async def step_undo(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(body) as (press, step):
            await use_cases.steps.undo(press.request, step)
        await ack()

    @app.action(ids.REOPEN_STEP)
    async def reopen_step(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(body) as (press, step):
            await use_cases.steps.reopen(press.request, step)
        await ack()

    @app.action(ids.GO_TO_STEP)
    async def go_to_step(ack: AsyncAck) -> None:
        await ack()  # Slack opens the button's link itself

    @app.action(re.compile(rf"^{ids.HAND_OVER}(:phase)?$"))
    async def hand_over(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(body) as (press, step):
            rest = press.action.action_id.endswith(":phase")
            await use_cases.steps.hand_over(press.request, step, rest_of_phase=rest)
        await ack()

    @app.action(ids.GIVE_BACK)
    async def give_back(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(body) as (press, step):
            await use_cases.steps.give_back(press.request, step)
        await ack()

    @app.action(re.compile(rf"^{ids.CHOOSE_ACCOUNT}:"))
    async def choose_account(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(body) as (press, step):
            option = press.action.action_id.partition(":")[2]
            await use_cases.steps.choose(press.request, step, option)
        await ack()
