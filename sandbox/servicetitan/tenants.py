"""A tenant of the pretend ServiceTitan: its values, its app, and what a token of it allows."""

import base64
import json
import random
import string
from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.servicetitan.endpoints import GUIDE_SCOPES, Refused

TOKEN_LIFETIME = 900


class Tenant:
    """A tenant with its own app.

    The five correct values are attributes (`credentials` has them all) and may be changed at any
    time. ServiceTitan doesn't document its answer to some wrong values, so attributes choose the
    status: `wrong_key_status`, `wrong_tenant_status`.
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

    def __init__(self, seed: int | None, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 (made-up values, repeatable with a seed)
        self.tenant_id = self._digits(10)
        self.client_id = f"cid.{self._letters(25)}"
        self.client_secret = f"cs1.{self._letters(50)}"
        self.application_key = f"ak1.{self._letters(25)}"
        self.booking_provider_id = self._digits(9)
        self.foreign_application_key = f"ak1.{self._letters(25)}"  # valid, but another app's
        self.other_booking_provider_id = self._digits(9)  # exists, but wasn't chosen in step 15
        self.tokens: dict[str, frozenset[str]] = {}  # what each that was issued allows

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

    def regenerate_secret(self) -> str:
        """Replace the client secret, as step 19 does, and return the new one."""
        self.client_secret = f"cs1.{self._letters(50)}"
        return self.client_secret

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

    def issue_token(self, issuer: str) -> dict[str, Any]:
        """The answer to the right Client ID and Client Secret."""
        allowed = self.scopes - self.not_accepted  # fixed when it is issued, as in reality
        token = self._jwt(issuer, allowed) if self.claims else self._letters(64)
        self.tokens[token] = allowed
        body = {"access_token": token, "expires_in": TOKEN_LIFETIME, "token_type": "Bearer"}
        return body | ({"scope": " ".join(sorted(allowed))} if self.claims else {})

    def _jwt(self, issuer: str, scopes: frozenset[str]) -> str:
        now = int(self._clock())
        claims = {
            "iss": issuer,
            "nbf": now,
            "iat": now,
            "exp": now + TOKEN_LIFETIME,
            "jti": self._letters(16),
            "client_id": self.client_id_in_token or self.client_id,
            "tenant": self.tenant_id,
            "scope": sorted(scopes),
        }
        header = {"alg": "RS256", "typ": "at+jwt"}
        return f"{_base64(header)}.{_base64(claims)}.{self._letters(86)}"

    def check(self, request: web.Request, scope: str) -> None:
        """Refuse a request without the tenant's own key, a token of it, and the scope."""
        key = request.headers.get("ST-App-Key")
        granted = self.tokens.get(token_of(request))
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


def token_of(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def template_of(request: web.Request) -> str:
    """The path with `{tenant}` and the like in it, so without any id."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


def _scope_refusal(request: web.Request) -> str:
    # The real text names the operation without host and API prefix, and leaves {tenant} as it is.
    operation = f"{request.method} {template_of(request).partition('/v2')[2]}"
    return f"Scope validation failed. Access token does not have permission to access '{operation}'"


def _base64(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
