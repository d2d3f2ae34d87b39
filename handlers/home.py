"""The app's Home: opening and refreshing it, and the buttons of its board."""

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.use_cases import UseCases
from bot.views import ids
from bot.views.home import answer_view
from handlers.events import HomeOpened, quietly
from handlers.forms import Submission, at_the_form
from handlers.payloads import ButtonPress
from handlers.replies import Replies


def register(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    home = use_cases.home

    @app.event("app_home_opened")
    async def app_home_opened(event: dict[str, Any]) -> None:
        async with quietly():
            opened = HomeOpened.of(event)
            if opened.tab == "home":
                home.open(opened.user)

    @app.action(ids.HOME_REFRESH)
    async def home_refresh(ack: AsyncAck, body: dict[str, Any]) -> None:
        home.open(ButtonPress.of(body).user.id)
        await ack()

    @app.action(re.compile(rf"^{ids.HOME_FILTER}:"))
    async def home_filter(ack: AsyncAck, body: dict[str, Any]) -> None:
        press = ButtonPress.of(body)
        home.choose(press.user.id, press.action.value)
        await ack()

    @app.action(ids.HOME_REMIND)
    async def home_remind(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, ButtonPress.of(body)) as press:
            said = await home.remind(press.request, press.action.value)
            replies.open(press, answer_view(said))

    @app.action(ids.HOME_ASSIGN)
    async def home_assign(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, ButtonPress.of(body)) as press:
            replies.open(press, await home.assign_form(press.request, press.action.value))

    @app.view(ids.ASSIGN_ENGINEER)
    async def assign_engineer(ack: AsyncAck, body: dict[str, Any]) -> None:
        form = Submission.of(body)
        async with at_the_form(ack, form):
            engineer = form.input(ids.ENGINEER).selected_user or ""
            await home.assign(form.saying(engineer), form.ref, engineer)
