"""The app's Home: presses there have no channel, so they are for engineers only."""

from functools import partial

from bot.core.mrkdwn import escape
from bot.onboarding.assignment import assign
from bot.use_cases.services import Request
from bot.use_cases.start_inputs import must_be_engineer
from bot.use_cases.use_case import UseCase
from bot.views.forms import View
from bot.views.home import EVERYONE, FILTERS, assign_modal
from bot.views.ids import FormRef


class Home(UseCase):
    def open(self, user_id: str) -> None:
        """Publish somebody's Home soon: the board, or an explanation."""
        self._services.homes.open(user_id)

    def choose(self, user_id: str, shows: str) -> None:
        """Show someone other onboardings on their Home, such as only theirs, or finished ones."""
        self._services.homes.open(user_id, shows if shows in FILTERS else EVERYONE)

    async def remind(self, request: Request, onboarding_id: str) -> str:
        """Remind the side that has to act; return a line that says so."""
        actor = await self._engineer(request.person)
        self.open(request.person.user_id)
        by_hand = self._services.follow_ups.remind_by_hand
        after = await self._change(request, onboarding_id, partial(by_hand, actor=actor))
        return f"*{escape(after.client_name)}*: Reminder sent."

    async def assign_form(self, request: Request, onboarding_id: str) -> View:
        await self._engineer(request.person)
        self.open(request.person.user_id)
        onboarding = await self._get(onboarding_id)
        return assign_modal(onboarding, request.form(onboarding_id))

    async def assign(self, request: Request, ref: FormRef, engineer: str) -> None:
        actor = await self._submitter(request, ref)
        await must_be_engineer(self._services, engineer)
        email = (await self._services.directory.profile(engineer)).email
        away = await self._away()
        assigned = partial(assign, engineer=engineer, email=email, actor=actor, away=away)
        await self._change(request, ref.onboarding_id, assigned)
