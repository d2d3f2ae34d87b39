"""Putting a reminder off."""

from bot.guide import Owner
from bot.people import Deed
from bot.use_cases.base import Request, UseCase
from bot.views.ids import StepRef


class Reminders(UseCase):
    """Reminders come from `bot.nudging`, or by hand from `/servicetitan remind`."""

    async def snooze(self, request: Request, ref: StepRef) -> None:
        """Put the next nudge off; for whoever the nudge that stands there is for."""
        onboarding, nudging = await self._get(ref.onboarding_id), self._services.nudging
        nudge = onboarding.reminder
        heavyset = nudge is not None and nudge.to is Owner.HEAVYSET
        deed = Deed.HEAVYSET_STEP if heavyset else Deed.CLIENT_STEP
        actor = await self._actor(request, onboarding, deed)
        await self._change(
            request,
            onboarding.id,
            lambda at, now: at.snooze(actor, now, nudging.quiet_until(at, now)),
        )
