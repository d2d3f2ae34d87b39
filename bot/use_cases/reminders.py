"""Snoozing reminders."""

from bot.guide import Owner
from bot.onboarding import Onboarding
from bot.onboarding.permissions import Permission
from bot.onboarding.reminders import snooze
from bot.use_cases.authorization import TO_ACT_FOR
from bot.use_cases.services import Request
from bot.use_cases.use_case import UseCase
from bot.views.ids import StepRef


class Reminders(UseCase):
    """Reminders come from `bot.reminders.sender`, or by hand from `/servicetitan remind`."""

    async def snooze(self, request: Request, ref: StepRef) -> None:
        """Put the next reminder off, for the side that was reminded."""
        reminder_sender = self._services.reminder_sender

        def permission(onboarding: Onboarding) -> Permission:
            reminder = onboarding.reminder
            return TO_ACT_FOR[reminder.to if reminder else Owner.CLIENT]

        await self._act(
            request,
            ref.onboarding_id,
            permission,
            lambda at, actor, now: snooze(at, actor, now, reminder_sender.quiet_until(at, now)),
        )
