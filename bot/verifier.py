"""Runs the verifications that are due: opens the values, asks ServiceTitan, records the report."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.errors import OnboardingError, Refused, Unreadable
from bot.metrics import Metrics
from bot.onboarding import Onboarding, Status, Verification
from bot.publisher import Publisher
from bot.report import Check, Outcome, Report
from bot.servicetitan import Credentials, ServiceTitan
from bot.tasks import Tasks
from bot.verification import Booking, verify
from storage import credentials, onboardings, verifications
from storage.changes import change
from storage.database import Database
from storage.guides import GuideShelf
from storage.vault import Vault

log = logging.getLogger(__name__)

# Longer than a verification can take with all its timeouts and retries.
LEASE = timedelta(minutes=5)
SWEEP_BATCH = 20


class Verifier:
    """At most one run per onboarding at a time, on whichever worker takes it."""

    def __init__(
        self,
        database: Database,
        shelf: GuideShelf,
        vault: Vault,
        servicetitan: ServiceTitan,
        publisher: Publisher,
        tasks: Tasks,
        metrics: Metrics,
        clock: Callable[[], datetime],
    ) -> None:
        """Take what it works with; `tasks` own its work."""
        self._metrics = metrics
        self._database, self._shelf, self._vault = database, shelf, vault
        self._servicetitan, self._publisher = servicetitan, publisher
        self._tasks, self._clock = tasks, clock

    def wake(self, onboarding_id: str) -> None:
        """Run the verification of an onboarding, if one is due."""
        self._tasks.spawn(self._run(onboarding_id), f"verify {onboarding_id}")

    async def sweep(self) -> None:
        """Take up what is due: after a pause, or after a crash of whoever was at it."""
        async with self._database.begin(write=False) as session:
            due = await verifications.due(session, self._clock(), SWEEP_BATCH)
        for onboarding_id in due:
            self.wake(onboarding_id)

    async def _run(self, onboarding_id: str) -> None:
        now = self._clock()
        async with self._database.begin() as session:
            onboarding = await onboardings.get(session, self._shelf, onboarding_id)
            run = onboarding.verification
            if run is None or run.due_at is None or run.due_at > now:
                return
            if onboarding.status is not Status.ACTIVE:  # taken up again by the sweep, if at all
                return
            if not await verifications.claim(session, onboarding_id, run.number, now, now + LEASE):
                return
            sealed = await credentials.of(session, onboarding_id)
        try:
            values = {name: self._vault.open(one) for name, one in sealed.items()}
            report = await verify(
                self._servicetitan,
                Credentials(**values),
                now=self._clock,
                booking=self._booking(onboarding.id, run),
            )
        except Unreadable as error:
            log.error("a stored value cannot be read", extra={"reason": str(error)})
            report = _unreadable(now, self._servicetitan.environment, str(error))
        self._metrics.verified(report.outcome.value)
        await self._finish(onboarding, run.number, run.requested_at, report)

    def _booking(self, onboarding_id: str, run: Verification) -> Booking | None:
        """The test booking that goes with a run, and how to write down that it is sent."""
        if run.booking is None:
            return None

        async def may_send() -> bool:
            try:
                await change(
                    self._database,
                    self._shelf,
                    onboarding_id,
                    lambda at: at.send_booking(run.number, run.requested_at, self._clock()),
                )
            except OnboardingError as error:
                log.warning("a test booking is not sent", extra={"reason": str(error)})
                return False
            return True

        return Booking(run.booking, sent=run.booking_sent_at is not None, may_send=may_send)

    async def _finish(
        self, onboarding: Onboarding, number: int, requested_at: datetime, report: Report
    ) -> None:
        try:
            await change(
                self._database,
                self._shelf,
                onboarding.id,
                lambda state: state.finish_verification(
                    number, requested_at, report, self._clock()
                ),
            )
        except Refused:  # newer values came in meanwhile: they are verified instead
            async with self._database.begin() as session:
                await verifications.release(session, onboarding.id, number)
            self.wake(onboarding.id)
            return
        except OnboardingError as error:
            log.warning("a report could not be kept", extra={"reason": str(error)})
            return  # the lease runs out, and the sweep has it run again
        self._publisher.wake(onboarding.id)


def _unreadable(now: datetime, environment: str, why: str) -> Report:
    check = Check(
        id="stored_values",
        title="Stored values",
        outcome=Outcome.UNKNOWN,
        for_client="There is a problem on our side. HeavySet Tech has been told.",
        for_engineer=f"{why}: nothing was sent to ServiceTitan. See `onboarding keys check`.",
    )
    return Report(checks=(check,), started_at=now, duration_ms=0, environment=environment)
