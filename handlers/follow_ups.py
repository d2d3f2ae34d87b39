"""The buttons of the message about a quiet client, in the engineering channel."""

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.use_cases import Request, UseCases
from bot.views import ids
from bot.views.ids import StepRef
from handlers.payloads import Press
from handlers.replies import Replies


def register(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    buttons: dict[str, Callable[[Request, StepRef], Awaitable[str]]] = {
        ids.PAUSE_QUIET: use_cases.quiet_clients.pause_quiet,
        ids.ASK_AGAIN: use_cases.quiet_clients.ask_again,
    }

    async def decide(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, Press.of(body)) as press:
            replies.tell(press, await buttons[press.action.action_id](press.request, press.step))

    for action_id in buttons:
        app.action(action_id)(decide)

    @app.action(ids.CANCEL_QUIET)
    async def cancel_quiet(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, Press.of(body)) as press:
            replies.open(
                press, await use_cases.quiet_clients.cancel_quiet_form(press.request, press.step)
            )
