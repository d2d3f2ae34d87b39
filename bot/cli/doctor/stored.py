"""Findings on what is kept: files, tables, values, the guide, and what came from Slack last."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from bot.app.request_monitor import ADVICE, TRY_IT, VERIFY, Kind, seen
from bot.app.settings import Settings, secret_paths
from bot.cli import private_files
from bot.cli.doctor.finding import Finding
from bot.core.errors import OnboardingError
from bot.guide import GuideError
from bot.guide.loading import SERVICETITAN
from storage import arrivals, migrate, onboardings
from storage.audit.seals import Seals
from storage.database import Database, clock_of
from storage.database_errors import reason
from storage.guides import GuideStore
from storage.key_rotation import inspect
from storage.vault import Vault

PAGE = 100
# Leases and reminders go by these clocks (seconds).
CLOCKS_APART = timedelta(seconds=2)
NO_DATABASE = "fix the database first"


async def stored_findings(settings: Settings, *, keys: bool) -> AsyncIterator[Finding]:
    """Yield what is found in the database; without `keys`, only what can be seen without them."""
    tables = _tables(settings)
    yield tables
    if not tables.well:
        return
    yield _clocks(settings)
    if not keys:
        yield Finding("stored values", "not tested, as CREDENTIAL_KEYS is wrong", tested=False)
        return
    yield await _values(settings)
    yield await _guide(settings)
    yield await _onboardings(settings)
    yield await _arrivals(settings)


def files(settings: Settings) -> Finding:
    """Whether other users of this machine could read what is secret."""
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


def _clocks(settings: Settings) -> Finding:
    before = datetime.now(UTC)
    theirs = clock_of(settings.database_url)
    after, title = datetime.now(UTC), "database's clock"
    if theirs is None:
        return Finding(title, "the same as this machine's")
    apart = max(before - theirs, theirs - after, timedelta(0))
    text = f"{apart.total_seconds():.0f} s off this machine's"
    if apart > CLOCKS_APART:
        return Finding(title, text, "sync both machines' clocks (NTP)")
    return Finding(title, text)


async def _values(settings: Settings) -> Finding:
    vault = Vault(settings.keys)
    database = Database(settings.database_url, Seals(settings.keys))
    try:
        report = await inspect(database, vault)
    except OnboardingError as error:
        return Finding("stored values", str(error), NO_DATABASE)
    finally:
        await database.close()
    if report.problems:
        mend = "put the missing key back into CREDENTIAL_KEYS, or have the values entered again"
        return Finding("stored values", "; ".join(report.problems), mend)
    keys = ", ".join(f"{report.rows.get(key, 0)} with key {key}" for key in vault.key_ids)
    return Finding("stored values", f"all readable ({keys})")


async def _guide(settings: Settings) -> Finding:
    database = Database(settings.database_url, Seals(settings.keys))
    try:
        guides = GuideStore.from_file(SERVICETITAN)
        async with database.begin(write=False) as session:
            changes = await guides.changes(session)
    except GuideError as error:
        return Finding("guide", str(error), "correct the file")
    except OnboardingError as error:
        return Finding("guide", str(error), NO_DATABASE)
    finally:
        await database.close()
    if changes:
        text = f"version {guides.newest.version} was changed: {', '.join(changes)}"
        return Finding("guide", text, "raise its “version”; running onboardings keep the old one")
    return Finding("guide", f"{guides.newest.id}, version {guides.newest.version}")


async def _onboardings(settings: Settings) -> Finding:
    database, title, last = Database(settings.database_url, Seals(settings.keys)), "onboardings", ""
    guides, count = GuideStore.from_file(SERVICETITAN), 0
    try:
        while True:
            async with database.begin(write=False) as session:
                some = await onboardings.ids_after(session, last, PAGE)
                for last in some:
                    await onboardings.can_be_read(session, guides, last)
            count += len(some)
            if len(some) < PAGE:
                break
    except OnboardingError as error:
        return Finding(title, str(error), NO_DATABASE)
    finally:
        await database.close()
    if warning := database.unreadable.warning():
        mend = "run the release that wrote them, or restore those rows from a backup"
        return Finding(title, warning, mend)
    return Finding(title, f"all {count} can be read")


async def _arrivals(settings: Settings) -> Finding:
    database, now = Database(settings.database_url, Seals(settings.keys)), datetime.now(UTC)
    try:
        async with database.begin(write=False) as session:
            last = await arrivals.last(session)
    except OnboardingError as error:
        return Finding("requests from Slack", str(error), NO_DATABASE)
    finally:
        await database.close()
    title, text, request = "requests from Slack", seen(last, now), last.get(Kind.REQUEST)
    for kind, (what, advice) in ADVICE.items():
        at = last.get(kind)
        if at and (request is None or at > request) and now - at <= timedelta(days=1):
            return Finding(
                title, f"requests {what} came at {at:%Y-%m-%d %H:%M} UTC; {text}", advice
            )
    if request is None:
        return Finding(title, f"{text}; with the bot running, {TRY_IT}", tested=False)
    if Kind.EVENT not in last:
        return Finding(title, f"{text}; {VERIFY}", tested=False)
    return Finding(title, text)
