"""A pretend ServiceTitan on loopback: tokens, the reads of the integration, refusals and faults."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple, Self

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.servicetitan.bookings import Booking, BookingEndpoints, DismissStatus
from sandbox.servicetitan.endpoints import (
    ALL_BOOKINGS,
    READS,
    TAG,
    Read,
    Refused,
    problem,
)
from sandbox.servicetitan.faults import Fault
from sandbox.servicetitan.tenants import Tenant, template_of, token_of

Gate = Callable[[str], Awaitable[None]]


class LoggedRequest(NamedTuple):
    """A request that was answered. The path is a template, so it contains no id and no secret."""

    method: str
    template: str
    status: int


class ServiceTitanSandbox(Tenant):
    """`async with ServiceTitanSandbox() as st:` serves until the block ends.

    It is also the first tenant. How it answers the dismissal of a booking isn't documented either.
    """

    dismiss_status: DismissStatus = 200  # 403, 404: dismissing isn't available

    def __init__(
        self,
        *,
        seed: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(seed, clock)
        self.requests: list[LoggedRequest] = []
        self.cookies: list[str] = []  # those that the bot sent back to us
        self.most_at_once = 0
        self._at_once = 0
        self._delay = 0.0
        self._gate: Gate | None = None
        self._faults: list[Fault] = []  # the one that was added first is used first
        self.bookings: list[Booking] = []  # oldest first: none is ever deleted
        self._bookings = BookingEndpoints(self)
        self._tenants: list[Tenant] = [self]
        self._closing = asyncio.Event()
        self.auth_url = self.api_url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._watch])
        app.router.add_post("/connect/token", self._token, name="token")
        self._bookings.add_to(app.router)
        for name, read in READS.items():
            if name != "bookings":
                app.router.add_get(read.path, partial(self._read, read), name=name)
        app.router.add_get(ALL_BOOKINGS.path, self._all_bookings, name="all-bookings")
        app.router.add_get(TAG.path, self._tag, name="booking-provider-tags")
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.auth_url = self.api_url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._closing.set()  # releases requests held by fail(status="timeout")
        await self._runner.cleanup()

    def fail(self, endpoint: str = "all", **how: Any) -> None:
        """Answer requests to `endpoint` with a fault; `how` are the fields of `Fault`."""
        self._faults.append(Fault(endpoint, **how))

    def heal(self) -> None:
        """Remove every fault and delay."""
        self._faults.clear()
        self._delay = 0.0

    def slow(self, seconds: float) -> None:
        """Delay every response by that much."""
        self._delay = seconds

    def guard(self, gate: Gate) -> None:
        """Make every request wait for `gate`, which is called with the name of its endpoint."""
        self._gate = gate

    def expire_tokens(self) -> None:
        """Refuse every token issued so far."""
        for tenant in self._tenants:
            tenant.tokens.clear()

    def add_tenant(self) -> Tenant:
        """Another tenant; faults, delays and bookings are those of the whole server."""
        tenant = Tenant(self._random.randrange(2**32), self._clock)
        self._tenants.append(tenant)
        return tenant

    @web.middleware
    async def _watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._at_once += 1
        self.cookies += request.headers.getall("Cookie", [])
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            response = await self._answer(request, handler)
        finally:
            self._at_once -= 1
        self.requests.append(LoggedRequest(request.method, template_of(request), response.status))
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        await asyncio.sleep(self._delay)
        endpoint = request.match_info.route.name or ""
        if self._gate is not None:
            await self._gate(endpoint)
        fault = self._next_fault(endpoint)
        if fault is not None and not fault.performed:
            return await fault.answer(request, self._closing)
        try:
            response = await handler(request)
        except Refused as refused:
            response = refused.response
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            response = problem(404, "Unable to match incoming request to an operation.")
        return response if fault is None else await fault.answer(request, self._closing)

    def _next_fault(self, endpoint: str) -> Fault | None:
        """The fault for the next request to `endpoint`, if any; counts as one use of it."""
        for fault in self._faults:
            if fault.endpoint in (endpoint, "all") and fault.times != 0:
                fault.times = None if fault.times is None else fault.times - 1
                return fault
        return None

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        given = (form.get("client_id"), form.get("client_secret"))
        for tenant in self._tenants:
            if given == (tenant.client_id, tenant.client_secret) and tenant.connected:
                return web.json_response(tenant.issue_token(self.auth_url))
        return web.json_response({"error": "invalid_client"}, status=400)

    async def _read(self, read: Read, request: web.Request) -> web.Response:
        self.tenant_of(request).check(request, read.scope)
        page = {"page": 1, "pageSize": 1, "hasMore": False, "data": [read.record]}
        return web.json_response(page)

    async def _all_bookings(self, request: web.Request) -> web.Response:
        tenant = self.tenant_of(request)
        tenant.check(request, ALL_BOOKINGS.scope)
        if tenant.restricted:
            raise Refused(403, "The application is restricted to a booking provider.")
        return self._bookings.page(request, provider=None)

    async def _tag(self, request: web.Request) -> web.Response:
        tenant = self.tenant_of(request)
        tenant.check(request, TAG.scope)
        if request.match_info["booking_provider"] != tenant.booking_provider_id:
            raise Refused(404, "Booking provider tag not found.")
        tag = {"tagName": "HeavySet Tech", "type": "V2Api", "active": tenant.tag_active}
        return web.json_response({"id": int(tenant.booking_provider_id), **tag})

    def tenant_of(self, request: web.Request) -> Tenant:
        """The tenant to which a request's token belongs; the first one if the token is unknown."""
        token = token_of(request)
        return next((tenant for tenant in self._tenants if token in tenant.tokens), self)
