"""`onboarding doctor`: tries every part that the bot needs, and says how to mend what is broken."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
import httpx
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import SQLAlchemyError

from bot import private_files
from bot.directory import Directory
from bot.errors import OnboardingError
from bot.guide import GuideError
from bot.guide.loading import SERVICETITAN
from bot.metrics import Metrics
from bot.pace import Pace
from bot.rotation import inspect
from bot.settings import Settings, secret_paths
from bot.slack import OPTIONAL_SCOPES, SCOPES, Slack, SlackRefused
from bot.tasks import Tasks
from storage import migrate, onboardings
from storage.database import Database
from storage.guides import GuideShelf
from storage.reasons import reason
from storage.seals import Seals
from storage.vault import Vault

# Slack refuses to be believed when the clocks differ by more than five minutes; we warn sooner.
CLOCK_SKEW = timedelta(minutes=1)
PATIENCE_SECONDS = 10
PAGE = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and how it is; `mend` says what to do where it is not well."""

    title: str
    text: str
    mend: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing has to be done."""
        return not self.mend


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Yield a finding for each part, as it is tried. Nothing is changed, and no value is shown."""
    yield _files(settings)
    tables = _tables(settings)
    yield tables
    if tables.well:
        yield await _values(settings)
        yield await _guide(settings)
        yield await _onboardings(settings)
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        slack = Slack(
            AsyncWebClient(
                token=settings.slack_bot_token.get_secret_value(),
                base_url=settings.slack_api_url,
                session=session,
                retry_handlers=[],
            ),
            Metrics(),
            Pace(time.monotonic),
        )
        looks = (_token, _scopes, _optional_scopes, _clock)
        for look in (*looks, _membership(settings), _engineers(settings)):
            finding = await look(slack)
            yield finding
            if look is _token and not finding.well:
                break
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        for name, url in (
            ("SERVICETITAN_AUTH_URL", settings.servicetitan_auth_url),
            ("SERVICETITAN_API_URL", settings.servicetitan_api_url),
        ):
            yield await _reached(http, name, url)


def _files(settings: Settings) -> Finding:
    exposed = list(private_files.warnings(secret_paths(), settings.database_url))
    if exposed:
        return Finding("files", "; ".join(exposed), "run “chmod 600” on each")
    return Finding("files", "no other user of this machine can read .env, secrets or database")


def _tables(settings: Settings) -> Finding:
    try:
        migrate.check(settings.database_url)
    except migrate.Unusable as error:
        return Finding("database", error.what, error.fix)
    except SQLAlchemyError as error:
        text = f"{migrate.where(settings.database_url)}: not reached: {reason(error)}"
        return Finding("database", text, "check DATABASE_URL, and that the database runs")
    return Finding("database", f"{migrate.where(settings.database_url)}: up to date")


async def _values(settings: Settings) -> Finding:
    vault = Vault(settings.keys)
    database = Database(settings.database_url, Seals(settings.keys))
    try:
        report = await inspect(database, vault)
    except OnboardingError as error:
        return Finding("stored values", str(error), "mend the database first")
    finally:
        await database.close()
    if report.problems:
        mend = "put the missing key back into CREDENTIAL_KEYS, or have the values entered again"
        return Finding("stored values", "; ".join(report.problems), mend)
    keys = ", ".join(f"{report.rows.get(key, 0)} with key {key}" for key in vault.key_ids)
    return Finding("stored values", f"all can be read: {keys}")


async def _guide(settings: Settings) -> Finding:
    database = Database(settings.database_url, Seals(settings.keys))
    try:
        shelf = GuideShelf(SERVICETITAN.read_text(encoding="utf-8"), SERVICETITAN.name)
        async with database.begin(write=False) as session:
            changes = await shelf.changes(session)
    except GuideError as error:
        return Finding("guide", str(error), "correct the file")
    except OnboardingError as error:
        return Finding("guide", str(error), "mend the database first")
    finally:
        await database.close()
    if changes:
        text = f"version {shelf.newest.version} was changed: {', '.join(changes)}"
        return Finding("guide", text, "raise its “version”; running onboardings keep the old one")
    return Finding("guide", f"{shelf.newest.id}, version {shelf.newest.version}")


