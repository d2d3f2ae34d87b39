"""Databases full of onboardings at all stages, as every earlier revision would have left them."""

import asyncio
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr
from sqlmodel import SQLModel, col, select

from bot.guide.credential_fields import mask
from bot.guide.loading import SERVICETITAN
from bot.onboarding import BOT, Change, Loss, Onboarding, lifecycle, start
from bot.onboarding.after_go_live import recheck, tell_client
from bot.onboarding.assignment import Absence, cover
from bot.onboarding.credentials import destroy_credentials, enter_credentials
from bot.onboarding.posted_secrets import record_posted_secret
from bot.onboarding.questions import ask_for_help, mark_answered, note, send_reply
from bot.onboarding.reminders import escalate, remind, snooze
from bot.onboarding.retention import expire_credentials
from bot.onboarding.steps import choose_option, finish_step, hand_over_steps, skip_step, undo_step
from bot.onboarding.verification_report import Outcome
from bot.onboarding.verifications import (
    finish_verification,
    record_booking_sent,
    request_verification,
)
from storage import credentials, migrate, onboardings, sqlite
from storage.audit.seals import Seals
from storage.database import Database, is_sqlite, sync_url
from storage.guides import GuideStore
from storage.session import Session
from storage.tables import (
    AbsenceRow,
    ArrivalRow,
    CheckRoundRow,
    CredentialRow,
    DeliveryRow,
    EventRow,
    HomeRow,
    MessageRow,
    NoticeRow,
    OnboardingRow,
    PictureRow,
    RateRow,
    RevealRow,
    SummaryRow,
    VerificationRow,
)
from storage.vault import Slot, Vault
from tests.builders import (
    ALL_FIELDS,
    GUIDE,
    MINUTE,
    NOW,
    VALUES,
    a_client_admin,
    a_report,
    an_engineer,
)

SEALS, VAULT = Seals([b"k" * 32]), Vault([b"k" * 32])
REVISIONS = sorted(path.name[:4] for path in (migrate.MIGRATIONS / "versions").glob("0*.py"))
HEAD = REVISIONS[-1]
ERIN, ANN = an_engineer(), a_client_admin()

Transition = Callable[[Onboarding, datetime], Change]
Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Story:
    """What happened to one client, and the first revision with columns for it."""

    since: str
    transitions: tuple[Transition, ...] = ()
    channel: str | None = None  # its own, unless given
    admins: tuple[str, ...] = ()
    client_team: str | None = None


def at_time(transition: Callable[..., Change], *arguments: Any, **keywords: Any) -> Transition:
    """Call a transition with the time that it happens at."""
    return lambda onboarding, now: transition(onboarding, *arguments, now=now, **keywords)


def finish(*numbers: int) -> tuple[Transition, ...]:
    return tuple(at_time(finish_step, number, ANN if number < 23 else ERIN) for number in numbers)


def enter(step: int, fields: Collection[str] = ALL_FIELDS) -> Transition:
    masks = {name: mask(VALUES[name]) for name in fields}
    return at_time(enter_credentials, step, masks, ANN)


def finish_check(outcome: Outcome, *fields: str, retry: bool = False) -> Transition:
    def transition(at: Onboarding, now: datetime) -> Change:
        run = at.verification
        assert run
        report = a_report(outcome, fields, retry=retry)
        return finish_verification(at, run, report, now)

    return transition


def send_booking(at: Onboarding, now: datetime) -> Change:
    run = at.verification
    assert run
    return record_booking_sent(at, run, now)


def start_recheck(at: Onboarding, now: datetime) -> Change:
    return recheck(at, BOT, now, since=now)


