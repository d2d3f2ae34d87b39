"""Entering credentials, and an engineer's look at stored ones."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.use_cases import UseCases
from bot.views import ids
from handlers.payloads import Submission
from handlers.replies import Answers, at_the_form


def register(app: AsyncApp, use_cases: UseCases, answers: Answers) -> None:
    """Register the listeners."""

    @app.action(ids.ENTER_CREDENTIALS)
    async def open_form(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with answers.to(body) as (press, step):
            form = await use_cases.credentials.form(press.request, step)
            answers.open(press, form)
        await ack()

    @app.view(ids.ENTER_CREDENTIALS)
    async def enter_credentials(ack: AsyncAck, body: dict[str, Any]) -> None:
        form = Submission.of(body)
        async with at_the_form(ack, form):
            await use_cases.credentials.enter(
                form.saying(),
                form.ref,
                form.secrets,
                confirmed=form.ticked(ids.CONFIRM_UNUSUAL),
            )

    @app.action(ids.REVEAL_CREDENTIALS)
    async def reveal_credentials(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with answers.to(body) as (press, step):
            shown = await use_cases.credentials.reveal(press.request, step)
            answers.open(press, shown)
        await ack()
