"""Findings on Slack: tokens, scopes, the engineering channel, and who is an engineer."""

import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

from slack_sdk.web.async_client import AsyncWebClient

from bot.app.http_clients import slack_client, slack_session
from bot.app.request_monitor import TRY_IT
from bot.app.settings import Settings
from bot.cli.doctor.finding import TIMEOUT_SECONDS, Finding, not_tested
from bot.core.background import BackgroundTasks
from bot.core.errors import OnboardingError
from bot.core.metrics import Metrics
from bot.slack import OPTIONAL_SCOPES, SCOPES, Slack, SlackRefused, translated
from bot.slack.directory import Directory
from bot.slack.rate_limits import RateLimits

# Signatures are rejected from five minutes on; we warn sooner.
MAX_CLOCK_SKEW = timedelta(minutes=1)
REVEAL = "who may reveal credentials"


async def slack_findings(settings: Settings, wrong: frozenset[str]) -> AsyncIterator[Finding]:
    """Yield the findings that do not depend on settings that are `wrong`."""
    yield _signing_secret(settings, wrong)
    async with slack_session(TIMEOUT_SECONDS) as session:
        client = slack_client(settings, session)
        if "SLACK_APP_TOKEN" not in wrong and settings.slack_app_token:
            yield await _app_token(client, settings.slack_app_token.get_secret_value())
        if unknown := wrong & {"SLACK_BOT_TOKEN", "SLACK_API_URL"}:
            yield not_tested("Slack token", *unknown)
            return
        ours = Slack(client, Metrics(), RateLimits(time.monotonic))
        token = await _token(ours)
        yield token
        if not token.ok:
            return
        for finding in _scopes(ours.identity.scopes):
            yield finding
        yield _clock(ours)
        if "ENGINEERING_CHANNEL" not in wrong:
            yield await _channel(ours, settings.engineering_channel)
        if "ENGINEERS" not in wrong:
            async for finding in _engineers(ours, settings.engineers):
                yield finding


def _signing_secret(settings: Settings, wrong: frozenset[str]) -> Finding:
    title = "signing secret"
    if settings.socket_mode and "SLACK_APP_TOKEN" not in wrong:
        return Finding(title, "not needed in Socket Mode")
    if "SLACK_SIGNING_SECRET" in wrong:
        return not_tested(title, "SLACK_SIGNING_SECRET")
    doubted = any(line.startswith("SLACK_SIGNING_SECRET") for line in settings.doubts)
    doubt = "it doesn't look like Slack's, and " if doubted else ""
    text = f"{doubt}can't be tested from here; with the bot running, {TRY_IT}"
    return Finding(title, text, tested=False)


async def _app_token(client: AsyncWebClient, token: str) -> Finding:
    """Ask for a WebSocket URL, which isn't used."""
    title = "Slack app token"
    try:
        async with translated("apps.connections.open"):
            await client.apps_connections_open(app_token=token)
    except OnboardingError as error:
        return _not_accepted(title, "SLACK_APP_TOKEN", error)
    return Finding(title, "accepted; Socket Mode can connect")


async def _token(slack: Slack) -> Finding:
    try:
        identity = await slack.identify()
    except OnboardingError as error:
        return _not_accepted("Slack token", "SLACK_BOT_TOKEN", error)
    return Finding("Slack token", f"accepted by workspace {identity.team_id}")


def _not_accepted(title: str, setting: str, error: OnboardingError) -> Finding:
    if isinstance(error, SlackRefused):
        return Finding(title, f"refused ({error.code})", f"copy {setting} again")
    return Finding(title, str(error), "check the network, and SLACK_API_URL")


def _scopes(granted: frozenset[str]) -> Iterator[Finding]:
    title, optional = "Slack scopes", "Slack optional scopes"
    if not granted:
        yield Finding(title, "not reported by Slack")
        yield Finding(optional, "not reported by Slack")
        return
    if missing := SCOPES - granted:
        fix = "update the app from manifest.yml, and install it again"
        yield Finding(title, f"missing: {', '.join(sorted(missing))}", fix)
    else:
        yield Finding(title, "all granted")
    # They are optional, so nothing is broken without them.
    without = [f"{one} ({what})" for one, what in OPTIONAL_SCOPES.items() if one not in granted]
    yield Finding(optional, f"not granted: {'; '.join(without)}" if without else "all granted")


def _clock(slack: Slack) -> Finding:
    if slack.identity.at is None:
        return Finding("clock", "not reported by Slack")
    skew = abs(datetime.now(UTC) - slack.identity.at)
    text = f"{skew.total_seconds():.0f} s off Slack's clock"
    if skew > MAX_CLOCK_SKEW:
        return Finding("clock", text, "sync this machine's clock (NTP)")
    return Finding("clock", text)


async def _channel(slack: Slack, channel_id: str) -> Finding:
    title = "engineering channel"
    invite = "invite the bot there, and check ENGINEERING_CHANNEL"
    try:
        channel = await slack.channel(channel_id)
    except SlackRefused as error:
        return Finding(title, f"not visible ({error.code})", invite)
    except OnboardingError as error:
        return Finding(title, str(error), "try again")
    if channel.is_archived:
        return Finding(title, "archived", "unarchive it or set another")
    if not channel.is_member:
        return Finding(title, "the bot isn't a member", invite)
    if channel.is_shared:
        text = f"#{channel.name} is shared with another organization, which sees every client"
        return Finding(title, text, "set a channel of HeavySet's own")
    return Finding(title, f"the bot is a member of #{channel.name}")


async def _engineers(slack: Slack, ids: list[str]) -> AsyncIterator[Finding]:
    tasks = BackgroundTasks()
    directory = Directory(slack, ids, tasks)
    try:
        problems = await directory.problems()
        who = await directory.engineers()
    except OnboardingError as error:
        yield Finding("ENGINEERS", str(error), "try again")
        return
    finally:
        await tasks.close(0)
    if problems:
        text = "; ".join(f"{one} adds no engineer ({why})" for one, why in problems.items())
        yield Finding("ENGINEERS", text, "take these ids out, or correct them")
    else:
        yield Finding("ENGINEERS", "Slack knows all of them")
    if who is None:
        yield Finding(REVEAL, "every full member of the workspace")
    elif not who:
        yield Finding(REVEAL, "nobody", "list engineers in ENGINEERS")
    else:
        people = "1 person" if len(who) == 1 else f"{len(who)} people"
        yield Finding(REVEAL, f"{people}: {', '.join(sorted(who))}")
