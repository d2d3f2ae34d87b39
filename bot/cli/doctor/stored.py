"""Findings on files, tables, stored values, the guide, and the last requests from Slack."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from bot.app.guides import guide_store
from bot.app.request_monitor import ADVICE, TRY_IT, VERIFY, Kind, seen
from bot.app.settings import Settings, secret_paths
from bot.cli import private_files
from bot.cli.command import database_of
from bot.cli.doctor.finding import Finding, not_tested
from bot.core.errors import OnboardingError
from bot.guide import GuideError
from storage import arrivals, migrate, onboardings
from storage.database import Database, clock_of
from storage.database_errors import reason
from storage.key_rotation import inspect
from storage.vault import Vault

ROWS_PER_PAGE = 100
# Leases and reminders depend on these clocks.
MAX_CLOCK_DIFFERENCE = timedelta(seconds=2)


async def stored_findings(settings: Settings, *, keys: bool) -> AsyncIterator[Finding]:
    """Yield the findings on the database; without `keys`, only those that need no keys."""
    tables = _tables(settings)
    yield tables
    if not tables.ok:
        return
    yield _clocks(settings)
    if not keys:
        yield not_tested("stored values", "CREDENTIAL_KEYS")
        return
    async with database_of(settings) as database:
        for title, look in (
            ("stored values", partial(_values, Vault(settings.keys))),
            ("onboardings", _onboardings),
            ("requests from Slack", _requests),
        ):
            try:
                yield await look(database)
            except OnboardingError as error:
                yield Finding(title, str(error), "fix the database first")
        async for one in _guides(settings, database):
            yield one


def files(settings: Settings) -> Finding:
    """Check that no other user of this machine can read secrets."""
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
    if apart > MAX_CLOCK_DIFFERENCE:
        return Finding(title, text, "sync both machines' clocks (NTP)")
    return Finding(title, text)


async def _values(vault: Vault, database: Database) -> Finding:
    report = await inspect(database, vault)
    if report.problems:
        fix = "put the missing key back into CREDENTIAL_KEYS, or have the values entered again"
        return Finding("stored values", "; ".join(report.problems), fix)
    keys = ", ".join(f"{report.rows.get(key, 0)} with key {key}" for key in vault.key_ids)
    return Finding("stored values", f"all readable ({keys})")


async def _guides(settings: Settings, database: Database) -> AsyncIterator[Finding]:
    try:
        guides = guide_store(settings)
    except GuideError as error:
        yield Finding("guide", str(error), "correct the file")
        return
    offered = [guide.id for guide in guides.offered]
    for guide in guides.all:
        async with database.begin(write=False) as session:
            changes = await guides.changes(session, guide)
        name = f"{guide.id}, version {guide.version}"
        if changes:
            fix = "raise its “version”; running onboardings keep the old one"
            yield Finding("guide", f"{name}, was changed: {', '.join(changes)}", fix)
        elif guide.id not in offered:
            name += ": not offered, as SERVICETITAN_APPLICATION_KEY isn't set"
            yield Finding("guide", name, tested=False)
        else:
            yield Finding("guide", name)


async def _onboardings(database: Database) -> Finding:
    last, count = "", 0
    while True:
        async with database.begin(write=False) as session:
            page = await onboardings.ids_after(session, last, ROWS_PER_PAGE)
            for last in page:
                await onboardings.can_be_read(session, last)
        count += len(page)
        if len(page) < ROWS_PER_PAGE:
            break
    if warning := database.unreadable.warning():
        fix = "run the release that wrote them, or restore those rows from a backup"
        return Finding("onboardings", warning, fix)
    return Finding("onboardings", f"all {count} can be read")


async def _requests(database: Database) -> Finding:
    now, title = datetime.now(UTC), "requests from Slack"
    async with database.begin(write=False) as session:
        last = await arrivals.last(session)
    text, request = seen(last, now), last.get(Kind.REQUEST)
    for kind, (what, advice) in ADVICE.items():
        at = last.get(kind)
        if at and (request is None or at > request) and now - at <= timedelta(days=1):
            return Finding(
                title, f"requests {what} arrived at {at:%Y-%m-%d %H:%M} UTC; {text}", advice
            )
    if request is None:
        return Finding(title, f"{text}; with the bot running, {TRY_IT}", tested=False)
    if Kind.EVENT not in last:
        return Finding(title, f"{text}; {VERIFY}", tested=False)
    return Finding(title, text)
