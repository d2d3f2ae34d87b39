"""The client of ServiceTitan's API: the only place that talks to ServiceTitan.

It does not log: URLs hold the Tenant ID, forms and headers hold secrets.
"""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from pydantic import SecretStr
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential_jitter,
)

from bot.servicetitan.errors import (
    RateLimitedError,
    Reason,
    UnavailableError,
    UnsendableError,
    api_error,
    reason_of,
    token_error,
)

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The five values that the guide collects; none of them shows in `repr`."""

    tenant_id: SecretStr
    client_id: SecretStr
    client_secret: SecretStr
    application_key: SecretStr
    booking_provider_id: SecretStr


# The token endpoints' hosts: docs "Environments" on developer.servicetitan.io.
ENVIRONMENTS = {
    "auth.servicetitan.io": "production",
    "auth-integration.servicetitan.io": "integration",
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, in seconds, and how often to try. `whole` bounds a call with all its attempts."""

    connect: float = 5.0
    answer: float = 12.0
    whole: float = 20.0
    attempts: int = 3


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and what it says about itself; None where it says nothing."""

    value: SecretStr
    expires_in: int
    scopes: frozenset[str] | None
    tenant: str | None = field(repr=False)
    client_id: str | None = field(repr=False)


class ServiceTitan:
    """Asks for tokens and reads endpoints; retries what may pass, and translates every refusal.

    `http` is shared with others and stays theirs to close. Both URLs are bases without a path.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        auth_url: str,
        api_url: str,
        patience: Patience | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._auth_url, self._api_url = auth_url.rstrip("/"), api_url.rstrip("/")
        self._patience = patience or Patience()
        self._sleep = sleep

    @property
    def environment(self) -> str:
        """`production`, `integration`, or the host that plays ServiceTitan."""
        host = httpx.URL(self._auth_url).host
        return ENVIRONMENTS.get(host, host)

    async def token(self, client_id: SecretStr, client_secret: SecretStr) -> Token:
        """Fetch a new access token (docs "OAuth 2.0" on developer.servicetitan.io).

        Raises InvalidClientError, RateLimitedError, UnavailableError, UnexpectedError, or
        UnsendableError before anything is sent.
        """
        form = {
            "grant_type": "client_credentials",
            "client_id": _sendable(client_id),
            "client_secret": _sendable(client_secret),
        }

        async def ask() -> Token:
            response = await self._send("POST", f"{self._auth_url}/connect/token", data=form)
            if response.status_code != 200:
                raise token_error(response)
            return _token(_object(response))

        return await self._patiently(ask)

    async def get(self, token: Token, application_key: SecretStr, path: str) -> None:
        """Return if `path` answers 200; its body may hold personal data and is not kept.

        Raises any ServiceTitanError but InvalidClientError.
        """

        async def ask() -> None:
            await self._ask(token, application_key, path, keep=False)

        await self._patiently(ask)

    async def get_json(self, token: Token, application_key: SecretStr, path: str) -> dict[str, Any]:
        """Return the JSON object at `path`. Raises as `get` does."""

        async def ask() -> dict[str, Any]:
            return _object(await self._ask(token, application_key, path, keep=True))

        return await self._patiently(ask)

    async def _ask(
        self, token: Token, application_key: SecretStr, path: str, *, keep: bool
    ) -> httpx.Response:
        key, bearer = _sendable(application_key), token.value.get_secret_value()
        headers = {"Authorization": f"Bearer {bearer}", "ST-App-Key": key}
        response = await self._send("GET", self._api_url + path, headers=headers, keep=keep)
        if response.status_code != 200:
            raise api_error(response, key, bearer, token.client_id or "")
        if "json" not in response.headers.get("Content-Type", ""):
            raise UnavailableError(Reason.NOT_JSON, status=200)
        return response

    async def _send(
        self, method: str, url: str, *, keep: bool = True, **content: Any
    ) -> httpx.Response:
        """Send once. The raise stands outside `except`, so that no httpx exception hangs on."""
        try:
            request = self._http.build_request(method, url, timeout=self._timeout(), **content)
            # A redirect would carry the secrets to wherever it points.
            response = await self._http.send(request, stream=True, follow_redirects=False)
            try:
                await _read(response, keep=keep or response.status_code != 200)
            finally:
                await response.aclose()
            return response
        except httpx.HTTPError as error:
            reason = reason_of(error)
        raise UnavailableError(reason)

    def _timeout(self) -> httpx.Timeout:
        return httpx.Timeout(self._patience.answer, connect=self._patience.connect)

    async def _patiently(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        attempts = AsyncRetrying(
            stop=stop_after_attempt(self._patience.attempts)
            | stop_before_delay(self._patience.whole),  # asked to wait longer: give up at once
            wait=_pause,
            retry=retry_if_exception_type((UnavailableError, RateLimitedError)),
            sleep=self._sleep,
            reraise=True,
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience.whole):
                return await attempts(ask)
        raise UnavailableError(Reason.TIMEOUT)


_backoff = wait_exponential_jitter(initial=1, max=4, jitter=1)


def _pause(state: RetryCallState) -> float:
    """As long as ServiceTitan asks for; else 1, 2, 4 seconds; always with jitter."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, RateLimitedError) else None
    pause = _backoff(state)
    return pause if asked is None else max(pause, asked + pause / 10)


def _sendable(secret: SecretStr) -> str:
    """The plain value, if HTTP can carry it; httpx's own refusal would quote it."""
    value = secret.get_secret_value()
    if not _fits_a_header(value):
        raise UnsendableError("not sent: a value holds a space or a character outside ASCII")
    return value


def _fits_a_header(value: str) -> bool:
    return bool(value) and value.isascii() and value.isprintable() and " " not in value


async def _read(response: httpx.Response, *, keep: bool) -> None:
    if keep:
        await response.aread()
        return
    async for _ in response.aiter_bytes():
        pass  # read to the end, so that the connection can serve the next question


def _object(response: httpx.Response) -> dict[str, Any]:
    with suppress(ValueError):
        body = json.loads(response.content)
        if isinstance(body, dict):
            return body
    raise UnavailableError(Reason.NOT_JSON, status=response.status_code)


def _token(body: dict[str, Any]) -> Token:
    value = body.get("access_token")
    if not isinstance(value, str) or not _fits_a_header(value):
        raise UnavailableError(Reason.NOT_JSON, status=200)
    claims = _claims(value)
    expires_in = body.get("expires_in")
    return Token(
        value=SecretStr(value),
        expires_in=expires_in if isinstance(expires_in, int) else 0,
        scopes=_scopes(claims.get("scope")) or _scopes(body.get("scope")),
        tenant=_text(claims.get("tenant")),
        client_id=_text(claims.get("client_id")),
    )


def _claims(jwt: str) -> dict[str, Any]:
    """The payload of the token, or nothing if it is no JWT.

    The signature is not checked: the token came from its issuer, over TLS.
    """
    parts = jwt.split(".")
    if len(parts) != 3:
        return {}
    with suppress(ValueError):
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        if isinstance(claims, dict):
            return claims
    return {}


def _scopes(claim: object) -> frozenset[str] | None:
    """A list of scopes, or one string of them; None if there are none to be read."""
    words = claim.split() if isinstance(claim, str) else claim
    if not isinstance(words, list):
        return None
    return frozenset(word.lower() for word in words if isinstance(word, str)) or None


def _text(claim: object) -> str | None:
    return str(claim) if isinstance(claim, str | int) and claim else None
