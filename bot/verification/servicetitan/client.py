"""The client of ServiceTitan's API; nothing else calls ServiceTitan.

It does not log, because URLs hold the Tenant ID, and forms and headers hold secrets.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
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

from bot.verification.servicetitan.answers import Answer, UnreadableError, read
from bot.verification.servicetitan.errors import (
    NoAnswer,
    Reason,
    ServiceTitanError,
    TooManyRequests,
    UnsendableValue,
    api_error,
    reason_of,
    token_error,
)
from bot.verification.servicetitan.tokens import Token, fits_a_header, token_of

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The five credentials that the guide collects; none shows in `repr`."""

    tenant_id: SecretStr
    client_id: SecretStr
    client_secret: SecretStr
    application_key: SecretStr
    booking_provider_id: SecretStr


# The token endpoints' hosts: docs "Environments" on developer.servicetitan.io.
PRODUCTION, INTEGRATION = "auth.servicetitan.io", "auth-integration.servicetitan.io"
ENVIRONMENTS = {PRODUCTION: "production", INTEGRATION: "integration"}
OTHERS = {PRODUCTION: f"https://{INTEGRATION}", INTEGRATION: f"https://{PRODUCTION}"}


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Timeouts in seconds, and attempts. `total` bounds a call with all its attempts."""

    connect: float = 5.0
    answer: float = 12.0
    total: float = 20.0
    attempts: int = 3


class ServiceTitan:
    """Fetches tokens, reads and posts; retries what may be repeated, translates every error.

    `http` is shared, and not closed here. URLs are bases without a path; `other_auth_url` is the
    token endpoint of ServiceTitan's other environment, by default its own.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        auth_url: str,
        api_url: str,
        other_auth_url: str | None = None,
        retry: RetryPolicy | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._auth_url, self._api_url = auth_url.rstrip("/"), api_url.rstrip("/")
        self._other_auth_url = other_auth_url or OTHERS.get(httpx.URL(self._auth_url).host)
        self._retry = retry or RetryPolicy()
        self._sleep = sleep

    @property
    def environment(self) -> str:
        """`production`, `integration`, or the host of a sandbox."""
        return _environment(self._auth_url)

    async def token(self, client_id: SecretStr, client_secret: SecretStr) -> Token:
        """Fetch a new access token (docs "OAuth 2.0" on developer.servicetitan.io).

        Raises InvalidClient, TooManyRequests, NoAnswer, UnexpectedAnswer, or
        UnsendableValue before anything is sent.
        """

        async def ask() -> Token:
            return await self._token_at(self._auth_url, client_id, client_secret)

        return await self._with_retries(ask)

    async def other_environment(self, client_id: SecretStr, client_secret: SecretStr) -> str | None:
        """Return the name of the other environment, if it accepts these values; one attempt."""
        if self._other_auth_url is None:
            return None
        with suppress(ServiceTitanError, TimeoutError):
            async with asyncio.timeout(self._retry.total):
                await self._token_at(self._other_auth_url, client_id, client_secret)
                return _environment(self._other_auth_url)
        return None

    async def _token_at(
        self, auth_url: str, client_id: SecretStr, client_secret: SecretStr
    ) -> Token:
        form = {
            "grant_type": "client_credentials",
            "client_id": _sendable(client_id),
            "client_secret": _sendable(client_secret),
        }
        answer = await self._send("POST", f"{auth_url}/connect/token", data=form)
        if answer.status != 200:
            raise token_error(answer, form["client_id"], form["client_secret"])
        return token_of(_object(answer))

    async def get(self, token: Token, application_key: SecretStr, path: str) -> None:
        """Return if `path` answers 200; the body may hold personal data and is dropped.

        Raises any ServiceTitanError except InvalidClient.
        """

        async def ask() -> None:
            await self._ask(token, application_key, path)

        await self._with_retries(ask)

    async def get_json(self, token: Token, application_key: SecretStr, path: str) -> dict[str, Any]:
        """Return the JSON object at `path`. Raises as `get` does."""

        async def ask() -> dict[str, Any]:
            return _object(await self._ask(token, application_key, path))

        return await self._with_retries(ask)

    async def post(
        self, token: Token, application_key: SecretStr, path: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Send `body` exactly once, and return the JSON object of the response.

        An empty response gives {}. After NoAnswer it may have been done or not.
        Raises as `get` does.
        """
        url, headers = self._api_url + path, _headers(token, application_key)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._retry.total):
                answer = await self._send("POST", url, headers=headers, json=body)
                if answer.status not in range(200, 300):
                    raise _refusal(answer, token, application_key)
                return _object(answer) if answer.content else {}
        raise NoAnswer(Reason.TIMEOUT)

    async def _ask(self, token: Token, application_key: SecretStr, path: str) -> Answer:
        headers = _headers(token, application_key)
        answer = await self._send("GET", self._api_url + path, headers=headers)
        if answer.status != 200:
            raise _refusal(answer, token, application_key)
        if "json" not in answer.headers.get("Content-Type", ""):
            raise NoAnswer(Reason.NOT_JSON, status=200)
        return answer

    async def _send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **content: Any
    ) -> Answer:
        """Send once. The raise is outside `except`, so that no httpx exception is its context."""
        headers = {**(headers or {}), "Accept-Encoding": "identity"}
        try:
            request = self._http.build_request(
                method, url, headers=headers, timeout=self._timeout(), **content
            )
            # A redirect would send the secrets wherever it points.
            response = await self._http.send(request, stream=True, follow_redirects=False)
            try:
                return await read(response)
            finally:
                await response.aclose()
        except UnreadableError:
            reason = Reason.UNREADABLE
        except (httpx.HTTPError, httpx.StreamError) as error:
            reason = reason_of(error)
        raise NoAnswer(reason)

    def _timeout(self) -> httpx.Timeout:
        return httpx.Timeout(self._retry.answer, connect=self._retry.connect)

    async def _with_retries(self, ask: Callable[[], Awaitable[Result]]) -> Result:
        attempts = AsyncRetrying(
            stop=stop_after_attempt(self._retry.attempts)
            | stop_before_delay(self._retry.total),  # give up at once if asked to wait longer
            wait=_pause,
            retry=retry_if_exception_type((NoAnswer, TooManyRequests)),
            sleep=self._sleep,
            reraise=True,
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(self._retry.total):
                return await attempts(ask)
        raise NoAnswer(Reason.TIMEOUT)


_backoff = wait_exponential_jitter(initial=1, max=4, jitter=1)


def _pause(state: RetryCallState) -> float:
    """Return the pause that ServiceTitan asks for, else 1, 2, 4 seconds, with jitter."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, TooManyRequests) else None
    pause = _backoff(state)
    return pause if asked is None else max(pause, asked + pause / 10)


def _environment(auth_url: str) -> str:
    host = httpx.URL(auth_url).host
    return ENVIRONMENTS.get(host, host)


def _headers(token: Token, application_key: SecretStr) -> dict[str, str]:
    bearer = token.value.get_secret_value()
    return {"Authorization": f"Bearer {bearer}", "ST-App-Key": _sendable(application_key)}


def _refusal(answer: Answer, token: Token, application_key: SecretStr) -> ServiceTitanError:
    sent = (one.get_secret_value() for one in (application_key, token.value))
    return api_error(answer, *sent, token.client_id or "")


def _sendable(secret: SecretStr) -> str:
    """Return the plain value, if HTTP can carry it; httpx's own error would quote it."""
    value = secret.get_secret_value()
    if not fits_a_header(value):
        raise UnsendableValue("not sent: a value holds a space or a character outside ASCII")
    return value


def _object(answer: Answer) -> dict[str, Any]:
    if answer.body is None:
        raise NoAnswer(Reason.NOT_JSON, status=answer.status)
    return answer.body
