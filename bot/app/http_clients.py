"""The clients of the bot's neighbors: what is not set is not done.

No proxy, password (netrc) or cookie comes from the environment or from an answer, and no redirect
is followed: with each of these, somebody else would decide where secrets go. Certificates are the
system's, or those of SSL_CERT_FILE.
"""

import ssl
from collections.abc import Awaitable, Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import aiohttp
import httpx
from slack_sdk.web.async_client import AsyncWebClient
from yarl import URL

from bot.app.setting_values import is_loopback

# This machine is never asked through a proxy.
HERE = ("127.0.0.1", "localhost", "[::1]")


def slack_session(
    seconds: float | None,
    raise_for_rate_limit: Callable[[aiohttp.ClientResponse], Awaitable[None]] | None = None,
) -> aiohttp.ClientSession:
    """Return a session whose calls take so many seconds; `raise_for_rate_limit`
    may raise for a response."""
    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_refuse_redirect)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=ssl.create_default_context()),
        timeout=aiohttp.ClientTimeout(total=seconds),
        raise_for_status=raise_for_rate_limit or False,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[tracing],
    )


def slack_client(
    token: str, api_url: str, session: aiohttp.ClientSession, proxy: str | None, **other: Any
) -> AsyncWebClient:
    """Return a client of Slack's Web API, without retries: only we know what may be repeated."""
    client = AsyncWebClient(
        token=token, base_url=api_url, session=session, retry_handlers=[], **other
    )
    # Without one, slack_sdk has taken HTTPS_PROXY's.
    client.proxy = proxy_for(api_url, proxy)
    return client


def proxy_for(url: str, proxy: str | None) -> str | None:
    """Return the proxy to ask `url` through: none if it is on this machine."""
    return None if is_loopback(URL(url).host or "") else proxy


def http_client(proxy: str | None, **other: Any) -> httpx.AsyncClient:
    """Return a client for everybody else: ServiceTitan above all."""
    verify = ssl.create_default_context()
    through = {"https://": httpx.AsyncHTTPTransport(verify=verify, proxy=proxy)} if proxy else {}
    return httpx.AsyncClient(
        verify=verify,
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        mounts={**through, **{f"all://{host}": None for host in HERE}},
        **other,
    )


async def _refuse_redirect(*_given: Any) -> None:
    raise aiohttp.ClientError("a redirect")
