"""Reads and writes onboardings: rows on one side, the pure `Onboarding` on the other."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.errors import NotFound, Stale
from bot.guide import Owner
from bot.onboarding import (
    Change,
    Escalation,
    Event,
    EventKind,
    Exposure,
    Loss,
    Onboarding,
    Overview,
    Question,
    Reminder,
    Signed,
    Snooze,
    Status,
    StepProgress,
    StepState,
    StoredCredential,
    Verification,
)
from bot.people import Actor, Role
from bot.report import Report
from storage import history
from storage.guides import GuideShelf
from storage.tables import RUNNING as IS_RUNNING
from storage.tables import CredentialRow, EventRow, OnboardingRow, StepRow, VerificationRow

RUNNING = (Status.ACTIVE.value, Status.PAUSED.value)
PAGE = 20  # as many as fit one answer


async def get(session: AsyncSession, shelf: GuideShelf, onboarding_id: str) -> Onboarding:
    """Return an onboarding; raises NotFound if there is none with this id."""
    row = await session.get(OnboardingRow, onboarding_id, populate_existing=True)
    if row is None:
        raise NotFound("This onboarding does not exist (any more).")
    return await _load(session, shelf, row)


async def running_in(
    session: AsyncSession, shelf: GuideShelf, channel: str
) -> Sequence[Onboarding]:
    """Return the onboardings that run in `channel`, the most recently active first."""
    where = (col(OnboardingRow.channel) == channel, col(OnboardingRow.status).in_(RUNNING))
    query = select(OnboardingRow).where(*where).order_by(col(OnboardingRow.active_at).desc())
    return [await _load(session, shelf, row) for row in (await session.exec(query)).all()]


async def add(session: AsyncSession, change: Change) -> None:
    """Write a new onboarding and its first events."""
    onboarding = change.onboarding
    rows, end = history.following(session, onboarding.id, history.End(), change.events)
    session.add(
        OnboardingRow(
            id=onboarding.id,
            guide=onboarding.guide.id,
            guide_version=onboarding.guide.version,
            started_at=onboarding.started_at,
            **end.columns,
            **_columns(onboarding),
        )
    )
    await session.flush()  # the rows below refer to it
    session.add_all(_step_row(onboarding.id, step) for step in onboarding.steps)
    session.add_all(rows)


async def save(session: AsyncSession, before: Onboarding, change: Change) -> None:
    """Write a change; raises Stale if somebody else wrote the onboarding since it was read."""
    after = change.onboarding
    row = OnboardingRow
    end = await history.end_of(session, before.id)
    rows, new_end = history.following(session, before.id, end, change.events)
    as_we_read_it = (col(row.id) == before.id, col(row.revision) == before.revision)
    result = await session.exec(
        update(row)
        .where(*as_we_read_it)
        .values(revision=before.revision + 1, **new_end.columns, **_columns(after))
        .execution_options(synchronize_session=False)
    )
    if result.rowcount == 0:
        raise Stale
    known = set(before.steps)
    for step in after.steps:
        if step not in known:
            await session.merge(_step_row(after.id, step))
    for run in after.verifications:
        if run not in before.verifications:
            await session.merge(await _verification_row(session, before, run))
    session.add_all(rows)


async def record(session: AsyncSession, onboarding_id: str, event: Event) -> None:
    """Add an event that changes nothing, such as a refusal."""
    end = await history.end_of(session, onboarding_id)
    rows, new_end = history.following(session, onboarding_id, end, [event])
    session.add_all(rows)
    where = col(OnboardingRow.id) == onboarding_id
    await session.exec(update(OnboardingRow).where(where).values(**new_end.columns))


async def ids_in(session: AsyncSession, channel: str) -> Sequence[str]:
    """Return all onboardings of `channel`, finished ones too."""
    query = select(OnboardingRow.id).where(col(OnboardingRow.channel) == channel)
    return (await session.exec(query)).all()


async def running_ids(session: AsyncSession) -> Sequence[str]:
    """Return all onboardings that are not finished."""
    query = select(OnboardingRow.id).where(col(OnboardingRow.status).in_(RUNNING))
    return (await session.exec(query)).all()


async def to_destroy(session: AsyncSession, finished_before: datetime, limit: int) -> Sequence[str]:
    """Return onboardings that were finished before, and whose values are still kept."""
    row = OnboardingRow
    where = (col(row.destroyed_at).is_(None), col(row.finished_at) <= finished_before)
    query = select(row.id).where(*where).order_by(col(row.finished_at)).limit(limit)
    return (await session.exec(query)).all()


async def of_thread(
    session: AsyncSession, shelf: GuideShelf, channel: str, thread_ts: str
) -> Onboarding | None:
    """Return the onboarding whose thread this is."""
    row = OnboardingRow
    where = (col(row.channel) == channel, col(row.thread_ts) == thread_ts)
    found = (await session.exec(select(row).where(*where))).first()
    return await _load(session, shelf, found) if found else None


async def has_event(session: AsyncSession, onboarding_id: str, kind: EventKind) -> bool:
    """Whether the history of an onboarding has an event of this kind."""
    where = (col(EventRow.onboarding_id) == onboarding_id, col(EventRow.kind) == kind.value)
    return (await session.exec(select(EventRow.id).where(*where).limit(1))).first() is not None


async def events_of(session: AsyncSession, onboarding_id: str, kind: EventKind) -> Sequence[Event]:
    """Return the events of one kind, oldest first."""
    where = (col(EventRow.onboarding_id) == onboarding_id, col(EventRow.kind) == kind.value)
    rows = await session.exec(select(EventRow).where(*where).order_by(col(EventRow.id)))
    return [event_of(row) for row in rows]


async def overview_in(session: AsyncSession, channel: str) -> Sequence[Overview]:
    """Return what runs in `channel`; where nothing does, its newest onboarding, if any."""
    query = select(OnboardingRow).where(col(OnboardingRow.channel) == channel)
    newest = query.order_by(col(OnboardingRow.started_at).desc()).limit(PAGE)
    lines = [overview_of(row) for row in await session.exec(newest)]
    return [line for line in lines if line.status.value in RUNNING] or lines[:1]


async def overview(
    session: AsyncSession, *, name: str = "", finished: bool = False, offset: int = 0, limit: int
) -> Sequence[Overview]:
    """Return a page of onboardings, the longest without activity first.

    `name` is a part of the client's name. Only with `finished` are those told of that have ended.
    """
    row = OnboardingRow
    query = select(row)
    if not finished:
        query = query.where(IS_RUNNING)  # written out, so that its partial index is used
    if name:
        query = query.where(col(row.client_key).contains(client_key(name), autoescape=True))
    page = query.order_by(col(row.active_at), col(row.id)).offset(offset).limit(limit)
    return [overview_of(found) for found in await session.exec(page)]


async def named(
    session: AsyncSession,
    shelf: GuideShelf,
    name: str,
    *,
    channel: str | None = None,
    finished: bool = False,
) -> Sequence[Onboarding]:
    """Return the onboardings whose client's name has `name` in it, the most recent first.

    One whose name is exactly that takes precedence over all others.
    """
    row, key = OnboardingRow, client_key(name)
    query = select(row).where(col(row.client_key).contains(key, autoescape=True))
    if not finished:
        query = query.where(IS_RUNNING)
    if channel:
        query = query.where(col(row.channel) == channel)
    found = (await session.exec(query.order_by(col(row.active_at).desc()).limit(PAGE))).all()
    exact = [one for one in found if one.client_key == key]
    return [await _load(session, shelf, one) for one in exact or found]


async def newest_in(session: AsyncSession, shelf: GuideShelf, channel: str) -> Onboarding | None:
    """Return the onboarding of `channel` that began last, finished or not."""
    query = select(OnboardingRow).where(col(OnboardingRow.channel) == channel)
    row = (
        await session.exec(query.order_by(col(OnboardingRow.started_at).desc()).limit(1))
    ).first()
    return await _load(session, shelf, row) if row else None


# --- rows to onboarding ---


def overview_of(row: OnboardingRow) -> Overview:
    """Return what is said of an onboarding without reading its steps."""
    return Overview(
        id=row.id,
        client_name=row.client_name,
        channel=row.channel,
        thread_ts=row.thread_ts,
        engineer=row.engineer,
        status=Status(row.status),
        current_step=row.current_step,
        finished_steps=row.finished_steps,
        turn=Owner(row.turn) if row.turn else None,
        turn_at=row.turn_at,
        started_at=row.started_at,
        active_at=row.active_at,
        missing_values=row.missing_values,
        exposed_values=row.exposed_values,
        open_questions=row.open_questions,
        verification=row.verification,
        loss=Loss(row.loss) if row.loss else None,
        timezone=row.timezone,
    )


async def _load(session: AsyncSession, shelf: GuideShelf, row: OnboardingRow) -> Onboarding:
    past = await _past(session, row.id)
    return Onboarding(
        id=row.id,
        guide=await shelf.get(session, row.guide, row.guide_version),
        client_name=row.client_name,
        channel=row.channel,
        engineer=row.engineer,
        client_admins=tuple(row.client_admins),
        started_at=row.started_at,
        active_at=row.active_at,
        turn_at=row.turn_at,
        steps=await _steps(session, row.id),
        status=Status(row.status),
        loss=Loss(row.loss) if row.loss else None,
        reason=row.reason,
        timezone=row.timezone,
        account=row.account,
        thread_ts=row.thread_ts,
        revision=row.revision,
        finished_at=row.finished_at,
        destroyed_at=row.destroyed_at,
        credentials=await _credentials(session, row.id),
        verifications=await _verifications(session, row.id),
        exposures=_exposures(past),
        questions=_questions(past),
        reminders=_reminders(past),
        escalation=_escalation(past),
        writes_confirmed=_confirmed(past),
    )


async def _steps(session: AsyncSession, onboarding_id: str) -> tuple[StepProgress, ...]:
    query = select(StepRow).where(col(StepRow.onboarding_id) == onboarding_id)
    rows = await session.exec(query.order_by(col(StepRow.number)))
    return tuple(
        StepProgress(
            row.number,
            StepState(row.state),
            Actor(row.by_user, row.by_team or "", Role(row.by_role))
            if row.by_user and row.by_role
            else None,
            row.at,
            row.handed_over,
        )
        for row in rows
    )


async def _credentials(session: AsyncSession, onboarding_id: str) -> Mapping[str, StoredCredential]:
    query = select(CredentialRow).where(col(CredentialRow.onboarding_id) == onboarding_id)
    return {
        row.field: StoredCredential(
            row.mask,
            Actor(row.submitted_by_user, row.submitted_by_team, Role(row.submitted_by_role)),
            row.replaced_at or row.submitted_at,
            row.version,
        )
        for row in await session.exec(query)
    }


async def _verifications(session: AsyncSession, onboarding_id: str) -> tuple[Verification, ...]:
    query = select(VerificationRow).where(col(VerificationRow.onboarding_id) == onboarding_id)
    rows = await session.exec(query.order_by(col(VerificationRow.number)))
    return tuple(
        Verification(
            number=row.number,
            requested_by=Actor(
                row.requested_by_user, row.requested_by_team, Role(row.requested_by_role)
            ),
            requested_at=row.requested_at,
            attempt=row.attempt,
            report=Report.model_validate_json(row.report) if row.report else None,
            retry_at=row.due_at if row.report else None,
            booking=row.booking,
            booking_sent_at=row.booking_sent_at,
        )
        for row in rows
    )


# The events that are part of the state, not only of the history.
REMEMBERED = (
    EventKind.EXPOSED,
    EventKind.HELP_ASKED,
    EventKind.HELP_ANSWERED,
    EventKind.GUIDE_ANSWERED,
    EventKind.REMINDED,
    EventKind.SNOOZED,
    EventKind.ESCALATED,
    EventKind.WRITES_CONFIRMED,
)


async def _past(session: AsyncSession, onboarding_id: str) -> Sequence[Event]:
    kinds = [kind.value for kind in REMEMBERED]
    where = (col(EventRow.onboarding_id) == onboarding_id, col(EventRow.kind).in_(kinds))
    rows = await session.exec(select(EventRow).where(*where).order_by(col(EventRow.id)))
    return [event_of(row) for row in rows]


def event_of(row: EventRow) -> Event:
    """Return the event of a row."""
    actor = Actor(row.actor_user, row.actor_team, Role(row.actor_role))
    return Event(EventKind(row.kind), actor, row.at, row.step, row.detail)


def _of_kind(past: Sequence[Event], *kinds: EventKind) -> list[Event]:
    return [event for event in past if event.kind in kinds]


def _escalation(past: Sequence[Event]) -> Escalation | None:
    told = _of_kind(past, EventKind.ESCALATED)
    since = told[-1].detail["since"] if told else ""
    return Escalation(told[-1].at, datetime.fromisoformat(since)) if told else None


def _confirmed(past: Sequence[Event]) -> Signed | None:
    signed = _of_kind(past, EventKind.WRITES_CONFIRMED)
    return Signed(signed[-1].actor, signed[-1].at) if signed else None


def _exposures(past: Sequence[Event]) -> tuple[Exposure, ...]:
    return tuple(
        Exposure(
            number,
            tuple(event.detail["fields"]),
            event.actor,
            event.at,
            tuple(event.detail.get("marks", ())),
        )
        for number, event in enumerate(_of_kind(past, EventKind.EXPOSED), start=1)
    )


def _reminders(past: Sequence[Event]) -> tuple[Reminder, ...]:
    found: list[Reminder] = []
    for event in _of_kind(past, EventKind.REMINDED, EventKind.SNOOZED):
        if event.kind is EventKind.REMINDED:
            number, to = len(found) + 1, Owner(event.detail["to"])
            since = datetime.fromisoformat(event.detail["since"])
            found.append(Reminder(number, event.step or 1, to, event.actor, event.at, since))
        elif found:
            until = event.detail.get("until")
            moment = datetime.fromisoformat(until) if until else None
            found[-1] = replace(found[-1], snooze=Snooze(event.actor, event.at, moment))
    return tuple(found)


def _questions(past: Sequence[Event]) -> tuple[Question, ...]:
    answers = {
        number: event
        for event in _of_kind(past, EventKind.HELP_ANSWERED)
        for number in event.detail["questions"]
    }
    asked = _of_kind(past, EventKind.HELP_ASKED, EventKind.GUIDE_ANSWERED)
    return tuple(
        Question(
            number,
            event.step or 1,
            event.detail["question"],
            event.actor,
            event.at,
            event.detail.get("passage"),
            answers[number].actor if number in answers else None,
            answers[number].at if number in answers else None,
        )
        for number, event in enumerate(asked, start=1)
    )


# --- onboarding to rows ---


def _columns(onboarding: Onboarding) -> dict[str, Any]:
    return {
        "channel": onboarding.channel,
        "client_name": onboarding.client_name,
        "client_key": client_key(onboarding.client_name),
        "engineer": onboarding.engineer,
        "client_admins": list(onboarding.client_admins),
        "account": onboarding.account,
        "status": onboarding.status.value,
        "loss": onboarding.loss.value if onboarding.loss else None,
        "current_step": onboarding.current.number if onboarding.current else None,
        "finished_steps": onboarding.finished_steps,
        "turn": onboarding.turn.value if onboarding.turn else None,
        "turn_at": onboarding.turn_at,
        "reason": onboarding.reason,
        "timezone": onboarding.timezone,
        "missing_values": len(onboarding.missing),
        "exposed_values": len(onboarding.exposed),
        "verification": _verification(onboarding),
        "open_questions": len(onboarding.open_questions),
        "next_reminder": None,  # whatever changed, it is to be found anew
        "active_at": onboarding.active_at,
        "finished_at": onboarding.finished_at,
        "destroyed_at": onboarding.destroyed_at,
    }


def client_key(name: str) -> str:
    """Return a client's name as it is compared and searched for."""
    return " ".join(name.casefold().split())


