"""Entering credentials, showing stored ones to engineers, and keeping unused ones."""

from bot.core.errors import Malformed
from bot.use_cases import UseCases
from bot.use_cases.revealed_windows import WINDOW
from bot.views import ids
from bot.views.forms import View
from handlers.forms import Submission
from handlers.listeners import Listeners
from handlers.payloads import Press, WindowPress


def register(on: Listeners, use_cases: UseCases) -> None:
    @on.form(ids.ENTER_CREDENTIALS)
    async def enter_credentials(form: Submission) -> View | None:
        return await use_cases.credentials.enter(
            form.saying(),
            form.ref,
            form.secrets,
            confirmed=form.ticked(ids.CONFIRM_UNUSUAL),
        )

    @on.press(WindowPress, f"{ids.REVEAL_CREDENTIALS}:")
    async def show_credential(press: WindowPress) -> View:
        name, window = press.argument, press.view.external_id
        if name not in press.view.ref.fields or not window.startswith(WINDOW):
            raise Malformed("a window that we did not open")
        return await use_cases.reveal_credentials.reveal(
            press.request, press.view.ref, window, name
        )

    @on.press(Press, ids.KEEP_CREDENTIALS)
    async def keep_credentials(press: Press) -> str:
        return await use_cases.retention.keep(press.request, press.action.value)
