"""Databases with thousands of onboardings: a few are replayed, then copied in SQL.

Each has what a real one leaves behind: a question with its answer, an undo, a reminder, five
credentials with one mistake, two checks, the messages of its thread, and its sealed history.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr
from sqlalchemy import Column, Connection, Table, text, update
from sqlmodel import SQLModel, col

from bot.guide.credential_fields import mask
from bot.guide.loading import SERVICETITAN
from bot.onboarding import Change, Onboarding, start
from bot.onboarding.credentials import destroy_credentials, enter_credentials
from bot.onboarding.people import Actor, Role
from bot.onboarding.questions import ask_for_help, mark_answered
from bot.onboarding.reminders import remind
from bot.onboarding.steps import choose_option, finish_step, undo_step
from bot.onboarding.verification_report import Outcome
from bot.onboarding.verifications import finish_verification, request_verification
from bot.publishing.desired import desired
from bot.publishing.pins import BOOKMARK, DONE, PIN
from storage import credentials, onboardings, posted_messages
from storage.database import Database
from storage.guides import GuideStore
from storage.posted_messages import Posted
from storage.session import Session
from storage.tables import EventRow, OnboardingRow, VerificationRow
from storage.vault import Slot, Vault
from tests.bench.stage import KEY, Platforms, engine_for, seals
from tests.builders import ALL_FIELDS, VALUES, a_report

Transition = Callable[[Onboarding, datetime], Change]

# The templates of running onboardings, with their current steps.
RUNNING = {"run03": 3, "run08": 8, "run14": 14, "run20": 20, "run23": 23}
KEPT, DELETED = "kept", "gone"  # the credentials of the latter are destroyed
STEP_TIME = timedelta(minutes=7)  # between two events of a template
LATER = timedelta(days=30)  # when the bot looks at one again
COPIED = ("onboarding", "step", "message", "credential", "verification", "event")
# A copy of a running one began this much before the one before it, and of a finished one.
RUNNING_MINUTES, FINISHED_MINUTES = 3, 158
KEPT_DAYS = 30


async def write_templates(url: str, platforms: Platforms) -> None:
    """Replay the templates, step by step."""
    database = Database(url, seals(), GuideStore(SERVICETITAN))
    engineer = Actor(platforms.engineer.id, platforms.engineer.team.id, Role.ENGINEER)
    admin = Actor(platforms.admin.id, platforms.admin.team.id, Role.CLIENT_ADMIN)
    try:
        async with database.begin() as session:
            await database.guides.save_newest(session)
            for name, current in RUNNING.items():
                await _replay(session, name, _steps(current, engineer, admin), engineer)
            transitions = [*_steps(26, engineer, admin), *_end(engineer)]
            await _replay(session, KEPT, transitions, engineer)
            await _replay(session, DELETED, [*transitions, _destroy(engineer)], engineer)
            await credentials.destroy(session, DELETED)
    finally:
        await database.close()


def _steps(current: int, engineer: Actor, admin: Actor) -> list[Transition]:
    """The transitions until a step is current, including a few detours."""
    masks = {name: mask(VALUES[name]) for name in ALL_FIELDS}
    wrong = {"client_secret": masks["client_secret"]}
    detours: dict[int, list[Transition]] = {
        6: [
            lambda at, now: ask_for_help(at, 6, "Where do I find the API scopes?", admin, now),
            lambda at, now: mark_answered(at, [1], engineer, now),
            lambda at, now: undo_step(at, 5, admin, now),
            lambda at, now: finish_step(at, 5, admin, now),
        ],
        9: [lambda at, now: remind(at, engineer, now)],
        22: [
            lambda at, now: enter_credentials(at, 22, masks, admin, now),
            _check(Outcome.FAILED, "client_secret"),
            lambda at, now: enter_credentials(at, 22, wrong, admin, now),
            _check(Outcome.PASSED),
        ],
    }
    found: list[Transition] = [lambda at, now: choose_option(at, 1, "existing", admin, now)]
    for number in range(3, min(current, 25)):
        found += detours.get(number, [])
        found.append(_finish(number, admin if number < 23 else engineer))
    return found


def _end(engineer: Actor) -> list[Transition]:
    return [
        lambda at, now: request_verification(at, engineer, now),
        _check(Outcome.PASSED),
    ]


def _finish(number: int, by: Actor) -> Transition:
    return lambda at, now: finish_step(at, number, by, now)


def _check(outcome: Outcome, *fields: str) -> Transition:
    def checked(at: Onboarding, now: datetime) -> Change:
        run = at.verification
        assert run
        return finish_verification(at, run, a_report(outcome, fields), now)

    return checked


def _destroy(engineer: Actor) -> Transition:
    return lambda at, now: destroy_credentials(at, engineer, now)


async def _replay(
    session: Session,
    name: str,
    transitions: Sequence[Transition],
    engineer: Actor,
) -> None:
    now = datetime.now(UTC) - STEP_TIME * (len(transitions) + 1)
    begun = start(
        name,
        session.database.guides.default,
        client_name=f"Template {name}",
        channel=f"C{name.upper()}",
        engineer=engineer.user_id,
        client_admins=(),
        actor=engineer,
        now=now,
    )
    await onboardings.add(session, begun)
    at, vault = await onboardings.get(session, name, lock=True), Vault([KEY])
    for transition in transitions:
        now += STEP_TIME
        before, at = at, await onboardings.save(session, at, transition(at, now))
        entered = [
            vault.seal(
                Slot(name, field, credential.version, credential.mask), SecretStr(VALUES[field])
            )
            for field, credential in at.credentials.items()
            if before.credentials.get(field) != credential
        ]
        if entered:
            await credentials.put(session, entered, engineer, now)
    await _publish(session, at)


async def _publish(session: Session, at: Onboarding) -> None:
    """Leave the rows as if Slack showed everything, so that no bot has anything to do."""
    posted = [Posted(slot, "1795426200.000100", DONE, None) for slot in (PIN, BOOKMARK)]
    posted += [
        Posted(message.slot, f"1795426{number:03}.000100", message.digest, None)
        for number, message in enumerate(desired(at, {}))
    ]
    await posted_messages.save(session, at.id, posted, known=())
    await posted_messages.set_thread(session, at.id, "1795426000.000100")
    shown = {"published_revision": at.revision, "announcement_ts": "1795426000.000200"}
    later = {"next_reminder" if at.current else "next_check": datetime.now(UTC) + LATER}
    row, event, run = OnboardingRow, EventRow, VerificationRow
    await session.exec(update(row).where(col(row.id) == at.id).values(**shown, **later))
    unannounced = (col(event.onboarding_id) == at.id, col(event.announced_ts).is_(None))
    await session.exec(update(event).where(*unannounced).values(announced_ts="1.1"))
    await session.exec(update(run).where(col(run.onboarding_id) == at.id).values(due_at=None))


def fill(url: str, running: int, finished: int) -> None:
    """Copy the templates into that many running and finished onboardings."""
    recent = min(finished, KEPT_DAYS * 24 * 60 // FINISHED_MINUTES)
    engine = engine_for(url)
    with engine.begin() as connection:
        each = running // len(RUNNING)
        for name in RUNNING:
            _copy(connection, name, range(1, each + 1), RUNNING_MINUTES * len(RUNNING))
        _copy(connection, KEPT, range(1, recent + 1), FINISHED_MINUTES)
        _copy(connection, DELETED, range(recent + 1, finished + 1), FINISHED_MINUTES)
    engine.dispose()
    analyze(url)


def add_finished(url: str, first: int, last: int) -> None:
    """Add finished onboardings without steps, messages and history: lists don't read those."""
    engine = engine_for(url)
    with engine.begin() as connection:
        numbers = range(first, last)
        _copy(connection, DELETED, numbers, FINISHED_MINUTES, tables=["onboarding"])
    engine.dispose()
    analyze(url)


