"""Sends the requests of a verification: with timeouts, no redirects, and retries where safe.

It does not log, because URLs, forms and headers hold credentials.
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

from bot.verification.answers import Answer, UnreadableError, read
from bot.verification.errors import NoAnswer, Reason, RequestError, TooManyRequests, reason_of

Result = TypeVar("Result")
LONGEST_TOKEN = 7000  # servers usually accept 8 kB of headers
# Awaited after the pause, before a request is repeated; what it returns is ignored.
BeforeRetry = Callable[[], Awaitable[object]]


async def at_once() -> None:
    """Do nothing, so that a request is retried right after the pause."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Timeouts in seconds, and attempts. `total` bounds a call with all its attempts."""

    connect: float = 5.0
    answer: float = 12.0
    total: float = 20.0
    attempts: int = 3


class Sender:
    """Sends requests over `http`, which is shared, and not closed here."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        policy: RetryPolicy | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http, self._sleep = http, sleep
        self.policy = policy or RetryPolicy()

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **content: Any
    ) -> Answer:
        """Send once. The raise is outside `except`, so that no httpx exception is its context."""
        headers = {**(headers or {}), "Accept-Encoding": "identity"}
        timeout = httpx.Timeout(self.policy.answer, connect=self.policy.connect)
        try:
            request = self._http.build_request(
                method, url, headers=headers, timeout=timeout, **content
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

    async def with_retries(
        self, ask: Callable[[], Awaitable[Result]], before_retry: BeforeRetry = at_once
    ) -> Result:
        """Return what `ask` returns; it is retried if it raises NoAnswer or TooManyRequests."""

        async def pause(seconds: float) -> None:
            await self._sleep(seconds)
            await before_retry()

        attempts = AsyncRetrying(
            stop=stop_after_attempt(self.policy.attempts)
            | stop_before_delay(self.policy.total),  # give up immediately if asked to wait longer
            wait=_pause,
            retry=retry_if_exception_type((NoAnswer, TooManyRequests)),
            sleep=pause,
            reraise=True,
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(self.policy.total):
                return await attempts(ask)
        raise NoAnswer(Reason.TIMEOUT)


def fits_a_header(value: str) -> bool:
    return bool(value) and value.isascii() and value.isprintable() and " " not in value


def sendable(secret: SecretStr) -> str:
    """Return the plain value; RequestError if HTTP can't carry it (httpx would quote it)."""
    value = secret.get_secret_value()
    if not fits_a_header(value):
        raise RequestError("not sent: a value holds a space or a character outside ASCII")
    return value


def client_credentials(client_id: SecretStr, client_secret: SecretStr) -> dict[str, str]:
    """Return the form that asks for an access token (RFC 6749, section 4.4)."""
    return {
        "grant_type": "client_credentials",
        "client_id": sendable(client_id),
        "client_secret": sendable(client_secret),
    }


def access_token(body: Mapping[str, Any], otherwise: Reason) -> str:
    """Return the access token of a response; if there is none, raises NoAnswer, `otherwise`."""
    token = body.get("access_token")
    if not isinstance(token, str) or not fits_a_header(token) or len(token) > LONGEST_TOKEN:
        raise NoAnswer(otherwise, status=200)
    return token


_backoff = wait_exponential_jitter(initial=1, max=4, jitter=1)


def _pause(state: RetryCallState) -> float:
    """Return the pause that was asked for, else 1, 2, 4 seconds, with jitter."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, TooManyRequests) else None
    pause = _backoff(state)
    return pause if asked is None else max(pause, asked + pause / 10)
