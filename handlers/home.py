"""The app's Home: opening and refreshing it, and the buttons of its board."""

from bot.use_cases import UseCases
from bot.views import ids
from bot.views.forms import View
from handlers.events import HomeOpened
from handlers.forms import Submission
from handlers.listeners import Listeners
from handlers.payloads import ButtonPress


def register(on: Listeners, use_cases: UseCases) -> None:
    home = use_cases.home

    @on.event(HomeOpened.of, "app_home_opened")
    async def app_home_opened(event: HomeOpened) -> None:
        if event.tab == "home":
            home.open(event.user)

    @on.press(ButtonPress, ids.HOME_REFRESH)
    async def home_refresh(press: ButtonPress) -> None:
        home.open(press.user.id)

    @on.press(ButtonPress, f"{ids.HOME_FILTER}:")
    async def home_filter(press: ButtonPress) -> None:
        home.choose(press.user.id, press.action.value)

    @on.press(ButtonPress, ids.HOME_REMIND)
    async def home_remind(press: ButtonPress) -> str:
        return await home.remind(press.request, press.action.value)

    @on.press(ButtonPress, ids.HOME_ASSIGN)
    async def home_assign(press: ButtonPress) -> View:
        return await home.assign_form(press.request, press.action.value)

    @on.form(ids.ASSIGN_ENGINEER)
    async def assign_engineer(form: Submission) -> None:
        engineer = form.input(ids.ENGINEER).selected_user or ""
        await home.assign(form.saying(engineer), form.ref, engineer)
