"""*Tell the client* and *Ask them*: telling live clients in their threads what to fix."""

from bot.use_cases import UseCases
from bot.views import ids
from bot.views.check_all import asked_view, asking_view
from bot.views.forms import View
from handlers.forms import Submission
from handlers.listeners import Listeners
from handlers.payloads import Press


def register(on: Listeners, use_cases: UseCases) -> None:
    live = use_cases.after_go_live

    @on.press(Press, ids.ASK_THEM)
    async def ask_them(press: Press) -> View:
        return await live.ask_form(press.request, press.action.value)

    @on.form(ids.ASK_CLIENTS)
    async def ask_clients(form: Submission) -> View:
        request = form.saying()
        await live.must_ask(request, form.ref)
        on.replies.work(form, live.ask(request, form.ref), asked_view)
        return asking_view()