def _verification(onboarding: Onboarding) -> str | None:
    latest = onboarding.verification
    if latest is None:
        return None
    return latest.report.outcome.value if latest.report else "running"


def _step_row(onboarding_id: str, step: StepProgress) -> StepRow:
    return StepRow(
        onboarding_id=onboarding_id,
        number=step.number,
        state=step.state.value,
        by_user=step.by.user_id if step.by else None,
        by_team=step.by.team_id if step.by else None,
        by_role=step.by.role.value if step.by else None,
        at=step.at,
        handed_over=step.handed_over,
    )


async def _verification_row(
    session: AsyncSession, before: Onboarding, run: Verification
) -> VerificationRow:
    """Return the row of a run; one that goes on keeps the lease of the worker that runs it."""
    known = await session.get(VerificationRow, (before.id, run.number))
    goes_on = any(
        (one.number, one.requested_at, one.attempt) == (run.number, run.requested_at, run.attempt)
        for one in before.verifications
    )
    return VerificationRow(
        onboarding_id=before.id,
        number=run.number,
        requested_by_user=run.requested_by.user_id,
        requested_by_team=run.requested_by.team_id,
        requested_by_role=run.requested_by.role.value,
        requested_at=run.requested_at,
        attempt=run.attempt,
        report=run.report.model_dump_json() if run.report else None,
        due_at=run.due_at,
        run_until=known.run_until if known and goes_on else None,
        booking=run.booking,
        booking_sent_at=run.booking_sent_at,
    )
