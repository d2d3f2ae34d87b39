"""The client of ServiceTitan's API; nothing else calls ServiceTitan.

It does not log, because URLs hold the Tenant ID, and forms and headers hold secrets.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import httpx
from pydantic import SecretStr

from bot.verification.answers import Answer
from bot.verification.errors import NoAnswer, Reason, RequestError
from bot.verification.sender import (
    BeforeRetry,
    Sender,
    at_once,
    client_credentials,
    sendable,
)
from bot.verification.servicetitan.errors import api_error, token_error
from bot.verification.servicetitan.token_claims import Token, token_of

# The token endpoints' hosts: docs "Environments" on developer.servicetitan.io.
PRODUCTION, INTEGRATION = "auth.servicetitan.io", "auth-integration.servicetitan.io"
ENVIRONMENTS = {PRODUCTION: "production", INTEGRATION: "integration"}
OTHERS = {PRODUCTION: f"https://{INTEGRATION}", INTEGRATION: f"https://{PRODUCTION}"}


class ServiceTitan:
    """Fetches tokens, reads and posts; retries what may be repeated, translates every error.

    URLs are bases without a path; `other_auth_url` is the token endpoint of ServiceTitan's other
    environment, by default its own.
    """

    def __init__(
        self, sender: Sender, *, auth_url: str, api_url: str, other_auth_url: str | None = None
    ) -> None:
        self._auth_url, self._api_url = auth_url.rstrip("/"), api_url.rstrip("/")
        self._other_auth_url = other_auth_url or OTHERS.get(httpx.URL(self._auth_url).host)
        self.sender = sender

    @property
    def environment(self) -> str:
        """`production`, `integration`, or the host of a sandbox."""
        return _environment(self._auth_url)

    async def token(self, client_id: SecretStr, client_secret: SecretStr) -> Token:
        """Fetch a new access token (docs "OAuth 2.0" on developer.servicetitan.io).

        Raises InvalidClient, TooManyRequests, NoAnswer, or another RequestError.
        """
        ask = partial(self._token_at, self._auth_url, client_id, client_secret)
        return await self.sender.with_retries(ask)

    async def other_environment(self, client_id: SecretStr, client_secret: SecretStr) -> str | None:
        """Return the name of the other environment, if it accepts these values; one attempt."""
        if self._other_auth_url is None:
            return None
        with suppress(RequestError, TimeoutError):
            async with asyncio.timeout(self.sender.policy.total):
                await self._token_at(self._other_auth_url, client_id, client_secret)
                return _environment(self._other_auth_url)
        return None

    async def _token_at(
        self, auth_url: str, client_id: SecretStr, client_secret: SecretStr
    ) -> Token:
        form = client_credentials(client_id, client_secret)
        answer = await self.sender.send("POST", f"{auth_url}/connect/token", data=form)
        if answer.status != 200:
            raise token_error(answer, form["client_id"], form["client_secret"])
        return token_of(_object(answer))

    async def get(
        self,
        token: Token,
        application_key: SecretStr,
        path: str,
        before_retry: BeforeRetry = at_once,
    ) -> dict[str, Any]:
        """Return the JSON object at `path`. Raises any RequestError except InvalidClient."""

        async def ask() -> dict[str, Any]:
            headers = _headers(token, application_key)
            answer = await self.sender.send("GET", self._api_url + path, headers=headers)
            if answer.status != 200:
                raise _refusal(answer, token, application_key)
            if "json" not in answer.headers.get("Content-Type", ""):
                raise NoAnswer(Reason.NOT_JSON, status=200)
            return _object(answer)

        return await self.sender.with_retries(ask, before_retry)

    async def post(
        self, token: Token, application_key: SecretStr, path: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Send `body` exactly once, and return the JSON object of the response.

        An empty response gives {}. After NoAnswer, it may or may not have been carried out.
        Raises as `get` does.
        """
        url, headers = self._api_url + path, _headers(token, application_key)
        with suppress(TimeoutError):
            async with asyncio.timeout(self.sender.policy.total):
                answer = await self.sender.send("POST", url, headers=headers, json=body)
                if answer.status not in range(200, 300):
                    raise _refusal(answer, token, application_key)
                return _object(answer) if answer.content else {}
        raise NoAnswer(Reason.TIMEOUT)


def _environment(auth_url: str) -> str:
    host = httpx.URL(auth_url).host
    return ENVIRONMENTS.get(host, host)


def _headers(token: Token, application_key: SecretStr) -> dict[str, str]:
    bearer = token.value.get_secret_value()
    return {"Authorization": f"Bearer {bearer}", "ST-App-Key": sendable(application_key)}


def _refusal(answer: Answer, token: Token, application_key: SecretStr) -> RequestError:
    sent = (one.get_secret_value() for one in (application_key, token.value))
    return api_error(answer, *sent, token.client_id or "")


def _object(answer: Answer) -> dict[str, Any]:
    if answer.body is None:
        raise NoAnswer(Reason.NOT_JSON, status=answer.status)
    return answer.body
