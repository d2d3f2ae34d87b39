"""What happened in one onboarding, for engineers and support."""

from bot.onboarding.history import history_of
from bot.use_cases.services import Request
from bot.use_cases.use_case import UseCase
from bot.views.forms import View
from bot.views.history import history_modal
from bot.views.ids import FormRef
from storage import event_log, onboardings


class History(UseCase):
    async def of_client(self, request: Request, name: str) -> View:
        """Return the window of the client that a command names, by default the channel's.

        The onboarding may be finished. The newest entries are shown first.
        """
        onboarding = await self._named(request, name, finished=True)
        return await self._window(request.form(onboarding.id))

    async def page(self, request: Request, ref: FormRef, until: int) -> View:
        """Return the window with the entries up to `until`, for the person who opened it."""
        await self._submitter(request, ref)
        return await self._window(ref, until)

    async def _window(self, ref: FormRef, until: int | None = None) -> View:
        services = self._services
        async with services.database.begin(write=False) as session:
            onboarding = await onboardings.get(session, ref.onboarding_id)
            events = await event_log.events_of(session, ref.onboarding_id)
        return history_modal(
            onboarding,
            history_of(onboarding.guide, events, services.clock()),
            ref,
            workspace_url=services.slack.identity.url,
            until=until,
        )