def analyze(url: str) -> None:
    """Update the planner's statistics, as a server does eventually."""
    engine = engine_for(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()


def size(url: str) -> int:
    """Return the bytes of a database."""
    engine = engine_for(url)
    sqlite = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    postgresql = "SELECT pg_database_size(current_database())"
    query = sqlite if engine.dialect.name == "sqlite" else postgresql
    with engine.connect() as connection:
        found = int(connection.execute(text(query)).scalar_one())
    engine.dispose()
    return found


def _copy(
    connection: Connection,
    template: str,
    numbers: range,
    minutes: int,
    tables: Sequence[str] = COPIED,
) -> None:
    """Copy a template once for each number, each copy `minutes` older than the last."""
    if not numbers:
        return
    for table in SQLModel.metadata.sorted_tables:
        if table.name in tables:
            statement = _insert(table, minutes, is_sqlite=connection.dialect.name == "sqlite")
            bounds = {"first": numbers.start, "last": numbers.stop - 1}
            connection.execute(text(statement), {"template": template, **bounds})


def _insert(table: Table, minutes: int, *, is_sqlite: bool) -> str:
    columns = [column for column in table.columns if (table.name, column.name) != ("event", "id")]
    names = ", ".join(f'"{column.name}"' for column in columns)
    values = ", ".join(_value(table, column, minutes, is_sqlite=is_sqlite) for column in columns)
    key = "id" if table.name == "onboarding" else "onboarding_id"
    order = "ORDER BY n, t.id" if table.name == "event" else ""
    return f"""WITH RECURSIVE numbers(n) AS (
        SELECT CAST(:first AS INTEGER) UNION ALL SELECT n + 1 FROM numbers WHERE n < :last
    )
    INSERT INTO {table.name} ({names}) SELECT {values}
    FROM numbers CROSS JOIN {table.name} t WHERE t.{key} = :template {order}"""  # noqa: S608


def _value(table: Table, column: Column[object], minutes: int, *, is_sqlite: bool) -> str:
    """Return what a copy has in a column, in SQL."""
    name = f't."{column.name}"'
    own = {
        "id": "(:template || '-' || n)" if table.name == "onboarding" else name,
        "onboarding_id": "(:template || '-' || n)",
        "client_name": "'Client ' || :template || ' ' || n",
        "client_key": "'client ' || :template || ' ' || n",
        "channel": "'C' || upper(:template) || n",
        "next_reminder": name,
        "next_check": name,
    }
    if column.name in own:
        return own[column.name]
    if type(column.type).__name__ != "UtcDateTime":
        return name
    if is_sqlite:
        return f"strftime('%Y-%m-%d %H:%M:%f000', {name}, '-' || (n * {minutes}) || ' minutes')"
    return f"{name} - n * interval '{minutes} minutes'"
