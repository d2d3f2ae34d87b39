"""ServiceTitan's API, with the credentials and the token of one verification.

A run starts with a new token, because a token has the scopes of the time it was issued. It is used
for all requests, and replaced shortly before it expires.

Until Business Units has passed, no other request is retried, so that few are sent in an outage.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr

from bot.verification.sender import at_once
from bot.verification.servicetitan import ServiceTitan, Token
from bot.verification.servicetitan.endpoints import BUSINESS_UNITS, Endpoint
from bot.verification.servicetitan.errors import Unauthorized

# A token is not used in its last minute, because the request might arrive too late.
MARGIN = timedelta(minutes=1)


class Access:
    """Makes the requests of one run, with `values` by field; call `begin` first.

    Set `may_repeat` once Business Units has shown that ServiceTitan answers.
    """

    token: Token

    def __init__(
        self,
        servicetitan: ServiceTitan,
        values: Mapping[str, SecretStr],
        now: Callable[[], datetime],
    ) -> None:
        self._servicetitan, self._values, self._now = servicetitan, values, now
        self._use_until: datetime | None = None
        self._was_replaced = False
        self._renewing = asyncio.Lock()
        self.may_repeat = asyncio.Event()

    async def begin(self) -> Token:
        """Fetch a new token. Raises as `ServiceTitan.token` does."""
        values, asked_at = self._values, self._now()
        self.token = await self._servicetitan.token(values["client_id"], values["client_secret"])
        lifetime = timedelta(seconds=self.token.expires_in)
        self._use_until = asked_at + max(lifetime - MARGIN, lifetime / 2) if lifetime else None
        return self.token

    async def get(self, endpoint: Endpoint, **ids: str) -> dict[str, Any]:
        """Return the response of `endpoint`. Raises as `ServiceTitan.get` does.

        After a 401, which may mean a revoked token, it is asked once more with a new one.
        """
        key, path = self._values["application_key"], self._path(endpoint, **ids)
        before_retry = at_once if endpoint is BUSINESS_UNITS else self.may_repeat.wait
        token = await self.fresh()
        try:
            return await self._servicetitan.get(token, key, path, before_retry)
        except Unauthorized:
            await before_retry()
            if not await self._replace(token):
                raise
        return await self._servicetitan.get(self.token, key, path, before_retry)

    async def post(self, endpoint: Endpoint, body: Mapping[str, Any], **ids: str) -> dict[str, Any]:
        """Send `body` exactly once. Raises as `ServiceTitan.post` does."""
        token = await self.fresh()
        key, path = self._values["application_key"], self._path(endpoint, **ids)
        return await self._servicetitan.post(token, key, path, body)

    async def fresh(self) -> Token:
        """Return the token, or a new one if it is about to expire. Raises as `begin` does."""
        if self._expires():
            async with self._renewing:
                if self._expires():
                    await self.begin()
        return self.token

    def _expires(self) -> bool:
        return self._use_until is not None and self._now() >= self._use_until

    async def _replace(self, refused: Token) -> bool:
        """Replace the refused token, once in a run; False if that was done already."""
        async with self._renewing:
            if self.token is refused and not self._was_replaced:
                self._was_replaced = True
                await self.begin()
            return self.token is not refused

    def _path(self, endpoint: Endpoint, **ids: str) -> str:
        tenant, provider = self._values["tenant_id"], self._values["booking_provider_id"]
        return endpoint.path(tenant, provider, **ids)
