"""Verifying the stored credentials, with a test booking if an engineer asks for one."""

from datetime import datetime

from bot.onboarding import Change, Onboarding
from bot.onboarding.people import Actor
from bot.onboarding.permissions import Permission
from bot.onboarding.verifications import confirm_writes, request_verification
from bot.use_cases.services import Request
from bot.use_cases.use_case import UseCase
from bot.views.ids import StepRef


class Verification(UseCase):
    """The buttons; storing the fifth credential starts a verification automatically."""

    async def request(self, request: Request, ref: StepRef) -> None:
        """Verify the credentials now."""
        await self._act(request, ref.onboarding_id, _permission, request_verification)
        self._services.verification_runner.wake(ref.onboarding_id)

    async def request_with_booking(self, request: Request, ref: StepRef) -> None:
        """Verify them with a test booking, which appears in the client's ServiceTitan."""
        await self._act(request, ref.onboarding_id, Permission.HEAVYSET_STEP, _with_booking)
        self._services.verification_runner.wake(ref.onboarding_id)

    async def confirm_writes(self, request: Request, ref: StepRef) -> None:
        """Record that an engineer checked the write permissions in ServiceTitan."""
        await self._act(request, ref.onboarding_id, Permission.HEAVYSET_STEP, confirm_writes)


def _permission(onboarding: Onboarding) -> Permission:
    """Return who may verify: the client's people may repeat a check that failed."""
    report = onboarding.last_report
    failed = report is not None and report.failed
    return Permission.CLIENT_STEP if failed else Permission.HEAVYSET_STEP


def _with_booking(onboarding: Onboarding, *, actor: Actor, now: datetime) -> Change:
    external_id = f"heavyset-test-{onboarding.id}-{len(onboarding.verifications) + 1}"
    return request_verification(onboarding, actor, now, external_id)
