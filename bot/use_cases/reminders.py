"""Putting a reminder off."""

from bot.guide import Owner
from bot.onboarding import Onboarding
from bot.onboarding.people import Deed
from bot.use_cases.services import Request, UseCase
from bot.views.ids import StepRef


class Reminders(UseCase):
    """Reminders come from `bot.reminders.reminder`, or by hand from `/servicetitan remind`."""

    async def snooze(self, request: Request, ref: StepRef) -> None:
        """Put the next nudge off; for whoever the nudge that stands there is for."""
        nudging = self._services.nudging

        def deed(onboarding: Onboarding) -> Deed:
            nudge = onboarding.reminder
            heavyset = nudge is not None and nudge.to is Owner.HEAVYSET
            return Deed.HEAVYSET_STEP if heavyset else Deed.CLIENT_STEP

        await self._act(
            request,
            ref.onboarding_id,
            deed,
            lambda at, actor, now: at.snooze(actor, now, nudging.quiet_until(at, now)),
        )
