"""The buttons that only name a step: each calls one use case."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.use_cases import Request, UseCases
from bot.views import ids
from bot.views.ids import StepRef
from handlers.forms import Submission, at_the_form
from handlers.payloads import Press, WindowPress
from handlers.replies import Replies


def register(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    steps, verification = use_cases.steps, use_cases.verification
    buttons: dict[str, Callable[[Request, StepRef], Awaitable[None]]] = {
        ids.STEP_DONE: steps.finish,
        ids.STEP_UNDO: steps.undo,
        ids.REOPEN_STEP: steps.reopen,
        ids.HAND_OVER: steps.hand_over,
        f"{ids.HAND_OVER}:phase": steps.hand_over_phase,
        ids.GIVE_BACK: steps.give_back,
        ids.SNOOZE: use_cases.quiet_clients.snooze,
        ids.RUN_VERIFICATION: verification.request,
        ids.TEST_BOOKING: verification.request_with_booking,
        ids.CONFIRM_WRITES: verification.confirm_writes,
    }

    async def press_button(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, Press.of(body)) as press:
            await buttons[press.action.action_id](press.request, press.step)

    for action_id in buttons:
        app.action(action_id)(press_button)

    @app.action(re.compile(rf"^{ids.CHOOSE_ACCOUNT}:"))
    async def choose_account(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, Press.of(body)) as press:
            option = press.action.action_id.partition(":")[2]
            await steps.choose(press.request, press.step, option)

    @app.action(ids.ALREADY_DONE)
    async def already_done(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, WindowPress.of(body)) as press:
            replies.update(press, await steps.catch_up_form(press.request, press.step))

    @app.view(ids.CATCH_UP)
    async def catch_up(ack: AsyncAck, body: dict[str, Any]) -> None:
        form = Submission.of(body)
        async with at_the_form(ack, form):
            last = form.chosen(ids.LAST_STEP)
            await steps.catch_up(form.saying(last), form.ref, last)

    @app.action(ids.GO_TO_STEP)
    @app.action(ids.HOME_OPEN)
    async def follow_link(ack: AsyncAck) -> None:
        await ack()  # Slack opens the button's link itself
