"""The verification: which questions to ask ServiceTitan, and in which order.

Each step removes one cause, so the order is part of the meaning: shape of the values, token, what
the token says, one probe for Application Key and tenant, then all the rest at once. A step that
does not pass ends it; what comes later is reported as not checked.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.report import Check, Outcome, Report
from bot.servicetitan import Credentials, ServiceTitan, Token
from bot.servicetitan.endpoints import (
    BOOKING_PROVIDER_TAG,
    BOOKINGS,
    BUSINESS_UNITS,
    READS,
    Endpoint,
)
from bot.servicetitan.errors import ServiceTitanError, UnauthorizedError
from bot.verification import diagnosis
from bot.verification.diagnosis import Probe
from bot.verification.remedies import OPTIONAL, TITLES, found, passed

# Everything after the first probe goes out together, so that the whole takes about as long as the
# slowest; still far below the 60 calls a second that ServiceTitan's FAQ allows an app per tenant.
AT_ONCE = 8


async def verify(
    servicetitan: ServiceTitan, credentials: Credentials, *, now: Callable[[], datetime]
) -> Report:
    """Check the five credentials against ServiceTitan and report what was found.

    `now` returns aware datetimes. Refusals and outages end up in the report; nothing is raised for
    them. Nothing is written to ServiceTitan. No text of the report holds a credential's value.
    """
    began = now()
    checks = {check.id: check for check in await _checks(_Run(servicetitan, credentials, now))}
    for check_id in TITLES:
        if check_id not in checks and check_id not in OPTIONAL:
            checks[check_id] = found(check_id, "later", "not reached")
    return Report(
        checks=tuple(checks[check_id] for check_id in TITLES if check_id in checks),
        started_at=began,
        duration_ms=_ms(now() - began),
        environment=servicetitan.environment,
    )


async def _checks(run: "_Run") -> list[Check]:
    checks: list[Check] = []
    for look in (run.shape, run.token, run.claims, run.first_probe, run.the_rest):
        checks += await look()
        if any(check.required and check.outcome is not Outcome.PASSED for check in checks):
            break
    return checks


class _Run:
    """One verification under way: its token, and what the first probe brought."""

    def __init__(
        self, servicetitan: ServiceTitan, credentials: Credentials, now: Callable[[], datetime]
    ) -> None:
        self._servicetitan = servicetitan
        self._credentials = credentials
        self._now = now
        self._token: Token
        self._business_units: Probe
        self._renewed = False
        self._renewing = asyncio.Lock()
        self._places = asyncio.Semaphore(AT_ONCE)

    async def shape(self) -> Sequence[Check]:
        return [diagnosis.shape(self._credentials)]

    async def token(self) -> Sequence[Check]:
        # Always a new one: its scopes are those of the moment at which it was issued.
        began = self._now()
        try:
            self._token = await self._fetch_token()
        except ServiceTitanError as error:
            return [diagnosis.token_refused(error, self._ms_since(began))]
        told = f"HTTP 200, {self._ms_since(began)} ms, valid for {self._token.expires_in} s"
        return [passed("token", f"token: {told}")]

    async def claims(self) -> Sequence[Check]:
        return [diagnosis.claims(self._token, self._credentials)]

    async def first_probe(self) -> Sequence[Check]:
        self._business_units = await self._probe(BUSINESS_UNITS)
        known = self._token.tenant is not None
        return [diagnosis.application_key(self._business_units, tenant_known=known)]

    async def the_rest(self) -> Sequence[Check]:
        scopes = self._token.scopes
        ask_tag = BOOKING_PROVIDER_TAG.scope in (scopes or ())
        wanted = [read for read in READS if read is not BUSINESS_UNITS]
        probes = await self._probe_all([*wanted, *([BOOKING_PROVIDER_TAG] if ask_tag else [])])
        probes[BUSINESS_UNITS] = self._business_units
        checks = [
            *diagnosis.permissions([probes[read] for read in READS], scopes),
            diagnosis.booking_provider(probes[BOOKINGS], scopes),
        ]
        if ask_tag:
            checks.append(diagnosis.booking_provider_tag(probes[BOOKING_PROVIDER_TAG]))
        return checks

    async def _probe_all(self, endpoints: Sequence[Endpoint]) -> dict[Endpoint, Probe]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._probe(endpoint)) for endpoint in endpoints]
        return {task.result().endpoint: task.result() for task in tasks}

    async def _probe(self, endpoint: Endpoint) -> Probe:
        async with self._places:
            began = self._now()
            try:
                body = await self._ask_renewing(endpoint)
            except ServiceTitanError as error:
                return Probe(endpoint, self._ms_since(began), error)
            return Probe(endpoint, self._ms_since(began), body=body)

    async def _ask_renewing(self, endpoint: Endpoint) -> dict[str, Any]:
        """Ask; after a 401, which may be an expired token, once more with a new one."""
        token = self._token
        try:
            return await self._ask(endpoint)
        except UnauthorizedError:
            if not await self._renew(token):
                raise
        return await self._ask(endpoint)

    async def _renew(self, refused: Token) -> bool:
        """Replace the refused token, once in a run; False if that has been tried already."""
        async with self._renewing:
            if self._token is refused and not self._renewed:
                self._renewed = True
                self._token = await self._fetch_token()
            return self._token is not refused

    async def _ask(self, endpoint: Endpoint) -> dict[str, Any]:
        values = self._credentials
        path = endpoint.path(values.tenant_id, values.booking_provider_id)
        if endpoint is BOOKING_PROVIDER_TAG:
            return await self._servicetitan.get_json(self._token, values.application_key, path)
        await self._servicetitan.get(self._token, values.application_key, path)
        return {}

    async def _fetch_token(self) -> Token:
        values = self._credentials
        return await self._servicetitan.token(values.client_id, values.client_secret)

    def _ms_since(self, began: datetime) -> int:
        return _ms(self._now() - began)


def _ms(elapsed: timedelta) -> int:
    return round(elapsed.total_seconds() * 1000)
