"""The pages of the report's window."""

from bot.core.errors import Malformed
from bot.onboarding.reporting.period import Period
from bot.use_cases import UseCases
from bot.views import ids
from bot.views.forms import View
from bot.views.reporting import PAGES
from handlers.listeners import Listeners
from handlers.payloads import WindowPress


def register(on: Listeners, use_cases: UseCases) -> None:
    @on.press(WindowPress, f"{ids.REPORT_PAGE}:")
    async def report_page(press: WindowPress) -> View:
        page = press.argument
        period = Period.parse(press.action.value)
        if period is None or page not in PAGES:
            raise Malformed("a page of no report")
        return await use_cases.reporting.page(press.request, press.view.ref, period, page)
