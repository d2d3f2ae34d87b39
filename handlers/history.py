"""The pages of the history's window."""

from bot.core.errors import Malformed
from bot.use_cases import UseCases
from bot.views import ids
from bot.views.forms import View
from handlers.listeners import Listeners
from handlers.payloads import WindowPress


def register(on: Listeners, use_cases: UseCases) -> None:
    @on.press(WindowPress, f"{ids.HISTORY_PAGE}:")
    async def history_page(press: WindowPress) -> View:
        until = press.action.value
        if not (until.isascii() and until.isdecimal() and len(until) < 10):
            raise Malformed("a page that we did not number")
        return await use_cases.history.page(press.request, press.view.ref, int(until))
