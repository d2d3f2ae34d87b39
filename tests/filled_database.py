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
from sqlmodel.ext.asyncio.session import AsyncSession

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
    """What happened to one client, and the first revision that had columns for it."""

    since: str
    transitions: tuple[Transition, ...] = ()
    channel: str | None = None  # its own, if it is not said
    admins: tuple[str, ...] = ()
    client_team: str | None = None


def does(transition: Callable[..., Change], *arguments: Any, **named: Any) -> Transition:
    """Call a transition that takes the time last."""
    return lambda onboarding, now: transition(onboarding, *arguments, now=now, **named)


def done(*numbers: int) -> tuple[Transition, ...]:
    return tuple(does(finish_step, number, ANN if number < 23 else ERIN) for number in numbers)


def entered(step: int, fields: Collection[str] = ALL_FIELDS) -> Transition:
    masks = {name: mask(VALUES[name]) for name in fields}
    return does(enter_credentials, step, masks, ANN)


def verified(outcome: Outcome, *fields: str, retry: bool = False) -> Transition:
    def transition(at: Onboarding, now: datetime) -> Change:
        run = at.verification
        assert run
        report = a_report(outcome, fields, retry=retry)
        return finish_verification(at, run.number, run.requested_at, report, now)

    return transition


def booked(at: Onboarding, now: datetime) -> Change:
    run = at.verification
    assert run
    return record_booking_sent(at, run.number, run.requested_at, now)


def rechecked(at: Onboarding, now: datetime) -> Change:
    return recheck(at, BOT, now, since=now)


AWAY = Absence(ERIN.user_id, "U0LEE", NOW, NOW + timedelta(days=3))
FIRST = (does(choose_option, 1, "new", ANN), *done(2, 3))
ALL_IN = (does(choose_option, 1, "existing", ANN), *done(*range(3, 22)), entered(22))
COMPLETED = (
    *(*ALL_IN, verified(Outcome.PASSED), *done(22, 23, 24)),
    *(does(request_verification, ERIN), verified(Outcome.PASSED)),
)
STORIES: Mapping[str, Story] = {
    "Only Begun": Story("0001"),
    "Käthe's  Heizung & Söhne": Story(
        "0001",
        (
            *(*FIRST, does(ask_for_help, 4, "Wo? “Hier” – ü 🙂", ANN)),
            *(entered(11, ["client_id"]), entered(11, ["client_id"])),
            does(undo_step, 3, ANN),
        ),
        admins=(ANN.user_id, "U0BEN"),
    ),
    "Being Verified": Story("0001", ALL_IN),
    "Broken after Go-Live": Story(
        "0025",
        (*COMPLETED, rechecked, verified(Outcome.FAILED, "client_secret"), does(tell_client, ERIN)),
    ),
    "Found Wrong": Story("0001", (*ALL_IN, verified(Outcome.FAILED, "client_secret"))),
    "ServiceTitan Away": Story("0001", (*ALL_IN, verified(Outcome.UNKNOWN, retry=True))),
    "Completed": Story("0001", COMPLETED),
    "Channel Lost": Story("0002", (*FIRST, does(lifecycle.lose_channel, Loss.ARCHIVED))),
    "Destroyed": Story("0003", (*COMPLETED, does(destroy_credentials, ERIN))),
    "Exposed": Story(
        "0004", (*ALL_IN, does(record_posted_secret, ["client_secret", "tenant_id"], ANN))
    ),
    "Every Day": Story(
        "0005",
        (
            *(*FIRST, does(lifecycle.client_joins, ANN, timezone="America/Denver")),
            *(
                does(ask_for_help, 4, "Where?", ANN),
                does(mark_answered, [1], ERIN),
                does(send_reply, "Here.", ERIN),
                does(note, "x", ERIN),
            ),
            *(does(skip_step, 7, ERIN), does(hand_over_steps, 4, ANN)),
            *(does(remind, ERIN), does(snooze, ANN, until=NOW + timedelta(days=1))),
            does(escalate),
        ),
        channel="C0SHARED",
    ),
    "Paused": Story("0005", (does(lifecycle.pause, ERIN, reason="Holidays"),), channel="C0SHARED"),
    "Of One Enterprise": Story("0013", FIRST, client_team="E0ACME"),
    "Cancelled": Story("0005", (*ALL_IN, does(lifecycle.cancel, ERIN, "They left."))),
    "Standing Still": Story(
        "0017",
        (
            *(*ALL_IN, verified(Outcome.PASSED)),
            does(expire_credentials, keep=timedelta(0), objection=timedelta(days=7)),
        ),
    ),
    "While Away": Story("0022", (*FIRST, does(cover, {ERIN.user_id: AWAY}))),
    "Booked": Story(
        "0005",
        (
            *(*ALL_IN, verified(Outcome.PASSED), *done(22, 23, 24)),
            *(does(request_verification, ERIN, booking="heavyset-1"), booked),
        ),
    ),
}


