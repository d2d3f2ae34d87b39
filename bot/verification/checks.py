"""The verification: which requests to make to ServiceTitan, and in which order.

Each stage rules out one cause, so the order matters: shape of the values, token, what the token
says, then the reads. A stage that does not pass ends it; the later ones are reported as not
checked. The reads are sent together, but the first probe (Business Units) is judged alone, for
Application Key and tenant: if it fails, the others' responses are dropped, and none of them is
retried.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from pydantic import SecretStr

from bot.guide import Guide
from bot.onboarding.verification_report import Outcome, Report
from bot.verification import diagnosis
from bot.verification.access import Access
from bot.verification.booking import CHECK, Booking, book
from bot.verification.diagnosis import Probe
from bot.verification.errors import RequestError
from bot.verification.findings import OPTIONAL, TITLES, Finding, milliseconds, report_of
from bot.verification.servicetitan import ServiceTitan
from bot.verification.servicetitan.endpoints import (
    BOOKING_PROVIDER_TAG,
    BOOKINGS,
    BUSINESS_UNITS,
    READS,
    Endpoint,
)


async def verify(
    guide: Guide,
    servicetitan: ServiceTitan,
    values: Mapping[str, SecretStr],
    *,
    now: Callable[[], datetime],
    booking: Booking | None = None,
) -> Report:
    """Check `values`, by field, with ServiceTitan and return a report in the words of `guide`.

    `now` returns aware datetimes. Errors of ServiceTitan end up in the report; nothing is raised.
    Nothing is written to ServiceTitan except `booking`, once all else has passed. No text of the
    report holds a credential.
    """
    began = now()
    run = _Run(guide, servicetitan, values, now)
    checks = {one.check: one for one in await _checks(run, booking)}
    for check_id in TITLES:
        if check_id not in checks and check_id not in OPTIONAL:
            checks[check_id] = Finding(check_id, "not run", "later")
    if booking and CHECK not in checks:
        told = f"not run; {booking.external_id} may be in ServiceTitan anyway"
        checks[CHECK] = Finding(CHECK, told if booking.sent else "not run", "later")
    in_order = (checks[name] for name in TITLES if name in checks)
    return report_of(guide, in_order, began, now(), servicetitan.environment)


async def _checks(run: "_Run", booking: Booking | None) -> list[Finding]:
    checks: list[Finding] = []
    for stage in (run.shape, run.token, run.claims, run.reads):
        checks += await stage()
        if any(check.required and check.outcome is not Outcome.PASSED for check in checks):
            return checks
    return [*checks, *(await run.book(booking) if booking else ())]


class _Run:
    def __init__(
        self,
        guide: Guide,
        servicetitan: ServiceTitan,
        values: Mapping[str, SecretStr],
        now: Callable[[], datetime],
    ) -> None:
        self._guide, self._servicetitan = guide, servicetitan
        self._values, self._now = values, now
        self._access = Access(servicetitan, values, now)
        self._reads: Sequence[Probe]

    async def shape(self) -> Sequence[Finding]:
        return [diagnosis.shape(self._guide, self._values)]

    async def token(self) -> Sequence[Finding]:
        began = self._now()
        try:
            token = await self._access.begin()
        except RequestError as error:
            refused = diagnosis.token_refused(error, self._ms_since(began))
            return [await self._explained(refused)]
        told = f"HTTP 200, {self._ms_since(began)} ms, valid for {token.expires_in} s"
        return [Finding("token", f"token: {told}")]

    async def _explained(self, refused: Finding) -> Finding:
        """Return the refusal of a token, or that the other environment accepts the credentials."""
        if refused.cause == "invalid_client":
            values, asked = self._values, self._servicetitan
            if other := await asked.other_environment(values["client_id"], values["client_secret"]):
                return diagnosis.of_other_environment(refused, other, here=asked.environment)
        return refused

    async def claims(self) -> Sequence[Finding]:
        return [diagnosis.claims(self._access.token, self._values)]

    async def reads(self) -> Sequence[Finding]:
        scopes = self._access.token.scopes
        ask_tag = BOOKING_PROVIDER_TAG.scope in (scopes or ())
        tag = [BOOKING_PROVIDER_TAG] if ask_tag else []
        key, probes = await self._probe_all(dict.fromkeys([BUSINESS_UNITS, *READS, *tag]))
        if key.outcome is not Outcome.PASSED:
            return [key]
        self._reads = [probes[read] for read in READS]
        checks = [
            key,
            diagnosis.permissions(self._reads, scopes),
            diagnosis.writes(self._reads, scopes),
            diagnosis.booking_provider(probes[BOOKINGS], scopes),
        ]
        if ask_tag:
            checks.append(diagnosis.booking_provider_tag(probes[BOOKING_PROVIDER_TAG]))
        return checks

    async def book(self, booking: Booking) -> Sequence[Finding]:
        """Create the test booking, which also proves that bookings can be written."""
        booked = await book(self._access, booking, self._now())
        if booked.outcome is not Outcome.PASSED:
            return [booked]
        scopes = self._access.token.scopes
        return [booked, diagnosis.writes(self._reads, scopes, proved=[BOOKINGS.label])]

    async def _probe_all(
        self, endpoints: Iterable[Endpoint]
    ) -> tuple[Finding, Mapping[Endpoint, Probe]]:
        """Return what the first probe shows, and all probes, or none if it does not pass.

        At most nine requests run at once, far below the 60 a second that ServiceTitan's FAQ allows
        an app per tenant.
        """
        async with asyncio.TaskGroup() as group:
            tasks = {each: group.create_task(self._probe(each)) for each in endpoints}
            first = await tasks[BUSINESS_UNITS]
            known = self._access.token.tenant is not None
            key = diagnosis.application_key(first, tenant_known=known)
            if key.outcome is not Outcome.PASSED:
                for task in tasks.values():
                    task.cancel()
                return key, {}
            self._access.may_repeat.set()
        return key, {each: task.result() for each, task in tasks.items()}

    async def _probe(self, endpoint: Endpoint) -> Probe:
        began = self._now()
        try:
            body = await self._access.get(endpoint)
        except RequestError as error:
            return Probe(endpoint, self._ms_since(began), error)
        # The others' may hold personal data.
        body = body if endpoint is BOOKING_PROVIDER_TAG else {}
        return Probe(endpoint, self._ms_since(began), body=body)

    def _ms_since(self, began: datetime) -> int:
        return milliseconds(self._now() - began)
