"""Having the stored values verified."""

from bot.people import Deed
from bot.use_cases.base import Request, UseCase
from bot.views.ids import StepRef


class Verification(UseCase):
    """The engineers' button for it; a fifth value starts it by itself."""

    async def request(self, request: Request, ref: StepRef) -> None:
        """Have the values verified now."""
        onboarding = await self._get(ref.onboarding_id)
        actor = await self._actor(request, onboarding, Deed.HEAVYSET_STEP)
        await self._change(
            request, onboarding.id, lambda at, now: at.request_verification(actor, now)
        )
        self._services.verifier.wake(onboarding.id)
