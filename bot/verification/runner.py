"""Runs due verifications: decrypts the credentials, asks ServiceTitan, records the report."""

import asyncio
import logging
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from bot.core.background import BackgroundTasks
from bot.core.errors import OnboardingError, Refused, Stale, Unavailable, Unreadable, UnreadableRow
from bot.core.leases import LEASE, keep_lease
from bot.core.metrics import Metrics
from bot.guide import Guide
from bot.guide.http_checks import HttpChecks
from bot.onboarding import Status, Verification
from bot.onboarding.verification_report import Report
from bot.onboarding.verifications import finish_verification, record_booking_sent
from bot.verification import Booking, verify
from bot.verification.findings import Finding, report_of
from bot.verification.http_checks import verify_http
from bot.verification.servicetitan import ServiceTitan
from storage import credentials, onboardings, verification_leases
from storage.changes import change
from storage.database import Database
from storage.leases import Worker
from storage.vault import Sealed, Vault

log = logging.getLogger(__name__)

RETRY_AFTER_BUG = timedelta(minutes=5)
RELEASE_SECONDS = 1
SWEEP_BATCH = 20


@dataclass(frozen=True, slots=True)
class _Claim:
    """A run that is ours as long as the database has this `owner`."""

    onboarding_id: str
    guide: Guide
    run: Verification
    sealed: Mapping[str, Sealed] = field(repr=False)
    owner: str


