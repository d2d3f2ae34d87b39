"""Putting a reminder off."""

from bot.guide import Owner
from bot.onboarding import Onboarding
from bot.onboarding.people import Permission
from bot.onboarding.reminders import snooze
from bot.use_cases.services import Request, UseCase
from bot.views.ids import StepRef


class Reminders(UseCase):
    """Reminders come from `bot.reminders.sender`, or by hand from `/servicetitan remind`."""

    async def snooze(self, request: Request, ref: StepRef) -> None:
        """Put the next nudge off; for whoever the nudge that stands there is for."""
        reminder_sender = self._services.reminder_sender

        def permission(onboarding: Onboarding) -> Permission:
            nudge = onboarding.reminder
            heavyset = nudge is not None and nudge.to is Owner.HEAVYSET
            return Permission.HEAVYSET_STEP if heavyset else Permission.CLIENT_STEP

        await self._act(
            request,
            ref.onboarding_id,
            permission,
            lambda at, actor, now: snooze(at, actor, now, reminder_sender.quiet_until(at, now)),
        )