async def _onboardings(settings: Settings) -> Finding:
    database, title, last = Database(settings.database_url, Seals(settings.keys)), "onboardings", ""
    shelf, count = GuideShelf(SERVICETITAN.read_text(encoding="utf-8"), SERVICETITAN.name), 0
    try:
        while True:
            async with database.begin(write=False) as session:
                some = await onboardings.some_ids(session, last, PAGE)
                for last in some:
                    await onboardings.is_whole(session, shelf, last)
            count += len(some)
            if len(some) < PAGE:
                break
    except OnboardingError as error:
        return Finding(title, str(error), "mend the database first")
    finally:
        await database.close()
    if warning := database.unreadable.warning():
        mend = "run the release that wrote them, or restore those rows from a backup"
        return Finding(title, warning, mend)
    return Finding(title, f"all {count} can be read")


async def _token(slack: Slack) -> Finding:
    try:
        identity = await slack.identify()
    except SlackRefused as error:
        return Finding("Slack token", f"refused ({error.code})", "copy SLACK_BOT_TOKEN again")
    except OnboardingError as error:
        return Finding("Slack token", str(error), "check the network, and SLACK_API_URL")
    return Finding("Slack token", f"accepted by workspace {identity.team_id}")


async def _scopes(slack: Slack) -> Finding:
    if not slack.identity.scopes:
        return Finding("Slack scopes", "Slack does not tell them")
    if missing := SCOPES - slack.identity.scopes:
        mend = "update the app from manifest.yml, and install it again"
        return Finding("Slack scopes", f"missing: {', '.join(sorted(missing))}", mend)
    return Finding("Slack scopes", "all granted")


async def _optional_scopes(slack: Slack) -> Finding:
    title, granted = "Slack optional scopes", slack.identity.scopes
    if not granted:
        return Finding(title, "Slack does not tell them")
    missing = [
        f"{scope} ({what})" for scope, what in OPTIONAL_SCOPES.items() if scope not in granted
    ]
    if missing:  # nothing is broken
        return Finding(title, f"not granted: {'; '.join(missing)}")
    return Finding(title, "all granted")


async def _clock(slack: Slack) -> Finding:
    if slack.identity.at is None:
        return Finding("clock", "Slack does not tell its own")
    skew = abs(datetime.now(UTC) - slack.identity.at)
    text = f"{skew.total_seconds():.0f} s from Slack's"
    if skew > CLOCK_SKEW:
        return Finding("clock", text, "set this machine's clock (NTP)")
    return Finding("clock", text)


def _membership(settings: Settings) -> Callable[[Slack], Awaitable[Finding]]:
    async def look(slack: Slack) -> Finding:
        title = "engineering channel"
        invite = "invite the bot there, and check ENGINEERING_CHANNEL"
        try:
            channel = await slack.channel(settings.engineering_channel)
        except SlackRefused as error:
            return Finding(title, f"not to be seen ({error.code})", invite)
        except OnboardingError as error:
            return Finding(title, str(error), "try again")
        if channel.is_archived:
            return Finding(title, "archived", "take it out of the archive, or set another")
        if not channel.is_member:
            return Finding(title, "the bot is no member", invite)
        if channel.is_shared:
            mend = "stop sharing it, or set ENGINEERING_CHANNEL to a channel of HeavySet's alone"
            return Finding(title, f"#{channel.name} is open to another organization", mend)
        return Finding(title, f"the bot is a member of #{channel.name}")

    return look


def _engineers(settings: Settings) -> Callable[[Slack], Awaitable[Finding]]:
    async def look(slack: Slack) -> Finding:
        title, listed = "engineers", settings.engineers
        tasks = Tasks()
        directory = Directory(slack, listed, tasks)
        try:
            problems = await directory.problems()
            people = await directory.engineers()
        except OnboardingError as error:
            return Finding(title, str(error), "try again")
        finally:
            await tasks.close(0)
        if people is None:
            return Finding(title, "every full member of the workspace")
        well = f"{len(listed) - len(problems)} of {len(listed)} ids name engineers"
        if problems:
            wrong = ", ".join(f"{one} ({why})" for one, why in problems.items())
            mend = "correct ENGINEERS: ids of people (U…) and of user groups (S…)"
            return Finding(title, f"{well}; these make nobody an engineer: {wrong}", mend)
        if not people:
            return Finding(title, "nobody is one", "add somebody to ENGINEERS")
        return Finding(title, well)

    return look


async def _reached(http: httpx.AsyncClient, name: str, url: str) -> Finding:
    try:
        await http.get(url, follow_redirects=False)
    except httpx.HTTPError as error:
        mend = f"check the network, and {name}; ServiceTitan's state: status.servicetitan.com"
        return Finding("ServiceTitan", f"{name}: not reached ({type(error).__name__})", mend)
    return Finding("ServiceTitan", f"{name}: reached")
