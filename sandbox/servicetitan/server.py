"""A pretend ServiceTitan on loopback: tokens, the reads of the integration, refusals and faults."""

import asyncio
import base64
import json
import random
import string
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple, Self

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.servicetitan.bookings import Booking, BookingEndpoints, DismissStatus
from sandbox.servicetitan.endpoints import (
    ALL_BOOKINGS,
    GUIDE_SCOPES,
    READS,
    TAG,
    Read,
    Refused,
    problem,
)
from sandbox.servicetitan.faults import Fault, FaultKind

TOKEN_LIFETIME = 900

Gate = Callable[[str], Awaitable[None]]


class LoggedRequest(NamedTuple):
    """A request that was answered. The path is a template, so it contains no id and no secret."""

    method: str
    template: str
    status: int


class ServiceTitanSandbox:
    """`async with ServiceTitanSandbox() as st:` serves until the block ends.

    The five correct values are attributes (`credentials` has them all) and may be changed at any
    time. ServiceTitan doesn't document its answer to some wrong values, so attributes choose the
    status: `wrong_key_status`, `wrong_tenant_status`; likewise `dismiss_status` for dismissing a
    booking.
    """

    scopes: frozenset[str] = GUIDE_SCOPES
    not_accepted: frozenset[str] = frozenset()  # of a new version of the app, in no token yet
    claims = True  # False: the token isn't a JWT, and the response names no scope
    restricted = True  # False: step 15 was left at "No Restriction"
    connected = True  # False: the tenant has disabled the app
    client_id_in_token = ""  # if set, the Client ID in tokens: as if of another app
    tag_active = True
    wrong_key_status = 401
    wrong_tenant_status = 403
    dismiss_status: DismissStatus = 200  # 403, 404: dismissing isn't available

    def __init__(
        self,
        *,
        seed: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 (made-up values, repeatable with a seed)
        self.tenant_id = self._digits(10)
        self.client_id = f"cid.{self._letters(25)}"
        self.client_secret = f"cs1.{self._letters(50)}"
        self.application_key = f"ak1.{self._letters(25)}"
        self.booking_provider_id = self._digits(9)
        self.foreign_application_key = f"ak1.{self._letters(25)}"  # valid, but another app's
        self.other_booking_provider_id = self._digits(9)  # exists, but wasn't chosen in step 15
        self.requests: list[LoggedRequest] = []
        self.cookies: list[str] = []  # those that the bot sent back to us
        self.most_at_once = 0
        self._at_once = 0
        self._delay = 0.0
        self._gate: Gate | None = None
        self._faults: list[Fault] = []  # the one that was added first is used first
        self.bookings: list[Booking] = []  # oldest first: none is ever deleted
        self._bookings = BookingEndpoints(self)
        self._tokens: dict[str, frozenset[str]] = {}
        self._others: list[ServiceTitanSandbox] = []
        self._closing = asyncio.Event()
        self.auth_url = self.api_url = ""

    @property
    def credentials(self) -> dict[str, str]:
        """The five correct values, by the names of their fields."""
        return {
            "tenant_id": self.tenant_id,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "application_key": self.application_key,
            "booking_provider_id": self.booking_provider_id,
        }

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

    def fail(
        self,
        endpoint: str = "all",
        *,
        status: FaultKind = 503,
        times: int | None = None,
        retry_after: int | None = None,
        performed: bool = False,
    ) -> None:
        """Answer the next `times` requests (None: every one) to `endpoint` with a fault.

        `endpoint`: "token", a name in READS, "booking-provider-tags", "create-booking",
        "get-booking", "dismiss-booking" or "all". `status`: a number, "html" (200, but a web page),
        "timeout" (no response), "drop" (the connection is closed), or an `Odd`. With `performed`,
        the request is carried out and only the response is lost: the caller cannot know.
        """
        self._faults.append(Fault(endpoint, status, times, retry_after, performed))

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

    def regenerate_secret(self) -> str:
        """Replace the client secret, as step 19 does, and return the new one."""
        self.client_secret = f"cs1.{self._letters(50)}"
        return self.client_secret

    def expire_tokens(self) -> None:
        """Refuse every token issued so far."""
        for tenant in self._tenants:
            tenant._tokens.clear()

    def publish_version(self, *scopes: str) -> None:
        """Publish a new version of the app that adds `scopes`.

        Until the tenant's admin chooses “Upgrade to New Version”, no token has them
        (developer.servicetitan.io, "Create an app").
        """
        self.scopes |= set(scopes)
        self.not_accepted |= set(scopes)

    def accept_version(self) -> None:
        """Settings → Integrations → API Application Access → Upgrade to New Version → Allow."""
        self.not_accepted = frozenset()

    def add_tenant(self) -> "ServiceTitanSandbox":
        """Return another tenant with its own app, served here: its five values and state.

        Faults, delays and bookings are those of the whole server.
        """
        tenant = ServiceTitanSandbox(seed=self._random.randrange(2**32), clock=self._clock)
        tenant.auth_url = tenant.api_url = self.auth_url
        self._others.append(tenant)
        return tenant

    @property
    def _tenants(self) -> "list[ServiceTitanSandbox]":
        return [self, *self._others]

    @web.middleware
    async def _watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._at_once += 1
        self.cookies += request.headers.getall("Cookie", [])
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            response = await self._answer(request, handler)
        finally:
            self._at_once -= 1
        self.requests.append(LoggedRequest(request.method, _template(request), response.status))
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
            if fault.endpoint in (endpoint, "all") and fault.left != 0:
                fault.left = None if fault.left is None else fault.left - 1
                return fault
        return None

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        given = (form.get("client_id"), form.get("client_secret"))
        for tenant in self._tenants:
            if given == (tenant.client_id, tenant.client_secret) and tenant.connected:
                return tenant._issued()
        return web.json_response({"error": "invalid_client"}, status=400)

    def _issued(self) -> web.Response:
        token = self._jwt() if self.claims else self._letters(64)
        self._tokens[token] = self.granted  # fixed when it is issued, as in reality
        body = {"access_token": token, "expires_in": TOKEN_LIFETIME, "token_type": "Bearer"}
        if self.claims:
            body["scope"] = " ".join(sorted(self.granted))
        return web.json_response(body)

    @property
    def granted(self) -> frozenset[str]:
        """What a token allows: the scopes of the version that the tenant has accepted."""
        return self.scopes - self.not_accepted

    def _jwt(self) -> str:
        now = int(self._clock())
        claims = {
            "iss": self.auth_url,
            "nbf": now,
            "iat": now,
            "exp": now + TOKEN_LIFETIME,
            "jti": self._letters(16),
            "client_id": self.client_id_in_token or self.client_id,
            "tenant": self.tenant_id,
            "scope": sorted(self.granted),
        }
        header = {"alg": "RS256", "typ": "at+jwt"}
        return f"{_base64(header)}.{_base64(claims)}.{self._letters(86)}"

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

    def tenant_of(self, request: web.Request) -> "ServiceTitanSandbox":
        """The tenant to which a request's token belongs; the first one if the token is unknown."""
        token = _token_of(request)
        return next((one for one in self._others if token in one._tokens), self)

    def check(self, request: web.Request, scope: str) -> None:
        """Refuse a request without the tenant's own key, a token of it, and the scope."""
        key = request.headers.get("ST-App-Key")
        granted = self._tokens.get(_token_of(request))
        if not key:
            raise Refused(401, "Application key not present, check ST-App-Key header value.")
        if granted is None:
            raise Refused(401, "The access token is invalid or has expired.")
        if key == self.foreign_application_key or not self.connected:
            raise Refused(403, "The application is not authorized for this tenant.")
        if key != self.application_key:
            raise Refused(self.wrong_key_status, "Application key is not valid.")
        if request.match_info["tenant"] != self.tenant_id:
            title = "The access token is not valid for this tenant."
            raise Refused(self.wrong_tenant_status, title)
        if scope not in granted:
            raise Refused(403, _scope_refusal(request))

    def check_provider(self, request: web.Request) -> None:
        """Refuse a wrong booking provider."""
        provider = request.match_info["booking_provider"]
        if provider == self.other_booking_provider_id and self.restricted:
            raise Refused(403, "Access to this booking provider is restricted.")
        if provider not in (self.booking_provider_id, self.other_booking_provider_id):
            raise Refused(404, "Booking provider not found.")

    def _letters(self, count: int) -> str:
        return "".join(self._random.choices(string.ascii_lowercase + string.digits, k=count))

    def _digits(self, count: int) -> str:
        return str(self._random.randrange(10 ** (count - 1), 10**count))


def _token_of(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def _template(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


def _scope_refusal(request: web.Request) -> str:
    # The real text names the operation without host and API prefix, and leaves {tenant} as it is.
    operation = f"{request.method} {_template(request).partition('/v2')[2]}"
    return f"Scope validation failed. Access token does not have permission to access '{operation}'"


def _base64(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
