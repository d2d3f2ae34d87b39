"""HTTP clients for Slack and ServiceTitan that send secrets only where the settings say.

They take no proxy or password (netrc) from the environment, keep no cookies and follow no
redirects: each of these would let someone else decide where secrets go. Certificates are the
system's, or those of SSL_CERT_FILE.
"""

import os
import ssl
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import aiohttp
import httpx
from slack_sdk.web.async_client import AsyncWebClient
from yarl import URL

from bot.app.setting_urls import is_loopback
from bot.app.settings import Settings
from bot.slack import raise_for_rate_limit

# How long an unused connection to Slack stays open. People take longer for a step than aiohttp's 15
# seconds, and a new connection costs them two more round trips (TCP, TLS). The health check calls
# Slack once a minute, so one is always open.
KEEP_ALIVE_SECONDS = 75.0
# Requests to this machine never use a proxy.
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def slack_session(seconds: float | None) -> aiohttp.ClientSession:
    """Return a session with a total timeout."""
    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_refuse_redirect)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            ssl=_trusted(os.environ.get("SSL_CERT_FILE")), keepalive_timeout=KEEP_ALIVE_SECONDS
        ),
        timeout=aiohttp.ClientTimeout(total=seconds),
        raise_for_status=raise_for_rate_limit,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[tracing],
    )


def slack_client(
    settings: Settings, session: aiohttp.ClientSession, **other: Any
) -> AsyncWebClient:
    """Return a Web API client without retries: only callers know what is safe to repeat."""
    client = AsyncWebClient(
        token=settings.slack_bot_token.get_secret_value(),
        base_url=settings.slack_api_url,
        session=session,
        retry_handlers=[],
        **other,
    )
    # Otherwise slack_sdk uses HTTPS_PROXY.
    client.proxy = proxy_for(settings.slack_api_url, settings.proxy)
    return client


def proxy_for(url: str, proxy: str | None) -> str | None:
    """Return the proxy for `url`: None if it is on this machine."""
    return None if is_loopback(URL(url).host or "") else proxy


def http_client(proxy: str | None, **other: Any) -> httpx.AsyncClient:
    """Return a client for everything else, such as ServiceTitan."""
    verify = _trusted(os.environ.get("SSL_CERT_FILE"))
    through = {"https://": httpx.AsyncHTTPTransport(verify=verify, proxy=proxy)} if proxy else {}
    return httpx.AsyncClient(
        verify=verify,
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        mounts={**through, **{f"all://{host}": None for host in LOOPBACK}},
        **other,
    )


@cache
def _trusted(_file: str | None) -> ssl.SSLContext:
    """Return which certificates to trust. Reading them takes 20 ms, so it's done once."""
    return ssl.create_default_context()


async def _refuse_redirect(*_given: Any) -> None:
    raise aiohttp.ClientError("a redirect")