class VerificationRunner:
    """Runs at most one verification per onboarding at a time, on any worker."""

    def __init__(
        self,
        *,
        database: Database,
        vault: Vault,
        servicetitan: ServiceTitan,
        application_key: SecretStr | None = None,
        wake_publisher: Callable[[str], None],
        tasks: BackgroundTasks,
        metrics: Metrics,
        clock: Callable[[], datetime],
        worker: Worker,
        lease: timedelta = LEASE,
    ) -> None:
        self._lease, self._worker = lease, worker
        self._metrics = metrics
        self._database, self._vault = database, vault
        self._servicetitan = servicetitan
        self._application_key = application_key  # our own, for guides that ask for none
        self._wake_publisher = wake_publisher
        self._tasks, self._clock = tasks, clock

    def wake(self, onboarding_id: str) -> None:
        """Run the verification of an onboarding, if one is due."""
        self._tasks.spawn(self._run(onboarding_id), f"verify {onboarding_id}")

    async def sweep(self) -> None:
        """Run what is due: after a pause, or after another worker's crash."""
        async with self._database.begin(write=False) as session:
            due = await verification_leases.due(session, self._worker, self._clock(), SWEEP_BATCH)
        for onboarding_id in due:
            self.wake(onboarding_id)

    async def _run(self, onboarding_id: str) -> None:
        began = asyncio.get_running_loop().time()
        try:
            claim = await self._claim(onboarding_id)
        except UnreadableRow:  # it is in the log
            return
        if claim is None:
            return
        try:
            async with keep_lease(lambda: self._hold(claim, self._lease), self._lease, began):
                report = await self._report(claim)
            self._metrics.verifications.labels(report.outcome.value).inc()
            await self._finish(claim, report)
        except Stale:
            log.info("lost a verification", extra={"onboarding": onboarding_id})
        except asyncio.CancelledError:  # we are shutting down: let another worker take over now
            with suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(RELEASE_SECONDS):
                    await self._release(claim)
            raise
        except Exception:  # the report could not be stored: do not retry immediately
            await self._hold(claim, RETRY_AFTER_BUG)
            raise

    async def _claim(self, onboarding_id: str) -> _Claim | None:
        """Claim the run that is due, if there is one and nobody else has it."""
        async with self._database.begin() as session:
            onboarding = await onboardings.get(session, onboarding_id)
            run = onboarding.verification
            if run is None or run.due_at is None or run.due_at > self._clock():
                return None
            if onboarding.missing or not onboarding.guide.is_checked:  # deleted meanwhile
                return None
            # The sweep picks it up again, if it is still due.
            if onboarding.status not in (Status.ACTIVE, Status.COMPLETED):
                return None
            owner = await verification_leases.claim(
                session, onboarding_id, run.number, self._worker, self._lease
            )
            if owner is None:
                return None
            sealed = await credentials.of(session, onboarding_id)
            return _Claim(onboarding_id, onboarding.guide, run, sealed, owner)

    async def _hold(self, claim: _Claim, duration: timedelta) -> bool:
        """Extend the claim by `duration`; False if somebody else has the run."""
        async with self._database.begin() as session:
            return await verification_leases.prolong(
                session, claim.onboarding_id, claim.run.number, claim.owner, duration
            )

    async def _release(self, claim: _Claim) -> None:
        async with self._database.begin() as session:
            await verification_leases.release(
                session, claim.onboarding_id, claim.run.number, claim.owner
            )

    async def _report(self, claim: _Claim) -> Report:
        """Check the stored credentials with ServiceTitan."""
        began = self._clock()
        try:
            values = {name: self._vault.open(one) for name, one in claim.sealed.items()}
        except Unreadable as error:
            log.error("cannot decrypt a stored value", extra={"reason": str(error)})
            told = f"{error}: nothing was sent. See `onboarding keys check`."
            return self._stopped(claim.guide, began, "stored_values", told, "Stored values")
        try:
            return await self._verified(claim, values)
        except Exception as error:  # its text may come from ServiceTitan, and so may hold a value
            extra = {"onboarding": claim.onboarding_id, "reason": _where(error)}
            log.error("a verification failed unexpectedly", extra=extra)
            booking = claim.run.booking
            booked = f" A test booking {booking} may be in ServiceTitan." if booking else ""
            told = f"The check could not be finished: {_where(error)}.{booked}"
            return self._stopped(claim.guide, began, "verification", told, "Verification")

    async def _verified(self, claim: _Claim, values: Mapping[str, SecretStr]) -> Report:
        """Check the credentials in the way that the guide declares."""
        checks = claim.guide.checks
        if isinstance(checks, HttpChecks):
            sender = self._servicetitan.sender
            return await verify_http(claim.guide, checks, sender, values, now=self._clock)
        if claim.guide.needs_our_key:
            if self._application_key is None:
                told = "SERVICETITAN_APPLICATION_KEY isn't set: nothing was sent to ServiceTitan."
                return self._stopped(claim.guide, self._clock(), "application_key", told)
            values = {**values, "application_key": self._application_key}
        return await verify(
            claim.guide,
            self._servicetitan,
            values,
            now=self._clock,
            booking=self._booking(claim.onboarding_id, claim.run),
        )

    def _stopped(
        self, guide: Guide, began: datetime, check: str, told: str, title: str = ""
    ) -> Report:
        """Return the report of a run that was stopped by a problem on our side."""
        finding = Finding(check, told, "our_problem", title=title)
        return report_of(guide, [finding], began, began, self._servicetitan.environment)

    def _booking(self, onboarding_id: str, run: Verification) -> Booking | None:
        """Return the test booking of a run, and how to record that it is sent."""
        if run.booking is None:
            return None

        async def may_send() -> bool:
            try:
                await change(
                    self._database,
                    onboarding_id,
                    lambda at: record_booking_sent(at, run, self._clock()),
                )
            except OnboardingError as error:
                log.warning("a test booking was not sent", extra={"reason": str(error)})
                return False
            return True

        return Booking(run.booking, sent=run.booking_sent_at is not None, may_send=may_send)

    async def _finish(self, claim: _Claim, report: Report) -> None:
        onboarding_id = claim.onboarding_id
        try:
            await change(
                self._database,
                onboarding_id,
                lambda at: finish_verification(at, claim.run, report, self._clock()),
            )
        except Refused:  # newer credentials arrived meanwhile: check them instead
            await self._release(claim)
            self.wake(onboarding_id)
            return
        except OnboardingError as error:
            log.warning("cannot store a report", extra={"reason": str(error)})
            return  # the lease ends, and the sweep runs it again
        self._wake_publisher(onboarding_id)


def _where(error: BaseException) -> str:
    """Return the type of an error and where it was raised, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
        frames += traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if "/bot/" in one.filename]
    at = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return f"{type(error).__name__}{at}"
