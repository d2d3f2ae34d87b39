"""Showing stored credentials to an engineer, one at a time."""

import logging
import uuid
from functools import partial

from bot.core.deadline import answering_within
from bot.core.errors import NotAllowed, Refused, Unavailable, Unreadable
from bot.onboarding import Onboarding
from bot.onboarding.credentials import must_be_stored, reveal_credentials
from bot.onboarding.people import Actor
from bot.onboarding.permissions import Permission
from bot.use_cases.authorization import opened
from bot.use_cases.revealed_windows import WINDOW
from bot.use_cases.services import Request
from bot.use_cases.use_case import UseCase
from bot.views import modals
from bot.views.forms import View
from bot.views.ids import FormRef, StepRef
from storage import credentials, onboardings, reveals

log = logging.getLogger(__name__)

# A button's trigger can open a window for three seconds.
AFRESH_SECONDS = 2
SLACK_IS_SILENT = (
    "Slack isn't answering, so I can't tell whether you may still see credentials. Nothing was "
    "shown. Please try again in a moment."
)


class RevealCredentials(UseCase):
    """The window that lists stored credentials, and its buttons."""

    async def list_stored(self, request: Request, ref: StepRef) -> View:
        """Return a window with the stored credentials, masked; the step's own are listed first."""
        onboarding = await self._get(ref.onboarding_id)
        await self._viewer(request, onboarding)
        step = onboarding.guide.step(onboarding.step(ref.step).number)
        if not step.reveals:
            raise Refused("Nothing to show at this step.")
        names = modals.revealed_fields(onboarding, step.number)
        stored = [name for name in names if name in onboarding.credentials]
        must_be_stored(onboarding, stored or names)
        form = request.form(onboarding.id, step.number, names)
        return modals.reveal_modal(onboarding, form, f"{WINDOW}{uuid.uuid4().hex}")

    async def reveal(self, request: Request, ref: FormRef, window: str, name: str) -> View:
        """Return the window with one credential readable.

        That it is shown, and until when, is recorded first. Engineering is notified of the first
        one in a window.
        """
        if not await opened(self._services, request.person, ref):
            raise NotAllowed("Someone else opened this window. Please open your own.")
        services = self._services
        async with services.database.begin(write=False) as session:
            onboarding = await onboardings.get(session, ref.onboarding_id)
            sealed = await credentials.of(session, onboarding.id)
        actor = await self._viewer(request, onboarding)
        must_be_stored(onboarding, [name])
        try:
            value = services.vault.open(sealed[name])
        except Unreadable as error:
            raise Refused(
                f"A stored credential can't be read, so none are shown: {error}. Whoever runs the "
                "bot can look with `onboarding keys check`."
            ) from error
        again = await services.read(reveals.shows, window)
        revealed = partial(reveal_credentials, fields=[name], actor=actor, quiet=again)
        record = partial(services.reveals.record, window)
        after = await self._change(request, onboarding.id, revealed, record)
        services.reveals.schedule()
        return modals.reveal_modal(after, ref, window, shown=name, value=value)

    async def _viewer(self, request: Request, onboarding: Onboarding) -> Actor:
        """Return the engineer who wants to see credentials, verified with Slack right now."""
        try:
            with answering_within(AFRESH_SECONDS):
                return await self._actor(request, onboarding, Permission.REVEAL, fresh=True)
        except Unavailable as error:
            log.warning("nothing was revealed", extra={"reason": str(error)})
            raise Refused(SLACK_IS_SILENT) from error
