"""*Tell the client* and *Ask them*: telling live clients in their threads what to fix."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.use_cases import UseCases
from bot.views import ids
from bot.views.check_all import asked_view, asking_view
from handlers.forms import Submission, at_the_form
from handlers.payloads import Press
from handlers.replies import Replies


def register(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    live = use_cases.after_go_live

    @app.action(ids.TELL_CLIENT)
    async def tell_client(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, Press.of(body)) as press:
            replies.tell(press, await live.tell(press.request, press.step))

    @app.action(ids.ASK_THEM)
    async def ask_them(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, Press.of(body)) as press:
            replies.open(press, await live.ask_form(press.request, press.action.value))

    @app.view(ids.ASK_CLIENTS)
    async def ask_clients(ack: AsyncAck, body: dict[str, Any]) -> None:
        form = Submission.of(body)
        async with at_the_form(ack, form) as closing:
            request = form.saying()
            await live.must_ask(request, form.ref)
            closing.view = asking_view()
            replies.work(form, live.ask(request, form.ref), asked_view)
