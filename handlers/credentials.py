"""Entering credentials, and an engineer's look at stored ones."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.use_cases import UseCases
from bot.views import ids
from handlers.answers import Answers, at_the_form
from handlers.payloads import Press, Submission


def register(app: AsyncApp, use_cases: UseCases, answers: Answers) -> None:
    """Register the listeners."""

    @app.action(ids.ENTER_CREDENTIALS)
    async def open_form(ack: AsyncAck, body: dict[str, Any]) -> None:
        press = Press.of(body)
        async with answers.to(press):
            step = ids.StepRef.parse(press.action.value)
            form = await use_cases.credentials.form(press.request, step)
            answers.open(press, form)
        await ack()

    @app.view(ids.ENTER_CREDENTIALS)
    async def enter_credentials(ack: AsyncAck, body: dict[str, Any]) -> None:
        form = Submission.of(body)
        async with at_the_form(ack, form):
            await use_cases.credentials.enter(
                form.request,
                form.ref,
                form.secrets,
                confirmed=form.ticked(ids.CONFIRM_UNUSUAL),
            )

    @app.action(ids.REVEAL_CREDENTIALS)
    async def reveal_credentials(ack: AsyncAck, body: dict[str, Any]) -> None:
        press = Press.of(body)
        async with answers.to(press):
            step = ids.StepRef.parse(press.action.value)
            answers.open(press, await use_cases.credentials.reveal(press.request, step))
        await ack()