AWAY = Absence(ERIN.user_id, "U0LEE", NOW, NOW + timedelta(days=3))
FIRST_STEPS = (at_time(choose_option, 1, "new", ANN), *finish(2, 3))
ALL_ENTERED = (at_time(choose_option, 1, "existing", ANN), *finish(*range(3, 22)), enter(22))
COMPLETED = (
    *(*ALL_ENTERED, finish_check(Outcome.PASSED), *finish(22, 23, 24)),
    *(at_time(request_verification, ERIN), finish_check(Outcome.PASSED)),
)
STORIES: Mapping[str, Story] = {
    "Just Started": Story("0001"),
    "Käthe's  Heizung & Söhne": Story(
        "0001",
        (
            *(*FIRST_STEPS, at_time(ask_for_help, 4, "Wo? “Hier” – ü 🙂", ANN)),
            *(enter(11, ["client_id"]), enter(11, ["client_id"])),
            at_time(undo_step, 3, ANN),
        ),
        admins=(ANN.user_id, "U0BEN"),
    ),
    "Being Verified": Story("0001", ALL_ENTERED),
    "Broken after Go-Live": Story(
        "0025",
        (
            *COMPLETED,
            start_recheck,
            finish_check(Outcome.FAILED, "client_secret"),
            at_time(tell_client, ERIN),
        ),
    ),
    "Check Failed": Story("0001", (*ALL_ENTERED, finish_check(Outcome.FAILED, "client_secret"))),
    "ServiceTitan Down": Story("0001", (*ALL_ENTERED, finish_check(Outcome.UNKNOWN, retry=True))),
    "Completed": Story("0001", COMPLETED),
    "Lost Channel": Story("0002", (*FIRST_STEPS, at_time(lifecycle.lose_channel, Loss.ARCHIVED))),
    "Values Deleted": Story("0003", (*COMPLETED, at_time(destroy_credentials, ERIN))),
    "Secret Posted": Story(
        "0004", (*ALL_ENTERED, at_time(record_posted_secret, ["client_secret", "tenant_id"], ANN))
    ),
    "Usual Events": Story(
        "0005",
        (
            *(*FIRST_STEPS, at_time(lifecycle.client_joins, ANN, timezone="America/Denver")),
            *(
                at_time(ask_for_help, 4, "Where?", ANN),
                at_time(mark_answered, [1], ERIN),
                at_time(send_reply, "Here.", ERIN),
                at_time(note, "x", ERIN),
            ),
            *(at_time(skip_step, 7, ERIN), at_time(hand_over_steps, 4, ANN)),
            *(at_time(remind, ERIN), at_time(snooze, ANN, until=NOW + timedelta(days=1))),
            at_time(escalate),
        ),
        channel="C0SHARED",
    ),
    "Paused": Story(
        "0005", (at_time(lifecycle.pause, ERIN, reason="Holidays"),), channel="C0SHARED"
    ),
    "In an Enterprise": Story("0013", FIRST_STEPS, client_team="E0ACME"),
    "Cancelled": Story("0005", (*ALL_ENTERED, at_time(lifecycle.cancel, ERIN, "They left."))),
    "Unused Values": Story(
        "0017",
        (
            *(*ALL_ENTERED, finish_check(Outcome.PASSED)),
            at_time(expire_credentials, keep=timedelta(0), objection=timedelta(days=7)),
        ),
    ),
    "Away Engineer": Story("0022", (*FIRST_STEPS, at_time(cover, {ERIN.user_id: AWAY}))),
    "Booked": Story(
        "0005",
        (
            *(*ALL_ENTERED, finish_check(Outcome.PASSED), *finish(22, 23, 24)),
            *(at_time(request_verification, ERIN, booking="heavyset-1"), send_booking),
        ),
    ),
}


def onboardings_at(revision: str) -> Mapping[str, Onboarding]:
    """Return the onboardings that a database of `revision` can hold, by id."""
    return {
        change.onboarding.id: change.onboarding
        for name, (_, change) in _changes().items()
        if STORIES[name].since <= revision
    }


def fill(url: str, revision: str) -> None:
    """Make the tables of `revision`, and fill them."""
    if is_sqlite(url):
        sqlite.file(url).write_bytes(_empty_file(revision))
    else:
        migrate.upgrade(url, revision)
    onboardings = onboardings_at(revision)
    with connected(url) as connection:
        for table in _tables(connection):
            owner = "id" if table.name == "onboarding" else "onboarding_id"
            rows = [
                {column.name: row[column.name] for column in table.columns}
                for row in _rows_at_head()[table.name]
                if row.get(owner) in {*onboardings, None}
            ]
            connection.execute(sa.insert(table), rows)
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT setval('event_id_seq', max(id)) FROM event"))


@cache
def _empty_file(revision: str) -> bytes:
    """Return a SQLite file with the tables of `revision`, made from that of the one before."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "empty.db")
        if before := REVISIONS[: REVISIONS.index(revision)]:
            path.write_bytes(_empty_file(before[-1]))
        migrate.upgrade(f"sqlite:///{path}", revision)
        return path.read_bytes()


def content(url: str) -> Rows:
    """Return all rows of all tables, in the order of their keys."""
    with connected(url) as connection:
        return {
            table.name: [
                dict(row)
                for row in connection.execute(
                    sa.select(table).order_by(*table.primary_key.columns)
                ).mappings()
            ]
            for table in _tables(connection)
        }


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """Give a direct connection, in a transaction."""
    engine = sa.create_engine(sync_url(url))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _tables(connection: sa.Connection) -> list[sa.Table]:
    """The existing tables with their existing columns, in today's types."""
    inspector = sa.inspect(connection)
    columns = {
        table: {column["name"] for column in table_columns}
        for (_, table), table_columns in inspector.get_multi_columns().items()
    }
    return [
        _table(table.name, frozenset(columns[table.name]))
        for table in SQLModel.metadata.sorted_tables
        if table.name in columns
    ]


