"""What happened in one onboarding, for engineers and support."""

from bot.onboarding.history import history_of
from bot.use_cases.authorization import must_have_opened
from bot.use_cases.lookup import client_of
from bot.use_cases.services import Request
from bot.use_cases.use_case import UseCase
from bot.views.forms import View
from bot.views.history import history_modal
from bot.views.ids import FormRef
from storage import event_log, onboardings


class History(UseCase):
    async def form(self, request: Request, onboarding_id: str) -> View:
        """Return the window of an onboarding, finished or not, with its newest entries."""
        return await self._window(request, request.form(onboarding_id))

    async def of_client(self, request: Request, name: str) -> View:
        """Return the window of the client that a command names, by default the channel's."""
        await self._engineer(request.person)
        onboarding = await client_of(self._services, request.channel, name, finished=True)
        return await self.form(request, onboarding.id)

    async def page(self, request: Request, ref: FormRef, until: int) -> View:
        """Return the window with the entries up to `until`, for the person who opened it."""
        await must_have_opened(self._services, request, ref)
        return await self._window(request, ref, until)

    async def _window(self, request: Request, ref: FormRef, until: int | None = None) -> View:
        await self._engineer(request.person)
        services = self._services
        async with services.database.begin(write=False) as session:
            onboarding = await onboardings.get(session, services.guides, ref.onboarding_id)
            events = await event_log.events_of(session, ref.onboarding_id)
        return history_modal(
            onboarding,
            history_of(onboarding.guide, events, services.clock()),
            ref,
            workspace_url=services.slack.identity.url,
            until=until,
        )
