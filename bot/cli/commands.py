"""What the commands do, apart from `run` and `init`; each function returns the exit status.

They import what only one of them needs when it runs.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot import guide
from bot.app.guides import guide_files, guide_store
from bot.app.settings import Settings, load_partly
from bot.cli.command import database_of, say, with_output, with_settings, write
from bot.cli.names import names_of
from bot.core import logs
from bot.core.english import count
from bot.core.errors import NotFound
from bot.guide.loading import SERVICETITAN
from bot.onboarding.history import history_of
from bot.onboarding.reporting import report_on
from bot.onboarding.reporting.period import Period
from bot.use_cases.retention import destroy_old_values
from storage import backup, event_log, migrate, onboardings, posted_messages, secure_delete
from storage.audit.head_log import read_heads
from storage.audit.seals import Seals
from storage.audit.verify_history import verify
from storage.database import Database, is_sqlite
from storage.database_errors import reason
from storage.key_rotation import Progress, inspect, rotate, rotate_seals
from storage.reporting import cases
from storage.vault import Vault

if TYPE_CHECKING:
    from bot.cli.doctor import Finding


@with_output
def doctor(*, blocks: bool) -> int:
    """Print a finding for each part, or with `blocks` Slack's verdict on every message."""
    from bot.cli.doctor import examine
    from bot.cli.doctor.blocks import validate

    read = load_partly()
    settings = read.settings
    logs.set_up(settings.log_level, settings.log_format)
    for problem in read.problems:
        write(f"✗ {problem}\n")
    findings = (
        validate(guide.load(), settings.slack_api_url, settings.proxy)
        if blocks
        else examine(settings, read.wrong)
    )
    broken = asyncio.run(_print(findings))
    return 1 if read.problems or broken else 0


async def _print(findings: AsyncIterator["Finding"]) -> bool:
    """Print findings as they arrive; True if something is broken."""
    broken = False
    async for finding in findings:
        write(f"{finding.line}\n")
        broken = broken or not finding.ok
    return broken


@with_settings()
async def export_history(settings: Settings, named: str, format_: str, output: Path | None) -> int:
    from bot.cli.export.inquiries import inquiries
    from bot.cli.export.rendering import Export, people_and_channels, render

    guides = guide_store(settings)
    async with database_of(settings, guides) as database, database.begin(write=False) as session:
        try:
            found = [await onboardings.get(session, named)]
        except NotFound:
            found = [*await onboardings.named(session, named, finished=True)]
        if len(found) != 1:
            for one in found:
                say(f"{one.id}: {one.client_name}, {one.status}, {one.started_at:%Y-%m-%d}", 1)
            what = "more than one match; use the ID" if found else "no match"
            return say(f"{named}: {what} in {migrate.where(settings.database_url)}", 1)
        events = await event_log.events_of(session, found[0].id)
        posted = await posted_messages.by_slot(session, found[0].id)
    now = datetime.now(UTC)
    history = history_of(found[0].guide, events, now)
    names, url = await names_of(settings, people_and_channels(found[0], history))
    messages = {slot: one.ts for slot, one in posted.items() if one.ts}
    asked = inquiries(found[0], messages, url)
    export = Export(found[0], history, now, names, asked, links=bool(url))
    return _write_to(output, render(export, format_))


@with_settings()
async def report_on_all(settings: Settings, since: str, format_: str, output: Path | None) -> int:
    from bot.cli.reporting.rendering import render

    period = Period.parse(since)
    if period is None:
        return say(f"--since: write 90d for the last 90 days, or all; not “{since}”", 2)
    now = datetime.now(UTC)
    begin = period.since(now)
    async with database_of(settings, guide_store(settings)) as database:
        found = await cases(database, begin, now)
    return _write_to(output, render(report_on(found, begin, now), period, format_))


def _write_to(output: Path | None, text: str) -> int:
    if output is None:
        write(text)
        return 0
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        return say(f"{output}: not written ({error.strerror})", 1)
    return say(f"{output}: written")


@with_output
def preview_guide(output: Path, source: str) -> int:
    from bot.cli.preview import preview  # it draws with the sandbox, which no other command needs

    settings = load_partly().settings
    try:
        file = _guide_file(settings, source)
        if file is None:
            known = ", ".join(one.parent.name for one in guide_files(settings))
            return say(f"{source}: no guide, and no file; the guides are {known}", 2)
        page = preview(guide.load(file), settings.guide_images, file.parent)
    except guide.GuideError as error:
        return say(str(error), 2)
    output.write_text(page, encoding="utf-8")
    return say(f"{output}: written")


