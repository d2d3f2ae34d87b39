"""`onboarding doctor`: checks everything the bot needs, and says how to fix what's broken."""

from collections.abc import AsyncIterator

import httpx

from bot.app.http_clients import http_client
from bot.app.settings import Settings
from bot.cli.doctor.finding import TIMEOUT_SECONDS, Finding as Finding, not_tested
from bot.cli.doctor.pictures import picture_findings
from bot.cli.doctor.slack import slack_findings
from bot.cli.doctor.stored import files, stored_findings


async def examine(
    settings: Settings, wrong: frozenset[str] = frozenset()
) -> AsyncIterator[Finding]:
    """Yield a finding for each part, changing nothing and showing no value.

    The settings called `wrong` have stand-ins in `settings`: what needs them isn't tested.
    """
    if "DATABASE_URL" in wrong:
        yield not_tested("database", "DATABASE_URL")
    else:
        yield files(settings)
        async for finding in stored_findings(settings, keys="CREDENTIAL_KEYS" not in wrong):
            yield finding
    async for finding in slack_findings(settings, wrong):
        yield finding
    async with http_client(settings.proxy, timeout=TIMEOUT_SECONDS) as http:
        for name, url in (
            ("SERVICETITAN_AUTH_URL", settings.servicetitan_auth_url),
            ("SERVICETITAN_API_URL", settings.servicetitan_api_url),
        ):
            if name not in wrong:
                yield await _reached(http, name, url)
        async for finding in picture_findings(settings, http, wrong):
            yield finding


async def _reached(http: httpx.AsyncClient, name: str, url: str) -> Finding:
    try:
        await http.get(url)
    except httpx.HTTPError as error:
        fix = f"check the network, and {name}; ServiceTitan's state: status.servicetitan.com"
        return Finding("ServiceTitan", f"{name}: not reached ({type(error).__name__})", fix)
    return Finding("ServiceTitan", f"{name}: reached")
