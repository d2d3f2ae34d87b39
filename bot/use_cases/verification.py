"""Verifying the stored credentials, with a test booking if an engineer wants one."""

from bot.onboarding import Onboarding
from bot.onboarding.people import Permission
from bot.onboarding.report import Outcome
from bot.onboarding.verifications import confirm_writes, request_verification
from bot.use_cases.services import Request
from bot.use_cases.use_case import UseCase
from bot.views.ids import StepRef


class Verification(UseCase):
    """The buttons; storing the fifth credential starts a verification by itself."""

    async def request(self, request: Request, ref: StepRef, *, test_booking: bool = False) -> None:
        """Verify the credentials now; a test booking appears in the client's ServiceTitan."""
        await self._act(
            request,
            ref.onboarding_id,
            lambda at: Permission.HEAVYSET_STEP if test_booking else _permission(at),
            lambda at, actor, now: request_verification(
                at, actor, now, _external_id(at) if test_booking else None
            ),
        )
        self._services.verification_runner.wake(ref.onboarding_id)

    async def confirm_writes(self, request: Request, ref: StepRef) -> None:
        """Record that an engineer checked the write permissions in ServiceTitan."""
        await self._act(
            request,
            ref.onboarding_id,
            Permission.HEAVYSET_STEP,
            lambda at, actor, now: confirm_writes(at, actor, now),
        )


def _permission(onboarding: Onboarding) -> Permission:
    """The client's people may have it checked again what failed."""
    report = onboarding.last_report
    failed = report is not None and report.outcome is Outcome.FAILED
    return Permission.CLIENT_STEP if failed else Permission.HEAVYSET_STEP


def _external_id(onboarding: Onboarding) -> str:
    return f"heavyset-test-{onboarding.id}-{len(onboarding.verifications) + 1}"