def _guide_file(settings: Settings, source: str) -> Path | None:
    """Return the file of a guide: `source` is its id, its folder, or the file."""
    known = {file.parent.name: file for file in guide_files(settings)}
    path = Path(source)
    if source in known or not source:
        return known.get(source, SERVICETITAN)
    path = path / "guide.toml" if path.is_dir() else path
    return path if path.is_file() else None


@with_settings(check_tables=False, outdated_status=2)
def upgrade_database(settings: Settings, *, force: bool) -> int:
    migrate.upgrade(settings.database_url, seals=Seals(settings.keys), force=force)
    return say(f"{migrate.where(settings.database_url)}: the database is up to date")


@with_settings()
async def check_database(settings: Settings, log_lines: Iterable[str]) -> int:
    """Verify that nobody altered the history; `log_lines` recorded where each history ended."""
    say(f"{migrate.where(settings.database_url)}: the database is up to date")
    return await verify_histories(settings, log_lines)


async def verify_histories(settings: Settings, log_lines: Iterable[str] = ()) -> int:
    """Print what is wrong with the history; return the exit status."""
    async with database_of(settings) as database, database.begin(write=False) as session:
        report = await verify(session, read_heads(log_lines))
    read = f"{count(report.events, 'event')}, {count(report.onboardings, 'onboarding')}"
    if report.late:
        say(f"{report.late} events are older than their seals, which an upgrade made")
    for line in report.problems:
        say(line, 1)
    if report.problems:
        return say(f"{read}: the history doesn't match its seals", 1)
    return say(f"{read}: history intact")


@with_settings(check_tables=False)
def back_up(settings: Settings, file: Path) -> int:
    if not is_sqlite(settings.database_url):
        return say("DATABASE_URL: back up PostgreSQL with pg_dump", 2)
    migrate.check(settings.database_url)
    try:
        backup.copy(settings.database_url, file)
    except (OSError, sqlite3.Error) as error:
        return say(f"{file}: not written ({reason(error)})", 1)
    return say(
        f"{file}: written, a copy of {migrate.where(settings.database_url)}. It can't be read "
        "without CREDENTIAL_KEYS, so keep those elsewhere."
    )


@with_settings()
async def mark_restored(settings: Settings) -> int:
    """Make the bot look in Slack for messages that a restored backup does not know."""
    async with database_of(settings) as database, database.begin() as session:
        count = await backup.mark_restored(session)
    return say(f"{count} onboardings will be synced with Slack at the next start")


async def verify_stored_values(settings: Settings) -> int:
    """Print which key encrypts what, and what can't be decrypted; return the exit status."""
    vault = Vault(settings.keys)
    async with database_of(settings) as database:
        report = await inspect(database, vault)
    for key in vault.key_ids:
        first = " (encrypts)" if key == vault.sealing_key else ""
        say(f"key {key}{first}: {count(report.rows.get(key, 0), 'stored value')}")
    for line in report.problems:
        say(line, 1)
    lost = sum(report.rows.values()) - report.readable
    return say(f"{count(report.readable, 'stored value')} readable, {lost} not", 1 if lost else 0)


check_keys = with_settings()(verify_stored_values)


@with_settings()
async def rotate_keys(settings: Settings) -> int:
    """Encrypt every stored value, and sign every history, with the first key."""
    vault = Vault(settings.keys)
    async with database_of(settings) as database:
        values = histories = Progress(0)
        async for values in rotate(database, vault):
            say(f"{values.resealed} of {values.total} stored values")
        async for histories in rotate_seals(database):
            say(f"{histories.resealed} of {histories.total} histories")
        await _remove_old_ciphertexts(database)
    for line in values.unreadable + histories.unreadable:
        say(line, 1)
    if values.unreadable:
        return say("put the missing key back into CREDENTIAL_KEYS, then rotate again", 1)
    if histories.unreadable:
        return say("these histories keep the seals they had: see “onboarding db check”", 1)
    say(f"every stored value is encrypted with key {vault.sealing_key}")
    return say(f"every history is sealed with key {vault.sealing_key}")


@with_settings()
async def purge(settings: Settings) -> int:
    """Destroy the values of all finished onboardings, however recently they finished."""
    async with database_of(settings, guide_store(settings)) as database:
        purged = await destroy_old_values(
            database, lambda: datetime.now(UTC), timedelta(0), lambda _onboarding_id: None
        )
        await _remove_old_ciphertexts(database)
    return say(f"deleted the credentials of {count(purged, 'finished onboarding')}")


async def _remove_old_ciphertexts(database: Database) -> None:
    for pause in (0.2, 0.5, 1, 2, None):
        problem = await secure_delete.clear(database)
        if problem is None:
            return
        if pause:
            await asyncio.sleep(pause)
    say(f"old ciphertexts are still in the database's files: {problem}; see docs/security.md", 1)
