"""The pages of the report's window."""

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.errors import Malformed
from bot.onboarding.reporting.period import Period
from bot.use_cases import UseCases
from bot.views import ids
from bot.views.reporting import PAGES
from handlers.payloads import WindowPress
from handlers.replies import Replies


def register(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    @app.action(re.compile(rf"^{ids.REPORT_PAGE}:"))
    async def report_page(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, WindowPress.of(body)) as press:
            page = press.action.action_id.partition(":")[2]
            period = Period.parse(press.action.value)
            if period is None or page not in PAGES:
                raise Malformed("a page of no report")
            view = await use_cases.reporting.page(press.request, press.ref, period, page)
            replies.update(press, view)