@cache
def _table(name: str, columns: Collection[str]) -> sa.Table:
    return sa.Table(
        name,
        sa.MetaData(),
        *(
            sa.Column(column.name, column.type, primary_key=column.primary_key)
            for column in SQLModel.metadata.tables[name].columns
            if column.name in columns
        ),
    )


@cache
def _changes() -> Mapping[str, tuple[Change, Change]]:
    """How each client started and ended up, with a transition per minute."""
    return {name: _change_of(name, story) for name, story in STORIES.items()}


def _change_of(name: str, story: Story) -> tuple[Change, Change]:
    key = name[:4].strip().lower()
    begun = start(
        f"{key:0<16}",
        GUIDE,
        client_name=name,
        channel=story.channel or f"C0{key.upper()}",
        engineer=ERIN.user_id,
        client_admins=story.admins,
        client_team=story.client_team,
        actor=ERIN,
        now=NOW,
    )
    after = Change(begun.onboarding)
    for number, transition in enumerate(story.transitions, start=1):
        after = after.then(transition, NOW + number * MINUTE)
    return begun, after


@cache
def _rows_at_head() -> Rows:
    """The rows of all stories, as the bot writes them."""
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{directory}/filled.db"
        migrate.upgrade(url)
        with ThreadPoolExecutor(1) as executor:  # the caller may have a running event loop
            executor.submit(asyncio.run, _write(url)).result()
        return content(url)


async def _write(url: str) -> None:
    database = Database(url, SEALS, GuideStore(SERVICETITAN))
    async with database.begin() as session:
        await database.guides.save_newest(session)
        for begun, change in _changes().values():
            await onboardings.add(session, begun)
            await session.flush()
            await onboardings.save(session, begun.onboarding, change)
            await _keep_values(session, change.onboarding)
        await _publish(session)
    await database.close()


async def _keep_values(session: Session, onboarding: Onboarding) -> None:
    for name, stored in onboarding.credentials.items():
        slot = Slot(onboarding.id, name, stored.version, stored.mask)
        for _ in range(stored.version):
            sealed = VAULT.seal(slot, SecretStr(VALUES[name]))
            await credentials.put(session, [sealed], stored.by, stored.at)


async def _publish(session: Session) -> None:
    """Fill the columns that a running bot fills, in some of the rows."""
    session.add_all(
        [
            AbsenceRow(engineer="U0ERIN", colleague="U0LEE", since=NOW, until=NOW + MINUTE),
            ArrivalRow(kind="request", at=NOW),
            DeliveryRow(id="Ev0001", at=NOW),
            RateRow(id="guess:1:T0:U0", since=NOW, count=3),
            RevealRow(id="reveal-1", worker="w1", hide_at=NOW),
            HomeRow(user_id=ERIN.user_id, opened_at=NOW, published_at=NOW, digest="d1"),
            HomeRow(user_id="U0NEW", opened_at=NOW),
            NoticeRow(id="engineering_channel_shared", since=NOW, ts="1795426200.000100"),
            NoticeRow(id="something_else", since=NOW),
            PictureRow(digest="0a1b", since=NOW, file_id="F0000000001", count=2),
            PictureRow(digest="2c3d", since=NOW, count=1),
            *(
                CheckRoundRow(
                    id=f"r{number}",
                    running=running,
                    by_user=ERIN.user_id,
                    by_team=ERIN.team_id,
                    started_at=NOW,
                    clients=["0123456789abcdef"],
                    next_at=NOW,
                )
                for number, running in enumerate([True, None])
            ),
        ]
    )
    for number, row in enumerate((await session.exec(select(OnboardingRow))).all()):
        if number % 2:
            continue
        row.thread_ts = row.announcement_ts = f"17954262{number:02}.000100"
        row.published_revision = row.revision - number % 4 // 2
        row.lease_owner, row.lease_until = f"worker {number}", NOW + MINUTE
        row.publish_after = row.refused_since = row.next_reminder = row.look_since = (
            NOW + number * MINUTE
        )
        row.next_check = NOW + number * MINUTE
        session.add(SummaryRow(onboarding_id=row.id, history_length=1, version=1, figures="{}"))
        session.add(MessageRow(onboarding_id=row.id, slot="root", ts=row.thread_ts, digest="d2"))
        session.add(MessageRow(onboarding_id=row.id, slot="welcome", posting_since=NOW))
        first = select(EventRow).where(col(EventRow.onboarding_id) == row.id).order_by("id")
        event = (await session.exec(first)).first()
        assert event
        event.announcing_since, event.announced_ts = NOW, row.thread_ts
    old_value = (await session.exec(select(CredentialRow))).first()
    run = (await session.exec(select(VerificationRow))).first()
    assert old_value
    assert run
    old_value.fingerprint, run.run_until, run.run_owner = None, NOW + MINUTE, "worker 1"