def onboardings_at(revision: str) -> Mapping[str, Onboarding]:
    """Return the onboardings that a database of `revision` can hold, by id."""
    return {
        change.onboarding.id: change.onboarding
        for name, (_, change) in _lives().items()
        if STORIES[name].since <= revision
    }


def fill(url: str, revision: str) -> None:
    """Make the tables of `revision`, and fill them."""
    if is_sqlite(url):
        sqlite.file(url).write_bytes(_empty_file(revision))
    else:
        migrate.upgrade(url, revision)
    known = onboardings_at(revision)
    with connected(url) as connection:
        for table in _tables(connection):
            owner = "id" if table.name == "onboarding" else "onboarding_id"
            rows = [
                {column.name: row[column.name] for column in table.columns}
                for row in _rows_at_head()[table.name]
                if row.get(owner) in {*known, None}
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
    """Give a connection in a transaction, past the bot."""
    engine = sa.create_engine(sync_url(url))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _tables(connection: sa.Connection) -> list[sa.Table]:
    """The tables that there are, each with the columns that it has, in today's types."""
    there = sa.inspect(connection)
    columns = {
        table: {column["name"] for column in its}
        for (_, table), its in there.get_multi_columns().items()
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
def _lives() -> Mapping[str, tuple[Change, Change]]:
    """How each client began, and what became of them: a transition a minute."""
    return {name: _life(name, story) for name, story in STORIES.items()}


def _life(name: str, story: Story) -> tuple[Change, Change]:
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
        with ThreadPoolExecutor(1) as apart:  # whoever asks first may be in a loop already
            apart.submit(asyncio.run, _write(url)).result()
        return content(url)


async def _write(url: str) -> None:
    database = Database(url, SEALS)
    async with database.begin() as session:
        await GuideStore.from_file(SERVICETITAN).save_newest(session)
        for begun, change in _lives().values():
            await onboardings.add(session, begun)
            await session.flush()
            await onboardings.save(session, begun.onboarding, change)
            await _keep_values(session, change.onboarding)
        await _publish(session)
    await database.close()


async def _keep_values(session: AsyncSession, onboarding: Onboarding) -> None:
    for name, stored in onboarding.credentials.items():
        place = Slot(onboarding.id, name, stored.version, stored.mask)
        for _ in range(stored.version):
            sealed = VAULT.seal(place, SecretStr(VALUES[name]))
            await credentials.put(session, [sealed], stored.by, stored.at)


async def _publish(session: AsyncSession) -> None:
    """Fill the columns that the bot fills when it is at work: here they are empty, there not."""
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
        told = (await session.exec(first)).first()
        assert told
        told.announcing_since, told.announced_ts = NOW, row.thread_ts
    old_value = (await session.exec(select(CredentialRow))).first()
    run = (await session.exec(select(VerificationRow))).first()
    assert old_value
    assert run
    old_value.fingerprint, run.run_until, run.run_owner = None, NOW + MINUTE, "worker 1"
