"""Entering credentials, showing stored ones to engineers, and keeping unused ones."""

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.errors import Malformed
from bot.use_cases import UseCases
from bot.use_cases.revealed_windows import WINDOW
from bot.views import ids
from handlers.forms import Submission, at_the_form
from handlers.payloads import Press, WindowPress
from handlers.replies import Replies


def register(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    @app.action(ids.ENTER_CREDENTIALS)
    async def open_form(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, Press.of(body)) as press:
            form = await use_cases.credentials.form(press.request, press.step)
            replies.open(press, form)

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
        async with replies.to(ack, Press.of(body)) as press:
            stored = await use_cases.reveal_credentials.list_stored(press.request, press.step)
            replies.open(press, stored)

    @app.action(re.compile(rf"^{ids.REVEAL_CREDENTIALS}:"))
    async def show_credential(ack: AsyncAck, body: dict[str, Any]) -> None:
        press = WindowPress.of(body)
        name, window = press.action.action_id.partition(":")[2], press.view.external_id
        if name not in press.ref.fields or not window.startswith(WINDOW):
            raise Malformed("a window that we did not open")
        async with replies.to(ack, press):
            view = await use_cases.reveal_credentials.reveal(press.request, press.ref, window, name)
            replies.update(press, view)

    @app.action(ids.KEEP_CREDENTIALS)
    async def keep_credentials(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, Press.of(body)) as press:
            replies.tell(press, await use_cases.retention.keep(press.request, press.action.value))
