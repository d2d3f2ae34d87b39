"""The client of ServiceTitan's API: the only place that talks to ServiceTitan.

It does not log: URLs hold the Tenant ID, forms and headers hold secrets.
"""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

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

from bot.servicetitan_errors import (
    RateLimitedError,
    Reason,
    ServiceTitanError,
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


class Endpoint(NamedTuple):
    """A GET endpoint: what the guide calls its data, the scope that allows it, its path."""

    name: str
    scope: str
    template: str

    def path(self, credentials: Credentials) -> str:
        """The path for these credentials, asking a list for no more than one record."""
        path = self.template.format(
            tenant=_quoted(credentials.tenant_id),
            booking_provider=_quoted(credentials.booking_provider_id),
        )
        return (
            path if path.endswith(_quoted(credentials.booking_provider_id)) else path + ONE_RECORD
        )


ONE_RECORD = "?page=1&pageSize=1"
PROVIDER = "/crm/v2/tenant/{tenant}/booking-provider/{booking_provider}"
